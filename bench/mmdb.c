#include "mmdb.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX, DATA = 1u << 31, SEPARATOR_BYTES = 16 };

struct tree {
    const struct mmdb_range *ranges[2];
    size_t counts[2];
    size_t at[2]; /* the ranges to look at next: the walk goes from low to high */
    uint32_t (*nodes)[2];
    size_t node_count;
    size_t node_size;
    unsigned char *data;
    size_t data_bytes;
    size_t data_size;
    uint64_t *pairs; /* hash table: pair + 1 -> where its map is */
    uint32_t *places;
    size_t pair_mask;
    bool failed;
};

static void *
grow(struct tree *tree, void *p, size_t *size, size_t need, size_t element)
{
    if (need <= *size)
        return p;
    size_t more = need * 2;
    void *moved = realloc(p, more * element);
    if (moved == NULL) {
        tree->failed = true;
        return p;
    }
    *size = more;
    return moved;
}

static void
put(struct tree *tree, const void *bytes, size_t n)
{
    tree->data = grow(tree, tree->data, &tree->data_size, tree->data_bytes + n, 1);
    if (tree->failed)
        return;
    memcpy(tree->data + tree->data_bytes, bytes, n);
    tree->data_bytes += n;
}

/* Control byte: type in the first three bits, size in the others; text is type 2, uint32 6, map 7.
 */
static void
put_text(struct tree *tree, const char *text)
{
    size_t n = strlen(text);

    put(tree, &(unsigned char){(unsigned char)(2 << 5 | n)}, 1);
    put(tree, text, n);
}

static void
put_uint(struct tree *tree, unsigned type, uint32_t value)
{
    unsigned char bytes[5];
    unsigned n = value == 0 ? 0 : 4 - (unsigned)__builtin_clz(value) / 8;

    bytes[0] = (unsigned char)(type << 5 | n);
    for (unsigned i = 0; i < n; i++)
        bytes[1 + i] = (unsigned char)(value >> 8 * (n - 1 - i));
    put(tree, bytes, n + 1);
}

static void
put_map(struct tree *tree, unsigned pairs)
{
    put(tree, &(unsigned char){(unsigned char)(7 << 5 | pairs)}, 1);
}

static uint32_t
data_of(struct tree *tree, uint32_t asn, uint32_t economy)
{
    uint64_t pair = ((uint64_t)economy << 32 | asn) + 1;
    size_t slot = (pair * 0x9e3779b97f4a7c15 >> 40) & tree->pair_mask;
    char country[3] = {(char)(economy >> 8), (char)economy, '\0'};

    for (; tree->pairs[slot] != 0; slot = (slot + 1) & tree->pair_mask)
        if (tree->pairs[slot] == pair)
            return DATA | tree->places[slot];
    tree->pairs[slot] = pair;
    tree->places[slot] = (uint32_t)tree->data_bytes;
    put_map(tree, 2);
    put_text(tree, "asn");
    put_uint(tree, 6, asn);
    put_text(tree, "country");
    put_text(tree, country);
    return DATA | tree->places[slot];
}

/* What one list says of FIRST to LAST: the value, 0 for nothing; false if it is not the same
 * throughout. */
static bool
same_throughout(struct tree *tree, int which, mmdb_key first, mmdb_key last, uint32_t *value)
{
    size_t *at = &tree->at[which];

    while (*at < tree->counts[which] && tree->ranges[which][*at].last < first)
        ++*at;
    const struct mmdb_range *range = &tree->ranges[which][*at];
    *value = 0;
    if (*at == tree->counts[which] || range->first > last)
        return true;
    *value = range->value;
    return range->first <= first && range->last >= last;
}

static uint32_t
make(struct tree *tree, mmdb_key first, unsigned depth)
{
    mmdb_key last = depth == 0 ? ~(mmdb_key)0 : first | (((mmdb_key)1 << (128 - depth)) - 1);
    uint32_t asn;
    uint32_t economy;
    bool one = same_throughout(tree, 0, first, last, &asn);

    if (same_throughout(tree, 1, first, last, &economy) && one && depth > 0)
        return asn == 0 && economy == 0 ? NONE : data_of(tree, asn, economy);
    size_t node = tree->node_count;
    tree->nodes = grow(tree, tree->nodes, &tree->node_size, node + 1, sizeof *tree->nodes);
    if (tree->failed)
        return NONE;
    tree->node_count++;
    uint32_t left = make(tree, first, depth + 1);
    uint32_t right = make(tree, first | (mmdb_key)1 << (127 - depth), depth + 1);
    /* Neighbours that say the same need no node. */
    if (left == right && depth > 0 && (left == NONE || (left & DATA) != 0)) {
        tree->node_count = node;
        return left;
    }
    tree->nodes[node][0] = left;
    tree->nodes[node][1] = right;
    return (uint32_t)node;
}

static uint32_t
record(const struct tree *tree, uint32_t value)
{
    uint32_t nodes = (uint32_t)tree->node_count;

    if (value == NONE)
        return nodes;
    return (value & DATA) != 0 ? nodes + SEPARATOR_BYTES + (value & ~(uint32_t)DATA) : value;
}

static void
put_metadata(struct tree *tree)
{
    put(tree, "\xab\xcd\xefMaxMind.com", 14);
    put_map(tree, 9);
    put_text(tree, "node_count");
    put_uint(tree, 6, (uint32_t)tree->node_count);
    put_text(tree, "record_size");
    put_uint(tree, 5, 24);
    put_text(tree, "ip_version");
    put_uint(tree, 5, 6);
    put_text(tree, "database_type");
    put_text(tree, "bench");
    put_text(tree, "binary_format_major_version");
    put_uint(tree, 5, 2);
    put_text(tree, "binary_format_minor_version");
    put_uint(tree, 5, 0);
    put_text(tree, "build_epoch");
    put(tree, "\x01\x02\x01", 3); /* uint64 (type 7 + 2), one byte: 1 */
    put_text(tree, "languages");
    put(tree, "\x00\x04", 2); /* array (type 7 + 4) of nothing */
    put_text(tree, "description");
    put_map(tree, 0);
}

static int
write_out(struct tree *tree, FILE *out)
{
    static const unsigned char separator[SEPARATOR_BYTES];
    unsigned char bytes[6];

    if (tree->node_count + SEPARATOR_BYTES + tree->data_bytes >= 1 << 24)
        return -1;
    size_t data_bytes = tree->data_bytes;
    for (size_t i = 0; i < tree->node_count; i++) {
        uint32_t l = record(tree, tree->nodes[i][0]);
        uint32_t r = record(tree, tree->nodes[i][1]);
        for (int k = 0; k < 3; k++) {
            bytes[k] = (unsigned char)(l >> (16 - 8 * k));
            bytes[3 + k] = (unsigned char)(r >> (16 - 8 * k));
        }
        (void)fwrite(bytes, 1, sizeof bytes, out);
    }
    (void)fwrite(separator, 1, sizeof separator, out);
    put_metadata(tree);
    if (tree->failed)
        return -1;
    (void)fwrite(tree->data, 1, tree->data_bytes, out);
    tree->data_bytes = data_bytes;
    return fflush(out) == 0 && ferror(out) == 0 ? 0 : -1;
}

int
mmdb_write(const struct mmdb_range *asns, size_t asn_count, const struct mmdb_range *economies,
    size_t economy_count, FILE *out)
{
    struct tree tree = {.ranges = {asns, economies}, .counts = {asn_count, economy_count}};
    size_t pairs = 1;
    int rc = -1;

    while (pairs < 2 * (asn_count + economy_count) + 16)
        pairs *= 2;
    tree.pair_mask = pairs - 1;
    tree.pairs = calloc(pairs, sizeof *tree.pairs);
    tree.places = calloc(pairs, sizeof *tree.places);
    if (tree.pairs != NULL && tree.places != NULL) {
        (void)make(&tree, 0, 0);
        if (!tree.failed)
            rc = write_out(&tree, out);
    }
    free(tree.pairs);
    free(tree.places);
    free(tree.nodes);
    free(tree.data);
    return rc;
}
