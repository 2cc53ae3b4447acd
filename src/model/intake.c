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
