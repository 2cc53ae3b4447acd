#include "model/intake.h"

void
intake_open_add(struct buf *out, const struct intake_open *open)
{
    wire_add_text(out, open->name);
    wire_add_u64(out, open->file);
    wire_add_u8(out, open->counted);
    wire_add_text(out, open->corrects);
    wire_add_text(out, open->why);
}

void
intake_open_take(struct wire_in *in, struct intake_open *out)
{
    out->name = wire_text(in);
    out->file = wire_u64(in);
    out->counted = wire_u8(in) != 0;
    out->corrects = wire_text(in);
    out->why = wire_text(in);
}

void
intake_counts_add(struct buf *out, const struct intake_counts *counts)
{
    wire_add_u32(out, counts->stored);
    wire_add_u32(out, counts->duplicate);
    wire_add_u32(out, counts->rejected);
}

void
intake_counts_take(struct wire_in *in, struct intake_counts *out)
{
    out->stored = wire_u32(in);
    out->duplicate = wire_u32(in);
    out->rejected = wire_u32(in);
}
