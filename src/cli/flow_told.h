/* flow_told.h: how is it told what is blocked, and what would free it?
 *
 * To people and to programs. Its counts are route's: held and withheld together.
 */
#ifndef COMITY_CLI_FLOW_TOLD_H
#define COMITY_CLI_FLOW_TOLD_H

#include "cli/job.h"
#include "flow/parties.h"
#include "flow/remedy.h"

struct flow_told {
    const struct job *job;
    struct remedy_question question;
    struct remedies remedies;
    uint64_t nobody[ECONOMY_COUNT]; /* for want of a team's card, by the economy if known */
    bool all;
};

/* Whose report nobody answers for. */
void flow_told_see(struct flow_told *told, const struct flow_result *result);
void flow_told_print(const struct flow_told *told, struct buf *out);
void flow_told_json(const struct flow_told *told, struct buf *out);

#endif
