/* geo_pack.h: how do answers for the whole address space become a few small arrays?
 *
 * Takes each family's answers in ascending order and makes the sections of geo_layout.h.
 * Addresses are 128-bit numbers here, IPv4 in the first 32 bits, so that one routine
 * serves both.
 */
#ifndef COMITY_GEO_GEO_PACK_H
#define COMITY_GEO_GEO_PACK_H

#include "base/err.h"
#include "geo/geo_layout.h"

#include <stdbool.h>
#include <stddef.h>

__extension__ typedef unsigned __int128 geo_key;

/* From START to the next run's start everything has ANSWER. The first run starts at 0. */
struct geo_run {
    geo_key start;
    uint64_t answer;
};

struct geo_pack {
    struct geo_top *top;
    struct geo_node *nodes;
    size_t node_count;
    size_t node_size;
    uint64_t *entries;
    size_t entry_count;
    size_t entry_size;
    struct geo_line *lines;
    size_t line_count;
    size_t line_size;
    bool failed; /* no memory, or larger than the layout can say */
};

/* IPv4 must come first: its nodes stand at the front. */
MUST_USE int geo_pack_ip4(
    struct geo_pack *pack, const struct geo_run *runs, size_t count, struct err *err);
MUST_USE int geo_pack_ip6(
    struct geo_pack *pack, const struct geo_run *runs, size_t count, struct err *err);
void geo_pack_clear(struct geo_pack *pack);

#endif
