#include "store/filter.h"

#include <string.h>

/* A filter: this version byte, then the bits. */
enum { VERSION = 1, HEAD = 1, BITS_A_KEY = 13, PROBES = 6, MAX_KEYS = 1 << 24 };

size_t
filter_bytes(size_t count)
{
    return HEAD + (count * BITS_A_KEY + 7) / 8 + 1;
}

/* Two halves of a mixed key; probe i is first + i * step. */
struct probes {
    uint32_t at;
    uint32_t step;
};

static struct probes
probes_of(uint64_t key)
{
    key *= 0x9e3779b97f4a7c15u;
    key ^= key >> 32;
    return (struct probes){(uint32_t)key, (uint32_t)(key * 0xd6e8feb86659fd93u >> 32) | 1};
}

static uint32_t
place(uint32_t at, uint32_t bits)
{
    return (uint32_t)((uint64_t)at * bits >> 32);
}

/* How many distinct keys there are, by a table of twice the size (0 stands for an empty slot). */
static size_t
distinct(uint64_t *table, size_t mask, const uint64_t *keys, size_t count)
{
    size_t found = 0;
    bool zero = false;

    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)(keys[i] * 0x9e3779b97f4a7c15u >> 32) & mask;
        if (keys[i] == 0) {
            zero = true;
            continue;
        }
        while (table[at] != 0 && table[at] != keys[i])
            at = (at + 1) & mask;
        found += table[at] == 0;
        table[at] = keys[i];
    }
    return found + zero;
}

static void
fill(unsigned char *bitmap, uint32_t bits, const uint64_t *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct probes probe = probes_of(keys[i]);
        for (int p = 0; p < PROBES; p++, probe.at += probe.step) {
            uint32_t at = place(probe.at, bits);
            bitmap[at >> 3] = (unsigned char)(bitmap[at >> 3] | 1u << (at & 7));
        }
    }
}

int
filter_make(struct buf *work, const uint64_t *keys, size_t count, struct span *out, struct err *err)
{
    size_t slots = 16;

    if (count > MAX_KEYS)
        return err_set(err, ERR_LIMIT, "%zu keys for one filter; at most %d", count, MAX_KEYS);
    while (slots < count + count / 2)
        slots *= 2;
    size_t room = slots * sizeof(uint64_t);
    work->n = 0;
    work->full = false;
    char *p = buf_reserve(work, room + filter_bytes(count));
    if (p == NULL)
        return buf_check(work, "a filter", err);
    memset(p, 0, room);
    size_t bytes = filter_bytes(distinct((uint64_t *)(void *)p, slots - 1, keys, count));
    unsigned char *filter = (unsigned char *)p + room;
    memset(filter, 0, bytes);
    filter[0] = VERSION;
    fill(filter + HEAD, (uint32_t)(bytes - HEAD) * 8, keys, count);
    *out = (struct span){(const char *)filter, bytes};
    return 0;
}

bool
filter_whole(struct span filter)
{
    return filter.n > HEAD && filter.p[0] == VERSION;
}

bool
filter_may_hold(struct span filter, uint64_t key)
{
    if (!filter_whole(filter))
        return true;
    const unsigned char *bitmap = (const unsigned char *)filter.p + HEAD;
    uint32_t bits = (uint32_t)(filter.n - HEAD) * 8;
    struct probes probe = probes_of(key);
    for (int p = 0; p < PROBES; p++, probe.at += probe.step) {
        uint32_t at = place(probe.at, bits);
        if ((bitmap[at >> 3] >> (at & 7) & 1) == 0)
            return false;
    }
    return true;
}
