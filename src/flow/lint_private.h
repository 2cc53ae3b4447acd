/* lint_private.h: how does lint say what it found?
 *
 * For flow/agreement_lint.c, which looks at what a text says, and flow/lint_reach.c, which looks at
 * what its clauses do.
 */
#ifndef COMITY_FLOW_LINT_PRIVATE_H
#define COMITY_FLOW_LINT_PRIVATE_H

#include "flow/agreement_lint.h"

struct linting {
    struct arena *arena;
    const struct lint_question *q;
    agreement_lint_tell *tell;
    void *ctx;
    const struct agreement *agreement; /* at hand */
    const struct clause *clause;       /* NULL: all of it */
};

void lint_say(struct linting *lint, enum lint_level level, const char *what, const char *key,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Clauses that never match, are shadowed, are void. */
MUST_USE int lint_reach(struct linting *lint, struct err *err);

#endif
