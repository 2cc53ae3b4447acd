#include "base/wire.h"

void
wire_put(char *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (char)(value >> (8 * i) & 0xff);
}

static void
add_little(struct buf *out, uint64_t value, size_t bytes)
{
    char little[sizeof value];

    wire_put(little, value, bytes);
    buf_add(out, little, bytes);
}

void
wire_add_u8(struct buf *out, uint8_t value)
{
    buf_add_char(out, (char)value);
}

void
wire_add_u16(struct buf *out, uint16_t value)
{
    add_little(out, value, sizeof value);
}

void
wire_add_u32(struct buf *out, uint32_t value)
{
    add_little(out, value, sizeof value);
}

void
wire_add_u64(struct buf *out, uint64_t value)
{
    add_little(out, value, sizeof value);
}

void
wire_add_i64(struct buf *out, int64_t value)
{
    add_little(out, (uint64_t)value, sizeof value);
}

void
wire_add_text(struct buf *out, struct span text)
{
    if (text.n > UINT32_MAX) {
        out->full = true;
        return;
    }
    wire_add_u32(out, (uint32_t)text.n);
    buf_add_span(out, text);
}

struct span
wire_bytes(struct wire_in *in, size_t n)
{
    struct span bytes = {in->p, n};

    if (in->bad || n > in->n) {
        in->bad = true;
        return (struct span){"", 0};
    }
    in->n -= n;
    if (n > 0)
        in->p += n;
    return bytes;
}

static uint64_t
little(struct wire_in *in, size_t bytes)
{
    struct span at = wire_bytes(in, bytes);
    uint64_t value = 0;

    for (size_t i = 0; i < at.n; i++)
        value |= (uint64_t)(unsigned char)at.p[i] << (8 * i);
    return value;
}

uint8_t
wire_u8(struct wire_in *in)
{
    return (uint8_t)little(in, sizeof(uint8_t));
}

uint16_t
wire_u16(struct wire_in *in)
{
    return (uint16_t)little(in, sizeof(uint16_t));
}

uint32_t
wire_u32(struct wire_in *in)
{
    return (uint32_t)little(in, sizeof(uint32_t));
}

uint64_t
wire_u64(struct wire_in *in)
{
    return little(in, sizeof(uint64_t));
}

int64_t
wire_i64(struct wire_in *in)
{
    return (int64_t)little(in, sizeof(int64_t));
}

struct span
wire_text(struct wire_in *in)
{
    return wire_bytes(in, wire_u32(in));
}

int
wire_end(const struct wire_in *in, const char *what, struct err *err)
{
    if (in->bad)
        return err_set(err, ERR_INTERNAL, "%s is cut short: a role sent what it must not", what);
    if (in->n > 0)
        return err_set(err, ERR_INTERNAL, "%s has %zu bytes too many: a role sent what it must not",
            what, in->n);
    return 0;
}
