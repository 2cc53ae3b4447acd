#include "model/intake.h"

void
intake_open_add(struct buf *out, const struct intake_open *open)
{
    wire_add_text(out, open->name);
    wire_add_u64(out, open->file);
}

void
intake_open_take(struct wire_in *in, struct intake_open *out)
{
    out->name = wire_text(in);
    out->file = wire_u64(in);
}

void
intake_totals_add(struct buf *out, const struct intake_totals *totals)
{
    wire_add_u64(out, totals->received);
    wire_add_u64(out, totals->stored);
    wire_add_u64(out, totals->rejected);
    wire_add_u64(out, totals->duplicate);
    wire_add_u64(out, totals->outcomes);
    wire_add_u64(out, totals->released);
    wire_add_u64(out, totals->held);
    wire_add_u64(out, totals->withheld);
    wire_add_u64(out, totals->unattributed);
}

void
intake_totals_take(struct wire_in *in, struct intake_totals *out)
{
    out->received = wire_u64(in);
    out->stored = wire_u64(in);
    out->rejected = wire_u64(in);
    out->duplicate = wire_u64(in);
    out->outcomes = wire_u64(in);
    out->released = wire_u64(in);
    out->held = wire_u64(in);
    out->withheld = wire_u64(in);
    out->unattributed = wire_u64(in);
}
