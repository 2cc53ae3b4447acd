#include "store/tiles.h"

#include <stdlib.h>

/* A tile and all that follows from it: node 1 is its root, 2i and 2i + 1 are i's children, the
 * tile's own hashes are nodes TILE_WIDTH and up. */
struct kept {
    struct merkle_hash nodes[2 * TILE_WIDTH];
    struct tile tile;
    uint64_t used; /* when, in calls; 0: free */
};

struct tiles {
    struct resources resources;
    uint64_t size;
    uint64_t calls;
    struct buf bytes;
    struct kept kept[TILES_KEPT];
};

struct tiles *
tiles_new(const struct resources *resources, uint64_t size)
{
    struct tiles *tiles = calloc(1, sizeof *tiles);

    if (tiles == NULL)
        return NULL;
    tiles->resources = *resources;
    tiles->size = size;
    tiles->bytes = buf_new(RESOURCES_BYTES_MAX);
    return tiles;
}

void
tiles_free(struct tiles *tiles)
{
    if (tiles == NULL)
        return;
    buf_free(&tiles->bytes);
    free(tiles);
}

uint64_t
tiles_size(const struct tiles *tiles)
{
    return tiles->size;
}

/* ---- resources ---- */

/* The tile, or the full one if the partial was dropped meanwhile. */
static int
fetch(struct tiles *tiles, const struct tile *tile, struct buf *out, struct err *err)
{
    const struct resources *resources = &tiles->resources;
    struct tile full = *tile;
    char path[TILE_PATH_BYTES];

    (void)tile_path(tile, path);
    int rc = resources->get(resources->ctx, path, out, err);
    if (rc != ERR_NOT_FOUND || tile->width == TILE_WIDTH)
        return rc;
    full.width = TILE_WIDTH;
    (void)tile_path(&full, path);
    return resources->get(resources->ctx, path, out, NULL) == 0 ? 0 : rc;
}

static int
bad(const struct tile *tile, struct err *err)
{
    char path[TILE_PATH_BYTES];

    (void)tile_path(tile, path);
    return err_set(err, ERR_BAD_STORE, "%s has not the length that it must have", path);
}

static int
load(struct tiles *tiles, const struct tile *tile, struct kept *kept, struct err *err)
{
    struct merkle_hash *nodes = kept->nodes;

    kept->used = 0;
    tiles->bytes.n = 0;
    int rc = fetch(tiles, tile, &tiles->bytes, err);
    if (rc != 0)
        return rc;
    size_t width = tiles->bytes.n / sizeof *nodes;
    if (tiles->bytes.n % sizeof *nodes != 0 || (width != tile->width && width != TILE_WIDTH))
        return bad(tile, err);
    memcpy(&nodes[TILE_WIDTH], tiles->bytes.p, tile->width * sizeof *nodes);
    for (size_t width_here = tile->width / 2, first = TILE_WIDTH / 2; first > 0;
         first /= 2, width_here /= 2)
        for (size_t i = first; i < first + width_here; i++)
            merkle_node(&nodes[2 * i], &nodes[2 * i + 1], &nodes[i]);
    kept->tile = *tile;
    return 0;
}

static int
find(struct tiles *tiles, const struct tile *tile, struct kept **out, struct err *err)
{
    struct kept *oldest = &tiles->kept[0];

    for (size_t i = 0; i < TILES_KEPT; i++) {
        struct kept *kept = &tiles->kept[i];
        if (kept->used > 0 && kept->tile.level == tile->level
            && kept->tile.number == tile->number) {
            kept->used = ++tiles->calls;
            *out = kept;
            return 0;
        }
        if (kept->used < oldest->used)
            oldest = kept;
    }
    int rc = load(tiles, tile, oldest, err);
    if (rc == 0)
        oldest->used = ++tiles->calls;
    *out = oldest;
    return rc;
}

int
tiles_hash(void *ctx, unsigned level, uint64_t index, struct merkle_hash *out, struct err *err)
{
    struct tiles *tiles = ctx;
    unsigned height = level % TILE_HEIGHT;
    unsigned tile_level = level / TILE_HEIGHT;
    uint64_t number = index >> (TILE_HEIGHT - height);
    struct kept *kept;

    if (tile_level >= TILE_LEVELS || index >= tiles->size >> level)
        return err_set(err, ERR_BAD_VALUE, "the log has no such subtree");
    struct tile tile = {
        number, tile_width(tiles->size, tile_level, number), (uint8_t)tile_level, false};
    int rc = find(tiles, &tile, &kept, err);
    if (rc == 0)
        *out = kept->nodes[((size_t)TILE_WIDTH >> height)
            + (size_t)(index & (((uint64_t)TILE_WIDTH >> height) - 1))];
    return rc;
}

struct merkle_source
tiles_source(struct tiles *tiles)
{
    return (struct merkle_source){tiles_hash, tiles};
}

/* ---- entries ---- */

int
tiles_bundle(struct tiles *tiles, uint64_t number, struct buf *out, struct err *err)
{
    struct tile tile = {number, tile_width(tiles->size, 0, number), 0, true};
    struct span entry;

    if (tile.width == 0)
        return err_set(err, ERR_BAD_VALUE, "the log has no such entries");
    tiles->bytes.n = 0;
    int rc = fetch(tiles, &tile, &tiles->bytes, err);
    if (rc != 0)
        return rc;
    struct span rest = buf_span(&tiles->bytes);
    for (unsigned i = 0; i < tile.width; i++)
        if (!tile_entry(&rest, &entry))
            return bad(&tile, err);
    size_t n = tiles->bytes.n - rest.n;
    for (unsigned i = tile.width; rest.n > 0 && i < TILE_WIDTH; i++)
        if (!tile_entry(&rest, &entry))
            break;
    if (rest.n > 0)
        return bad(&tile, err);
    buf_add(out, tiles->bytes.p, n);
    return buf_check(out, "a bundle of entries", err);
}

int
tiles_entry(struct tiles *tiles, uint64_t index, struct buf *out, struct err *err)
{
    struct buf bundle = buf_new(TILE_BUNDLE_MAX);
    struct span entry = {NULL, 0};

    if (index >= tiles->size)
        return err_set(err, ERR_BAD_VALUE, "there is no entry %llu in a log of %llu",
            (unsigned long long)index, (unsigned long long)tiles->size);
    int rc = tiles_bundle(tiles, index / TILE_WIDTH, &bundle, err);
    struct span rest = buf_span(&bundle);
    for (uint64_t i = 0; rc == 0 && i <= index % TILE_WIDTH; i++)
        if (!tile_entry(&rest, &entry))
            rc = err_set(err, ERR_BAD_STORE, "a bundle of the log is cut short");
    if (rc == 0)
        buf_add_span(out, entry);
    buf_free(&bundle);
    return rc != 0 ? rc : buf_check(out, "an entry", err);
}
