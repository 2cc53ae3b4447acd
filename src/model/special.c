#include "model/special.h"

#include <stddef.h>

struct block4 {
    uint32_t first;
    uint8_t bits;
    const char *word;
};

struct block6 {
    uint64_t high;
    uint64_t low;
    uint8_t bits;
    const char *word;
};

/* https://www.iana.org/assignments/iana-ipv4-special-registry */
static const struct block4 blocks4[] = {
    {0x00000000, 8, "this-network"},
    {0x0a000000, 8, "private"},
    {0x64400000, 10, "shared"},
    {0x7f000000, 8, "loopback"},
    {0xa9fe0000, 16, "link-local"},
    {0xac100000, 12, "private"},
    {0xc0000000, 24, "protocol"},
    {0xc0000200, 24, "documentation"},
    {0xc0586300, 24, "6to4-relay"},
    {0xc0a80000, 16, "private"},
    {0xc6120000, 15, "benchmark"},
    {0xc6336400, 24, "documentation"},
    {0xcb007100, 24, "documentation"},
    {0xe0000000, 4, "multicast"},
    {0xf0000000, 4, "reserved"},
};

/* https://www.iana.org/assignments/iana-ipv6-special-registry */
static const struct block6 blocks6[] = {
    {0, 0, 128, "unspecified"},
    {0, 1, 128, "loopback"},
    {0x0064ff9b00010000, 0, 48, "translation"},
    {0x0100000000000000, 0, 64, "discard"},
    {0x20010db800000000, 0, 32, "documentation"},
    {0x2001000200000000, 0, 48, "benchmark"},
    {0x2001001000000000, 0, 28, "orchid"},
    {0x3fff000000000000, 0, 20, "documentation"},
    {0x5f00000000000000, 0, 16, "segment-routing"},
    {0xfc00000000000000, 0, 7, "private"},
    {0xfe80000000000000, 0, 10, "link-local"},
    {0xff00000000000000, 0, 8, "multicast"},
};

/* First octets of which some address is special: nearly none is. */
static const bool octets[256] = {[0] = true,
    [10] = true,
    [100] = true,
    [127] = true,
    [169] = true,
    [172] = true,
    [192] = true,
    [198] = true,
    [203] = true,
    [224 ... 255] = true};

static const char *
word4(uint32_t ip, unsigned bits)
{
    if (!octets[ip >> 24])
        return NULL;
    for (size_t i = 0; i < sizeof blocks4 / sizeof blocks4[0]; i++) {
        const struct block4 *block = &blocks4[i];
        if (bits >= block->bits && (ip ^ block->first) >> (32 - block->bits) == 0)
            return block->word;
    }
    return NULL;
}

const char *
special_word(const struct address *address)
{
    if (address->family == 4)
        return word4((uint32_t)address->low, address->bits);
    if (address->family != 6)
        return NULL;
    if (address->high == 0 && address->low >> 32 == 0xffff && address->bits >= 96)
        return word4((uint32_t)address->low, address->bits - 96u);
    for (size_t i = 0; i < sizeof blocks6 / sizeof blocks6[0]; i++) {
        const struct block6 *block = &blocks6[i];
        uint64_t rest = block->bits > 64 ? address->low ^ block->low : 0;
        unsigned shift = block->bits >= 64 ? 0 : 64u - block->bits;
        if (address->bits >= block->bits && (address->high ^ block->high) >> shift == 0
            && rest == 0)
            return block->word;
    }
    return NULL;
}
