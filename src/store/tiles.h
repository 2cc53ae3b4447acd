/* tiles.h: what do a log's tiles say: hashes, entries, roots, proofs?
 *
 * Reads the resources of a tiled log (C2SP tlog-tiles) as they were at one size. Some tiles are
 * kept in memory, so that many proofs of one log do not read and hash them each time. What is read
 * is believed: who does not trust the resources checks roots against a checkpoint
 * (flow/ledger_audit.h).
 */
#ifndef COMITY_STORE_TILES_H
#define COMITY_STORE_TILES_H

#include "base/merkle.h"
#include "store/resources.h"

enum { TILES_KEPT = 16 }; /* at 16 KiB each */

struct tiles;

/* NULL: no memory. RESOURCES is copied; what is behind it must outlive the tiles. */
struct tiles *tiles_new(const struct resources *resources, uint64_t size);
void tiles_free(struct tiles *tiles);
uint64_t tiles_size(const struct tiles *tiles);

/* All functions: ERR_NOT_FOUND: a tile is not there; ERR_BAD_STORE: it has not the length it must
 * have; the resources'. */

/* A merkle_source's function, CTX a struct tiles. ERR_BAD_VALUE: beyond the size. */
MUST_USE int tiles_hash(
    void *ctx, unsigned level, uint64_t index, struct merkle_hash *out, struct err *err);
struct merkle_source tiles_source(struct tiles *tiles);
/* Bundle NUMBER's bytes at this size, appended to OUT. */
MUST_USE int tiles_bundle(struct tiles *tiles, uint64_t number, struct buf *out, struct err *err);
/* One entry, appended to OUT. ERR_BAD_VALUE: beyond the size. */
MUST_USE int tiles_entry(struct tiles *tiles, uint64_t index, struct buf *out, struct err *err);

#endif
