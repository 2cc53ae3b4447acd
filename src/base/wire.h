/* wire.h: how do roles write numbers and texts for each other, and read them without trust?
 *
 * Little-endian, no padding; a text is its length (u32) and its bytes. Reading never goes beyond
 * the end: it gives zeros and sets `bad`, to be asked for once, when all is read.
 */
#ifndef COMITY_BASE_WIRE_H
#define COMITY_BASE_WIRE_H

#include "base/str.h"

struct wire_in {
    const char *p;
    size_t n;
    bool bad; /* something was to be read that is not there */
};

static inline struct wire_in
wire_in(struct span bytes)
{
    return (struct wire_in){bytes.p, bytes.n, false};
}

/* The lowest BYTES of VALUE to where TO is. */
void wire_put(char *to, uint64_t value, size_t bytes);
void wire_add_u8(struct buf *out, uint8_t value);
void wire_add_u16(struct buf *out, uint16_t value);
void wire_add_u32(struct buf *out, uint32_t value);
void wire_add_u64(struct buf *out, uint64_t value);
void wire_add_i64(struct buf *out, int64_t value);
void wire_add_text(struct buf *out, struct span text);

uint8_t wire_u8(struct wire_in *in);
uint16_t wire_u16(struct wire_in *in);
uint32_t wire_u32(struct wire_in *in);
uint64_t wire_u64(struct wire_in *in);
int64_t wire_i64(struct wire_in *in);
/* Borrows from what is read. */
struct span wire_text(struct wire_in *in);
/* N bytes as they are; an empty span if they are not there. */
struct span wire_bytes(struct wire_in *in, size_t n);

/* 0 when everything was there and nothing is left; ERR_INTERNAL names WHAT otherwise: only a
 * broken role sends such a message. */
MUST_USE int wire_end(const struct wire_in *in, const char *what, struct err *err);

#endif
