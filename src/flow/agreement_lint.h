/* agreement_lint.h: what in this agreement cannot be meant?
 *
 * Pure. Beyond faults of form, which break a document (flow/doc.h hears those): clauses that never
 * match, that others shadow, that a ceiling makes void; teams nobody knows; dates in the past. What
 * is said of a clause's effect is not guessed: it is judged with and without the clause, over every
 * question that the agreements can tell apart.
 */
#ifndef COMITY_FLOW_AGREEMENT_LINT_H
#define COMITY_FLOW_AGREEMENT_LINT_H

#include "flow/cells.h"
#include "flow/parties.h"

enum { AGREEMENT_LINT_MOMENTS_MAX = 32 };

/* An error breaks the document; a warning is hardly meant; a hint is worth knowing. */
enum lint_level { LINT_ERROR, LINT_WARNING, LINT_HINT, LINT_LEVEL_COUNT };

struct lint_finding {
    enum lint_level level;
    const char *what; /* "unknown-team" */
    const struct agreement *agreement;
    const struct clause *clause; /* NULL: the agreement */
    const char *key;             /* "": none alone */
    struct span text;            /* lives until the call returns */
};
typedef void agreement_lint_tell(void *ctx, const struct lint_finding *finding);

struct lint_question {
    const struct agreement_set *checked; /* broken ones are passed over */
    const struct agreement_set *with;    /* what holds beside them, with conditions */
    const struct parties *parties;       /* gathered from both */
    int64_t at_us;
};

/* Errors: ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int agreement_lint_find(struct arena *arena, const struct lint_question *question,
    agreement_lint_tell *tell, void *ctx, struct err *err);

#endif
