#include "store/sqlite/collection.h"
#include "store/sqlite/db.h"

int
store_collection_add(struct store *store, struct store_collection *collection, struct err *err)
{
    uint64_t number = 0;
    int64_t taken;
    bool there = false;
    int rc = NUMBERS(store, S_COLLECTION_FIND, &taken, 1, &there, err, TEXT(collection->id));

    if (rc == 0 && there)
        rc = err_set(
            err, ERR_EXISTS, "there is a collection %.*s already", SPAN_ARGS(collection->id));
    if (rc == 0)
        rc = db_next(store, SPAN("collection"), &number, err);
    if (rc == 0)
        rc = RUN(store, S_COLLECTION_ADD, err, INT(number), INT(collection->kind),
            INT(collection->team), TEXT(collection->id), TEXT(collection->title),
            TEXT(collection->description), TEXT(collection->alias));
    if (rc == 0)
        collection->number = (uint32_t)number;
    return rc;
}

static int
take_collection(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_collection *collection = list_add(list);

    if (collection == NULL)
        return arena_full(err, "collections are read");
    collection->number = (uint32_t)sqlite3_column_int64(row, COLLECTION_COLUMN_NUMBER);
    collection->kind = (uint8_t)sqlite3_column_int64(row, COLLECTION_COLUMN_KIND);
    collection->team = (uint32_t)sqlite3_column_int64(row, COLLECTION_COLUMN_TEAM);
    collection->objects = (uint64_t)sqlite3_column_int64(row, COLLECTION_COLUMN_OBJECTS);
    if (collection->objects > 0)
        collection->last_us = sqlite3_column_int64(row, COLLECTION_COLUMN_LAST);
    int rc = db_keep(row, COLLECTION_COLUMN_ID, list->arena, &collection->id, err);
    if (rc == 0)
        rc = db_keep(row, COLLECTION_COLUMN_TITLE, list->arena, &collection->title, err);
    if (rc == 0)
        rc =
            db_keep(row, COLLECTION_COLUMN_DESCRIPTION, list->arena, &collection->description, err);
    if (rc == 0)
        rc = db_keep(row, COLLECTION_COLUMN_ALIAS, list->arena, &collection->alias, err);
    return rc;
}

int
store_collections(struct store *store, struct arena *arena, struct store_collection **out,
    size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_collection)};
    int rc = db_each(store, S_COLLECTION_ALL, NULL, 0, take_collection, &list, err);

    *out = (struct store_collection *)(void *)list.items;
    *count = list.count;
    return rc;
}

/* Where receipts say what was delivered, fetching says only what was fetched. */
int
store_fetched(
    struct store *store, uint32_t collection, int64_t through_us, bool by_receipt, struct err *err)
{
    int64_t marks[2] = {0}; /* fetched_us, counted_us */
    int64_t sums[2] = {0};  /* reports, last_us */
    bool there;
    int rc = NUMBERS(store, S_COLLECTION_FETCHED, marks, 2, &there, err, INT(collection));

    if (rc == 0 && !there)
        rc = err_set(err, ERR_NOT_FOUND, "there is no collection %u", collection);
    if (rc == 0 && through_us > marks[0])
        rc = NUMBERS(store, S_PIECE_REPORTS, sums, 2, &there, err, INT(collection),
            INT(by_receipt ? marks[0] : marks[1]), INT(through_us));
    if (rc != 0 || sums[1] <= marks[0])
        return rc;
    return RUN(store, S_COLLECTION_FETCH, err, INT(sums[1]), INT(by_receipt ? marks[1] : sums[1]),
        INT(by_receipt ? 0 : sums[0]), INT(collection));
}
