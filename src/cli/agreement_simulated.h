/* agreement_simulated.h: what would cross more, less and differently, for each recipient?
 *
 * Kept while reports are judged twice; told to people and programs. Its counts add up: what each
 * recipient would get before and after is all that it was judged for.
 */
#ifndef COMITY_CLI_AGREEMENT_SIMULATED_H
#define COMITY_CLI_AGREEMENT_SIMULATED_H

#include "cli/job.h"
#include "flow/change.h"

enum { SIMULATED_EXAMPLES = 3 };

struct simulated_example {
    const char *file;
    uint64_t line;
    uint8_t classification;
    uint8_t tlp;
    struct verdict before;
    struct verdict after;
};

struct simulated_team {
    uint64_t reports;
    uint64_t before[EFFECT_COUNT];
    uint64_t after[EFFECT_COUNT];
    uint64_t changes[CHANGE_COUNT];
    struct simulated_example *examples; /* SIMULATED_EXAMPLES for each change; NULL: none */
};

struct simulated {
    const struct job *job;
    struct agreement_set draft;
    struct policy *after;
    size_t replaced;              /* agreements of today that it takes the place of */
    bool dated;                   /* it is not in force at that time by its own dates */
    struct simulated_team *teams; /* by team_id.index; [0]: nobody */
    struct simulated_team total;
    size_t count;
    bool lost; /* no memory for an example */
};

MUST_USE int simulated_init(struct simulated *s, size_t team_count, struct err *err);
void simulated_free(struct simulated *s);
void simulated_add(
    struct simulated *s, const struct flow_result *result, const struct flow_outcome *outcome);

void simulated_print(const struct simulated *s, struct buf *out);
void simulated_json(const struct simulated *s, struct buf *out);

#endif
