#include "core/id.h"

#include <sodium.h>

enum { HALF_BITS = 24, ROUNDS = 8, HALF_MASK = (1 << HALF_BITS) - 1 };

_Static_assert(ID_KEY_BYTES == crypto_shorthash_KEYBYTES, "SipHash's key");

/* The round function: 24 bits of SipHash-2-4 over round and half. */
static uint32_t
mix(const struct id_key *key, uint32_t round, uint32_t half)
{
    unsigned char in[4] = {(unsigned char)round, (unsigned char)(half >> 16),
        (unsigned char)(half >> 8), (unsigned char)half};
    unsigned char out[crypto_shorthash_BYTES];

    (void)crypto_shorthash(out, in, sizeof in, key->bytes);
    return (uint32_t)out[0] << 16 | (uint32_t)out[1] << 8 | out[2];
}

/* A Feistel network over 48 bits: a permutation whatever the round function is. */
static uint64_t
hide(const struct id_key *key, uint64_t number)
{
    uint32_t left = (uint32_t)(number >> HALF_BITS) & HALF_MASK;
    uint32_t right = (uint32_t)number & HALF_MASK;

    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t next = left ^ mix(key, round, right);
        left = right;
        right = next;
    }
    return (uint64_t)left << HALF_BITS | right;
}

static uint64_t
reveal(const struct id_key *key, uint64_t hidden)
{
    uint32_t left = (uint32_t)(hidden >> HALF_BITS) & HALF_MASK;
    uint32_t right = (uint32_t)hidden & HALF_MASK;

    for (uint32_t round = ROUNDS; round-- > 0;) {
        uint32_t before = right ^ mix(key, round, left);
        right = left;
        left = before;
    }
    return (uint64_t)left << HALF_BITS | right;
}

struct id_batch
id_batch(const struct id_key *key, uint64_t number, uint64_t tag)
{
    return (struct id_batch){hide(key, number), tag & ID_TAG_MASK};
}

static char *
add_hex(char *at, uint64_t value, unsigned digits)
{
    while (digits-- > 0)
        *at++ = "0123456789abcdef"[value >> 4 * digits & 15];
    return at;
}

size_t
id_text(const struct id_batch *batch, uint32_t place, char out[ID_TEXT_BYTES])
{
    uint64_t low = (uint64_t)2 << 62 | batch->tag;
    char *at = add_hex(out, batch->hidden >> 16, 8);

    *at++ = '-';
    at = add_hex(at, batch->hidden & 0xffff, 4);
    *at++ = '-';
    at = add_hex(at, 0x8000 | (place & (ID_PLACES - 1)), 4);
    *at++ = '-';
    at = add_hex(at, low >> 48, 4);
    *at++ = '-';
    at = add_hex(at, low, 12);
    *at = '\0';
    return (size_t)(at - out);
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
read_uuid(struct span text, uint64_t half[2])
{
    unsigned digits = 0;

    half[0] = half[1] = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        int value = dash ? 0 : hex_value(text.p[i]);
        if (value < 0 || (dash && text.p[i] != '-'))
            return false;
        if (dash)
            continue;
        half[digits / 16] = half[digits / 16] << 4 | (uint64_t)value;
        digits++;
    }
    return true;
}

/* Of a node: version 8, or 4 as STIX has it. */
static bool
is_nodes(const uint64_t half[2])
{
    unsigned version = (unsigned)(half[0] >> 12 & 15);

    return (version == 8 || version == 4) && half[1] >> 62 == 2;
}

bool
id_plain(struct span text, char out[ID_TEXT_BYTES])
{
    uint64_t half[2];

    if (text.n != ID_TEXT_BYTES - 1 || !read_uuid(text, half) || !is_nodes(half))
        return false;
    const struct id_batch batch = {half[0] >> 16, half[1] & ID_TAG_MASK};
    (void)id_text(&batch, (uint32_t)(half[0] & (ID_PLACES - 1)), out);
    return true;
}

int
id_read(const struct id_key *key, struct span text, struct id_place *out, struct err *err)
{
    uint64_t half[2];

    if (text.n != ID_TEXT_BYTES - 1 || !read_uuid(text, half))
        return err_set_field(err, ERR_BAD_NAME, "id", 2,
            "\"%.*s\" is no UUID; a report's id looks like 0192b3c4-d5e6-8f70-8123-456789abcdef",
            SPAN_ARGS(text));
    if (!is_nodes(half))
        return err_set_field(err, ERR_NOT_FOUND, "id", 2,
            "%.*s is no id of this node: theirs are UUIDs of version 8", SPAN_ARGS(text));
    out->batch = reveal(key, half[0] >> 16);
    out->place = (uint32_t)(half[0] & (ID_PLACES - 1));
    out->tag = half[1] & ID_TAG_MASK;
    return 0;
}
