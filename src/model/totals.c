#include "model/totals.h"

bool
totals_balance(const struct totals *totals)
{
    return totals->received == totals->stored + totals->rejected + totals->duplicate
        && totals->outcomes
        == totals->released + totals->held + totals->withheld + totals->unattributed;
}

void
totals_grow(struct totals *sum, const struct totals *now, const struct totals *before)
{
#define ONE(name) sum->name += now->name - before->name;
    TOTALS_EACH(ONE)
#undef ONE
}

void
totals_add(struct buf *out, const struct totals *totals)
{
#define ONE(name) wire_add_u64(out, totals->name);
    TOTALS_EACH(ONE)
#undef ONE
}

void
totals_take(struct wire_in *in, struct totals *out)
{
#define ONE(name) out->name = wire_u64(in);
    TOTALS_EACH(ONE)
#undef ONE
}
