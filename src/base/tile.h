/* tile.h: under which path stands this part of a log?
 *
 * The static resources of a tiled log (C2SP tlog-tiles): tiles of 256 hashes, bundles of 256
 * entries, and partial ones of fewer. A path is that behind the log's prefix, without a slash
 * before it.
 */
#ifndef COMITY_BASE_TILE_H
#define COMITY_BASE_TILE_H

#include "base/str.h"

enum {
    TILE_HEIGHT = 8,
    TILE_WIDTH = 1 << TILE_HEIGHT,
    TILE_LEVELS = 8, /* what a log of fewer than 2^63 entries has */
    TILE_PATH_BYTES = 64,
    TILE_ENTRY_MAX = 65535,                              /* bytes of an entry */
    TILE_BUNDLE_MAX = TILE_WIDTH * (2 + TILE_ENTRY_MAX), /* bytes of a bundle */
};

struct tile {
    uint64_t number;
    uint16_t width; /* 1 to TILE_WIDTH, which is a full one */
    uint8_t level;  /* 0 for bundles */
    bool entries;   /* a bundle of entries */
};

/* Returns the length. OUT has TILE_PATH_BYTES. */
size_t tile_path(const struct tile *tile, char *out);
/* Only what tile_path writes, to the byte. */
bool tile_parse(struct span path, struct tile *out);
/* How wide is tile NUMBER of LEVEL in a log of SIZE? 0: not there. */
uint16_t tile_width(uint64_t size, unsigned level, uint64_t number);

/* The next entry of a bundle, taken off REST. False at the end, or where the bundle is cut short:
 * then REST is not empty. */
bool tile_entry(struct span *rest, struct span *entry);

#endif
