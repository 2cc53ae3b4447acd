/* resources.h: which bytes stand under this path of a log?
 *
 * The static resources of a log (base/tile.h, "checkpoint" and "cosigned"), wherever they are kept:
 * a folder of files, memory, or the node's store, each behind this interface. Paths are those of
 * tile_path.
 */
#ifndef COMITY_STORE_RESOURCES_H
#define COMITY_STORE_RESOURCES_H

#include "base/str.h"
#include "base/tile.h"

enum { RESOURCES_BYTES_MAX = TILE_BUNDLE_MAX };
#define RESOURCES_CHECKPOINT "checkpoint"
#define RESOURCES_COSIGNED                                                                         \
    "cosigned" /* the newest checkpoint that has cosignatures; may be none                         \
                */

struct resources {
    /* Appends to OUT. ERR_NOT_FOUND; ERR_IO; ERR_LIMIT: larger than RESOURCES_BYTES_MAX. */
    int (*get)(void *ctx, const char *path, struct buf *out, struct err *err);
    /* In place of what was there. ERR_IO. */
    int (*put)(void *ctx, const char *path, struct span bytes, struct err *err);
    /* PATH is full: those below PATH.p/ are not needed any more. */
    int (*drop_partial)(void *ctx, const char *path, struct err *err);
    void *ctx;
};

/* A folder. Files are written whole and durable, one by one. */
struct resources_folder;
/* ERR_NOT_FOUND, ERR_IO. Owner: the caller. */
MUST_USE int resources_folder_open(
    const char *path, struct resources_folder **out, struct err *err);
void resources_folder_close(struct resources_folder *folder);
struct resources resources_folder_view(struct resources_folder *folder);

/* The store's, in the open transaction (store/store.h): nothing is there for others before its
 * commit. Entries and hashes are kept once, whatever tiles and bundles they were put in, so that
 * any partial one is there as long as the log. One writer: no put may follow a rolled back one
 * without ledger_open. */
struct store;
struct resources resources_store_view(struct store *store);

/* Memory, of at most MAX_BYTES. NULL: no memory. */
struct resources_memory;
struct resources_memory *resources_memory_new(size_t max_bytes);
void resources_memory_free(struct resources_memory *memory);
struct resources resources_memory_view(struct resources_memory *memory);

#endif
