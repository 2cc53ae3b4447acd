/* blocked.h: of which kinds were the reports that did not go, and how many of each?
 *
 * A kind is all that a verdict hangs on: recipient, classification, label, provider. Counted while
 * reports flow, so that what would free them can be asked once for each kind (flow/remedy.h).
 */
#ifndef COMITY_FLOW_BLOCKED_H
#define COMITY_FLOW_BLOCKED_H

#include "flow/flow.h"

enum { BLOCKED_KINDS_MAX = 1 << 18, BLOCKED_PROVIDERS_MAX = 1 << 16 };

struct blocked_kind {
    struct span provider; /* n 0: not named */
    uint64_t count;
    uint32_t recipient; /* team_id.index */
    uint8_t classification;
    uint8_t tlp; /* as decided on */
    uint8_t effect;
    uint8_t reason;
};

struct blocked;
MUST_USE int blocked_new(struct blocked **out, struct err *err);
void blocked_free(struct blocked *blocked);

/* Outcomes that are released or nobody's are not counted. ERR_LIMIT beyond BLOCKED_KINDS_MAX. */
MUST_USE int blocked_add(struct blocked *blocked, const struct report *report, enum tlp tlp,
    const struct flow_outcome *outcome, struct err *err);
const struct blocked_kind *blocked_kinds(const struct blocked *blocked, size_t *count);

#endif
