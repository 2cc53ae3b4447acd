#include "base/refusal.h"

void
refusal_add(struct buf *out, const struct err *why)
{
    wire_add_u32(out, (uint32_t) - (int)why->code);
    wire_add_u64(out, why->line);
    wire_add_u32(out, why->wait_s);
    wire_add_text(out, span_of(why->field));
    wire_add_text(out, span_of(why->msg));
}

static bool
is_error(uint32_t number)
{
    switch (number) {
#define ERROR(name, number, kind, http, word, text) case number:
#include "tables/errors.def"
#undef ERROR
        return true;
    default:
        return false;
    }
}

void
refusal_take(struct span body, struct err *why)
{
    struct wire_in in = wire_in(body);
    uint32_t number = wire_u32(&in);
    uint64_t line = wire_u64(&in);
    uint32_t wait_s = wire_u32(&in);
    struct span field = wire_text(&in);
    struct span msg = wire_text(&in);

    if (in.bad || in.n != 0 || !is_error(number)) {
        (void)err_set(why, ERR_INTERNAL, "a refusal came that cannot be read");
        return;
    }
    (void)err_set_field(why, (enum err_code) - (int)number, field.p, field.n, "%.*s",
        (int)(msg.n < ERR_MSG_BYTES ? msg.n : ERR_MSG_BYTES), msg.p == NULL ? "" : msg.p);
    why->line = line;
    why->wait_s = wait_s;
}
