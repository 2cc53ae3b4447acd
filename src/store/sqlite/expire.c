/* expire.c: what is kept no longer? */
#include "store/sqlite/collection.h"
#include "store/sqlite/piece.h"

static int
take_number(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    uint64_t *number = list_add(list);

    if (number == NULL)
        return arena_full(err, "what is old is looked for");
    *number = (uint64_t)sqlite3_column_int64(row, 0);
    return 0;
}

static int
remove_batch(struct store *store, uint64_t number, int64_t now_us, struct err *err)
{
    static const enum statement tables[] = {S_BATCH_REMOVE, S_BATCH_BODY_REMOVE,
        S_BATCH_FILTER_REMOVE, S_BATCH_DIGEST_REMOVE, S_FEEDBACK_OLD, S_UNSENT_OLD};
    int rc = held_lapse(store, number, now_us, err);

    for (size_t i = 0; rc == 0 && i < sizeof tables / sizeof tables[0]; i++)
        rc = RUN(store, tables[i], err, INT(number));
    return rc == 0 ? RUN(store, S_DELIVERY_REFUSED, err, INT(number)) : rc;
}

struct expiry {
    struct store *store;
    struct arena *arena;
    int64_t now_us;
    uint32_t max;
    uint32_t removed;
};

/* By OLD, with an instant and a number: what the operator's rule or its own term says. */
static int
expire_batches(struct expiry *e, enum statement old, int64_t at_us, struct err *err)
{
    struct list list = {.arena = e->arena, .size = sizeof(uint64_t)};
    int rc = EACH(e->store, old, take_number, &list, err, INT(at_us), INT(e->max - e->removed));

    for (size_t i = 0; rc == 0 && i < list.count; i++)
        rc =
            remove_batch(e->store, ((const uint64_t *)(const void *)list.items)[i], e->now_us, err);
    e->removed += (uint32_t)list.count;
    return rc;
}

/* ---- pieces ---- */

struct old_piece {
    uint64_t number;
    int64_t last_us;
    uint32_t objects;
    uint32_t reports;
    bool indexed;
};

static int
take_piece(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct old_piece *piece = list_add(list);

    if (piece == NULL)
        return arena_full(err, "what is old is looked for");
    piece->number = (uint64_t)sqlite3_column_int64(row, 0);
    piece->last_us = sqlite3_column_int64(row, 1);
    piece->objects = (uint32_t)sqlite3_column_int64(row, 2);
    piece->reports = (uint32_t)sqlite3_column_int64(row, 3);
    piece->indexed = sqlite3_column_int64(row, 4) != 0;
    return 0;
}

struct old_collection {
    uint32_t number;
    int64_t counted_us;
};

/* The directory is what the node knows of others, not what it was told of incidents. */
static int
take_collection(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;

    if (sqlite3_column_int64(row, COLLECTION_COLUMN_KIND) == COLLECTION_DIRECTORY)
        return 0;
    struct old_collection *collection = list_add(list);
    if (collection == NULL)
        return arena_full(err, "what is old is looked for");
    collection->number = (uint32_t)sqlite3_column_int64(row, COLLECTION_COLUMN_NUMBER);
    collection->counted_us = sqlite3_column_int64(row, COLLECTION_COLUMN_COUNTED);
    return 0;
}

/* Where no versions are kept, nothing else knows of its objects. */
static int
remove_released(struct expiry *e, uint32_t collection, const struct old_piece *old, struct err *err)
{
    /* Who may still have a copy shall not be able to guess what was in it. */
    int rc = RUN(e->store, S_DELIVERY_OLD, err, INT(collection), INT(old->last_us));

    if (rc == 0)
        rc = RUN(e->store, S_SUPERSEDED_OLD, err, INT(collection), INT(old->last_us));
    if (rc == 0)
        rc = RUN(e->store, S_PIECE_REMOVE, err, INT(collection), INT(old->last_us));
    if (rc == 0)
        rc = RUN(e->store, S_PIECE_BODY_REMOVE, err, INT(old->number));
    if (rc == 0)
        rc = RUN(e->store, S_COLLECTION_SHRANK, err, INT(old->objects), INT(collection));
    return rc;
}

static int
remove_piece(struct expiry *e, const struct old_collection *collection, const struct old_piece *old,
    struct err *err)
{
    int rc = 0;

    if (old->reports > 0 && old->last_us > collection->counted_us) {
        rc = RUN(e->store, S_COLLECTION_FAIL, err, INT(old->reports), INT(collection->number));
        if (rc == 0)
            rc = RUN(e->store, S_RECEIPT_FAIL, err, INT(old->reports), INT(collection->number),
                INT(old->last_us));
    }
    if (rc != 0)
        return rc;
    return old->indexed ? piece_empty(e->store, collection->number, old->number, err)
                        : remove_released(e, collection->number, old, err);
}

static int
expire_collection(struct expiry *e, const struct old_collection *collection, enum statement old,
    int64_t at_us, struct err *err)
{
    struct list list = {.arena = e->arena, .size = sizeof(struct old_piece)};
    int rc = EACH(e->store, old, take_piece, &list, err, INT(collection->number), INT(at_us),
        INT(e->max - e->removed));

    for (size_t i = 0; rc == 0 && i < list.count; i++)
        rc = remove_piece(
            e, collection, &((const struct old_piece *)(const void *)list.items)[i], err);
    e->removed += (uint32_t)list.count;
    return rc;
}

static int
expire_pieces(struct expiry *e, int64_t before_us, struct err *err)
{
    struct list list = {.arena = e->arena, .size = sizeof(struct old_collection)};
    int rc = db_each(e->store, S_COLLECTION_ALL, NULL, 0, take_collection, &list, err);

    for (size_t i = 0; rc == 0 && i < list.count && e->removed < e->max; i++) {
        const struct old_collection *collection =
            &((const struct old_collection *)(const void *)list.items)[i];
        rc = expire_collection(e, collection, S_PIECE_OLD, before_us, err);
        if (rc == 0)
            rc = expire_collection(e, collection, S_PIECE_LAPSED, e->now_us, err);
    }
    return rc;
}

int
store_expire(struct store *store, int64_t batches_us, int64_t pieces_us, int64_t now_us,
    uint32_t max, uint32_t *removed, struct err *err)
{
    struct expiry e = {.store = store, .arena = arena_new(16 << 20), .now_us = now_us, .max = max};

    *removed = 0;
    if (e.arena == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to look for what is old");
    int rc = expire_batches(&e, S_BATCH_OLD, batches_us, err);
    if (rc == 0)
        rc = expire_batches(&e, S_BATCH_LAPSED, now_us, err);
    if (rc == 0)
        rc = expire_pieces(&e, pieces_us, err);
    if (rc == 0)
        *removed = e.removed;
    arena_free(e.arena);
    return rc;
}
