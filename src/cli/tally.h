/* tally.h: who got how much, and why did the rest not go?
 *
 * The table and the balance line of `comity route`.
 */
#ifndef COMITY_CLI_TALLY_H
#define COMITY_CLI_TALLY_H

#include "cli/job.h"

enum { TALLY_WHYS = 6 };

struct tally_why { /* one effect with its reason, or the first clause that made it */
    uint64_t count;
    uint32_t clause; /* 1 + index; 0: none */
    uint8_t effect;
    uint8_t reason;
};

struct tally_team {
    uint64_t reports;
    uint64_t released;
    uint64_t held;
    uint64_t withheld;
    struct tally_why whys[TALLY_WHYS]; /* the rest is in `others` */
    uint64_t others;
};

struct tally {
    struct tally_team *teams; /* by team_id.index; [0]: nobody */
    size_t count;
    uint64_t nobody[ECONOMY_COUNT]; /* unattributed, by the economy if known */
    uint64_t
        economies[ECONOMY_COUNT]; /* all reports, by the source's economy, else the destination's */
};

MUST_USE int tally_init(struct tally *tally, size_t team_count, struct err *err);
void tally_free(struct tally *tally);
void tally_add(struct tally *tally, const struct flow_result *result);

/* For people, and as one JSON object. */
void tally_print(const struct tally *tally, const struct job *job, struct buf *out);
void tally_json(const struct tally *tally, const struct job *job, struct buf *out);

#endif
