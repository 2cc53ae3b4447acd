#include "store/ledger.h"

#include "store/tiles.h"

#include <stdlib.h>

/* The rightmost tile of a level; `width` of its hashes are there. */
struct edge {
    struct merkle_hash hashes[TILE_WIDTH];
    uint64_t number;
    uint16_t width;
    uint16_t put; /* width at which it was last put; 0: never */
};

struct ledger {
    struct resources resources;
    struct merkle_tree tree;
    struct edge edges[TILE_LEVELS];
    struct buf bundle;
};

uint64_t
ledger_size(const struct ledger *ledger)
{
    return ledger->tree.size;
}

void
ledger_root(const struct ledger *ledger, struct merkle_hash *out)
{
    merkle_root(&ledger->tree, out);
}

void
ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    buf_free(&ledger->bundle);
    free(ledger);
}

/* ---- going on ---- */

static int
read_edges(struct ledger *ledger, struct tiles *tiles, struct err *err)
{
    uint64_t size = ledger->tree.size;
    int rc = 0;

    for (unsigned level = 0; rc == 0 && level < TILE_LEVELS; level++) {
        struct edge *edge = &ledger->edges[level];
        uint64_t hashes = size >> (level * TILE_HEIGHT);
        edge->number = hashes / TILE_WIDTH;
        edge->width = (uint16_t)(hashes % TILE_WIDTH);
        edge->put = edge->width;
        for (unsigned i = 0; rc == 0 && i < edge->width; i++)
            rc = tiles_hash(
                tiles, level * TILE_HEIGHT, edge->number * TILE_WIDTH + i, &edge->hashes[i], err);
    }
    for (unsigned level = 0; rc == 0 && level < MERKLE_LEVELS; level++)
        if ((size >> level & 1) != 0)
            rc = tiles_hash(tiles, level, (size >> level) - 1, &ledger->tree.perfect[level], err);
    if (rc == 0 && size % TILE_WIDTH != 0)
        rc = tiles_bundle(tiles, size / TILE_WIDTH, &ledger->bundle, err);
    return rc;
}

static int
go_on(struct ledger *ledger, uint64_t size, const struct merkle_hash *root, struct err *err)
{
    struct merkle_hash now;
    struct tiles *tiles = tiles_new(&ledger->resources, size);

    if (tiles == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the tiles of a log");
    ledger->tree.size = size;
    int rc = read_edges(ledger, tiles, err);
    tiles_free(tiles);
    if (rc == ERR_NOT_FOUND)
        return err_set(err, ERR_BAD_STORE, "tiles of the log's %llu entries are not there",
            (unsigned long long)size);
    if (rc != 0)
        return rc;
    merkle_root(&ledger->tree, &now);
    return merkle_equal(&now, root)
        ? 0
        : err_set(err, ERR_BAD_STORE, "the log's tiles are not those of its checkpoint");
}

int
ledger_open(const struct resources *resources, uint64_t size, const struct merkle_hash *root,
    struct ledger **out, struct err *err)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    int rc = 0;

    *out = NULL;
    if (ledger == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a ledger");
    ledger->resources = *resources;
    ledger->bundle = buf_new(TILE_BUNDLE_MAX);
    if (size > MERKLE_SIZE_MAX)
        rc = err_set(err, ERR_LIMIT, "no log holds that many entries");
    else if (size > 0)
        rc = go_on(ledger, size, root, err);
    if (rc == 0)
        *out = ledger;
    else
        ledger_free(ledger);
    return rc;
}

/* ---- growing ---- */

static int
put_one(struct ledger *ledger, const struct tile *tile, struct span bytes, struct err *err)
{
    const struct resources *resources = &ledger->resources;
    char path[TILE_PATH_BYTES];

    (void)tile_path(tile, path);
    return resources->put(resources->ctx, path, bytes, err);
}

static int
drop(struct ledger *ledger, const struct tile *tile, struct err *err)
{
    const struct resources *resources = &ledger->resources;
    char path[TILE_PATH_BYTES];

    (void)tile_path(tile, path);
    return resources->drop_partial(resources->ctx, path, err);
}

/* A level's tile, and for the lowest one the bundle before it. */
static int
put_edge(struct ledger *ledger, unsigned level, struct err *err)
{
    struct edge *edge = &ledger->edges[level];
    struct tile bundle = {edge->number, edge->width, 0, true};
    struct tile tile = {edge->number, edge->width, (uint8_t)level, false};
    int rc = level > 0 ? 0 : put_one(ledger, &bundle, buf_span(&ledger->bundle), err);

    if (rc == 0)
        rc = put_one(ledger, &tile,
            (struct span){(const char *)edge->hashes, edge->width * sizeof edge->hashes[0]}, err);
    bool partial_is_there = edge->put > 0;
    edge->put = edge->width;
    if (rc != 0 || edge->width < TILE_WIDTH)
        return rc;
    if (partial_is_there && level == 0)
        rc = drop(ledger, &bundle, err);
    if (partial_is_there && rc == 0)
        rc = drop(ledger, &tile, err);
    *edge = (struct edge){.number = edge->number + 1};
    if (level == 0)
        ledger->bundle.n = 0;
    return rc;
}

int
ledger_append(struct ledger *ledger, struct span entry, uint64_t *index, struct err *err)
{
    struct merkle_hash made[MERKLE_LEVELS];
    struct merkle_hash leaf;

    if (entry.n > TILE_ENTRY_MAX || ledger->tree.size >= MERKLE_SIZE_MAX)
        return err_set(err, ERR_LIMIT, "an entry of more than %d bytes, or a log that is full",
            TILE_ENTRY_MAX);
    const char length[2] = {(char)(entry.n >> 8), (char)(entry.n & 0xff)};
    buf_add(&ledger->bundle, length, sizeof length);
    buf_add_span(&ledger->bundle, entry);
    if (ledger->bundle.full)
        return err_set(err, ERR_NO_MEMORY, "no memory for a bundle of entries");
    merkle_leaf(entry, &leaf);
    if (index != NULL)
        *index = ledger->tree.size;
    unsigned count = merkle_add(&ledger->tree, &leaf, made);
    int rc = 0;
    for (unsigned level = 0; rc == 0 && level * TILE_HEIGHT < count; level++) {
        struct edge *edge = &ledger->edges[level];
        edge->hashes[edge->width++] = made[level * TILE_HEIGHT];
        if (edge->width == TILE_WIDTH)
            rc = put_edge(ledger, level, err);
    }
    return rc;
}

int
ledger_flush(struct ledger *ledger, struct err *err)
{
    int rc = 0;

    for (unsigned level = 0; rc == 0 && level < TILE_LEVELS; level++)
        if (ledger->edges[level].width != ledger->edges[level].put)
            rc = put_edge(ledger, level, err);
    return rc;
}
