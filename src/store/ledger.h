/* ledger.h: how does an append-only log grow, and what is its root now?
 *
 * Appends entries to a tiled log (C2SP tlog-tiles): full tiles and bundles are put into their
 * resources as they fill, partial ones by ledger_flush, before a checkpoint is published. Signing
 * and publishing checkpoints is the caller's (fmt/checkpoint.h): first ledger_flush, then the
 * checkpoint's resource, so that what a checkpoint promises is there. One writer.
 */
#ifndef COMITY_STORE_LEDGER_H
#define COMITY_STORE_LEDGER_H

#include "base/merkle.h"
#include "store/resources.h"

struct ledger;

/* Go on behind SIZE entries, as the latest checkpoint has them; ROOT is its root (of size 0 it may
 * be NULL). RESOURCES is copied; what is behind it must outlive the ledger. Errors: ERR_BAD_STORE:
 * the tiles are not those of that root; the resources'. Owner: the caller. */
MUST_USE int ledger_open(const struct resources *resources, uint64_t size,
    const struct merkle_hash *root, struct ledger **out, struct err *err);
void ledger_free(struct ledger *ledger);

/* Append one ENTRY of at most TILE_ENTRY_MAX bytes; *INDEX (may be NULL) is its own. Errors:
 * ERR_LIMIT (longer, or the log is full): nothing happened; the resources': the ledger must be
 * opened again.
 */
MUST_USE int ledger_append(
    struct ledger *ledger, struct span entry, uint64_t *index, struct err *err);
/* Put the partial tiles and the partial bundle. Errors: the resources'. */
MUST_USE int ledger_flush(struct ledger *ledger, struct err *err);

uint64_t ledger_size(const struct ledger *ledger);
void ledger_root(const struct ledger *ledger, struct merkle_hash *out);

#endif
