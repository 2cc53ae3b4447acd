#include "flow/lpm.h"

#include <string.h>

typedef unsigned __int128 key_type; /* an address, its first bit uppermost */

enum { BLOCK_BITS = 16, BLOCKS = 1 << BLOCK_BITS, NESTED_MAX = 129 };

struct lpm {
    key_type *starts; /* of the ranges, ascending, the first is 0 */
    uint32_t *values; /* of the ranges; 0: no prefix covers it */
    size_t count;
    uint32_t blocks[BLOCKS + 1]; /* the range in which each block of addresses begins */
};

static key_type
key_of(const struct address *address)
{
    if (address->family == 4)
        return (key_type)(uint32_t)address->low << 96;
    return (key_type)address->high << 64 | address->low;
}

static key_type
last_of(const struct address *prefix)
{
    if (prefix->bits == 0)
        return ~(key_type)0;
    return key_of(prefix) | (prefix->bits >= 128 ? 0 : ~(key_type)0 >> prefix->bits);
}

int
lpm_compare(const struct address *a, const struct address *b)
{
    key_type x = key_of(a);
    key_type y = key_of(b);

    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    if (x != y)
        return x < y ? -1 : 1;
    return (a->bits > b->bits) - (a->bits < b->bits);
}

static void
emit(struct lpm *lpm, key_type start, uint32_t value)
{
    if (lpm->starts[lpm->count - 1] != start) {
        lpm->starts[lpm->count] = start;
        lpm->count++;
    }
    lpm->values[lpm->count - 1] = value;
}

struct open_prefix {
    key_type last;
    uint32_t value;
};

/* End the innermost prefix: behind it the one around it goes on. */
static void
end_prefix(struct lpm *lpm, const struct open_prefix *open, size_t depth)
{
    key_type last = open[depth - 1].last;

    if (last != ~(key_type)0)
        emit(lpm, last + 1, depth > 1 ? open[depth - 2].value : 0);
}

static void
flatten(struct lpm *lpm, const struct lpm_entry *entries, size_t count, uint8_t family)
{
    struct open_prefix open[NESTED_MAX];
    size_t depth = 0;

    lpm->count = 1;
    for (size_t i = 0; i < count; i++) {
        key_type start = key_of(&entries[i].prefix);
        if (entries[i].prefix.family != family)
            continue;
        while (depth > 0 && open[depth - 1].last < start)
            end_prefix(lpm, open, depth--);
        open[depth++] = (struct open_prefix){last_of(&entries[i].prefix), entries[i].value};
        emit(lpm, start, entries[i].value);
    }
    while (depth > 0)
        end_prefix(lpm, open, depth--);
}

static void
index_blocks(struct lpm *lpm)
{
    size_t at = 0;

    for (size_t block = 0; block < BLOCKS; block++) {
        while (at + 1 < lpm->count && lpm->starts[at + 1] <= (key_type)block << (128 - BLOCK_BITS))
            at++;
        lpm->blocks[block] = (uint32_t)at;
    }
    lpm->blocks[BLOCKS] = (uint32_t)(lpm->count - 1);
}

int
lpm_build(struct arena *arena, const struct lpm_entry *entries, size_t count, uint8_t family,
    struct lpm **out, struct err *err)
{
    size_t ours = 0;
    struct lpm *lpm;

    *out = NULL;
    for (size_t i = 0; i < count; i++)
        ours += entries[i].prefix.family == family;
    if (ours == 0)
        return 0;
    lpm = arena_zalloc(arena, 1, sizeof *lpm);
    if (lpm == NULL)
        return arena_full(err, "indexing prefixes");
    lpm->starts = arena_zalloc(arena, 2 * ours + 1, sizeof *lpm->starts);
    lpm->values = arena_zalloc(arena, 2 * ours + 1, sizeof *lpm->values);
    if (lpm->starts == NULL || lpm->values == NULL)
        return arena_full(err, "indexing prefixes");
    flatten(lpm, entries, count, family);
    index_blocks(lpm);
    *out = lpm;
    return 0;
}

uint32_t
lpm_find(const struct lpm *lpm, const struct address *address)
{
    key_type key;
    size_t low;
    size_t high;

    if (lpm == NULL)
        return 0;
    key = key_of(address);
    low = lpm->blocks[(size_t)(key >> (128 - BLOCK_BITS))];
    high = lpm->blocks[(size_t)(key >> (128 - BLOCK_BITS)) + 1];
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (lpm->starts[middle] <= key)
            low = middle;
        else
            high = middle - 1;
    }
    return lpm->values[low];
}
