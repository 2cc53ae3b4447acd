#include "base/caller.h"

void
caller_add(struct buf *out, const struct caller *caller)
{
    wire_add_u8(out, caller->scheme);
    wire_add_text(out, caller->user);
    wire_add_text(out, caller->secret);
    wire_add_text(out, caller->proof);
    wire_add_text(out, caller->peer);
}

void
caller_take(struct wire_in *in, struct caller *out)
{
    out->scheme = wire_u8(in);
    out->user = wire_text(in);
    out->secret = wire_text(in);
    out->proof = wire_text(in);
    out->peer = wire_text(in);
    if (out->scheme > CALLER_LINK)
        in->bad = true;
    if (in->bad)
        *out = (struct caller){.scheme = CALLER_NOBODY};
}
