/* totals.h: what became of the reports that came in, in numbers?
 *
 * received = stored + rejected + duplicate; outcomes = released + held + withheld + unattributed,
 * where a report has one outcome a recipient, and one (unattributed) if nobody answers for it.
 */
#ifndef COMITY_MODEL_TOTALS_H
#define COMITY_MODEL_TOTALS_H

#include "base/wire.h"

/* DO(name) for each, in the order in which they are sent and told. */
#define TOTALS_EACH(DO)                                                                            \
    DO(received)                                                                                   \
    DO(stored)                                                                                     \
    DO(rejected)                                                                                   \
    DO(duplicate)                                                                                  \
    DO(outcomes)                                                                                   \
    DO(released)                                                                                   \
    DO(held)                                                                                       \
    DO(withheld)                                                                                   \
    DO(unattributed)

struct totals {
#define ONE(name) uint64_t name;
    TOTALS_EACH(ONE)
#undef ONE
};

bool totals_balance(const struct totals *totals);
/* SUM grows by what NOW has more than BEFORE had. */
void totals_grow(struct totals *sum, const struct totals *now, const struct totals *before);
void totals_add(struct buf *out, const struct totals *totals);
void totals_take(struct wire_in *in, struct totals *out);

#endif
