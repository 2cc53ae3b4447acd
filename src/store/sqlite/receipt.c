/* receipt.c: deliveries, what their recipients said of them, and what that makes of the counts. */
#include "store/receipt.h"

#include "store/sqlite/db.h"

/* ---- rows ---- */

struct kept {
    struct arena *arena;
    struct store_receipt *out;
    bool there;
};

static int
read_row(sqlite3_stmt *row, struct arena *arena, struct store_receipt *out, struct err *err)
{
    out->entry = (uint64_t)sqlite3_column_int64(row, 0);
    out->batch = (uint64_t)sqlite3_column_int64(row, 2);
    out->team = (uint32_t)sqlite3_column_int64(row, 3);
    out->items = (uint64_t)sqlite3_column_int64(row, 4);
    out->made_us = sqlite3_column_int64(row, 5);
    out->failed = (uint64_t)sqlite3_column_int64(row, 6);
    out->state = (uint8_t)sqlite3_column_int64(row, 7);
    out->came_us = sqlite3_column_int64(row, 8);
    out->stored = (uint64_t)sqlite3_column_int64(row, 9);
    out->duplicate = (uint64_t)sqlite3_column_int64(row, 10);
    out->rejected = (uint64_t)sqlite3_column_int64(row, 11);
    int rc = db_keep(row, 1, arena, &out->id, err);
    return rc == 0 ? db_keep(row, 12, arena, &out->note, err) : rc;
}

static int
take_one(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct kept *kept = ctx;

    kept->there = true;
    return read_row(row, kept->arena, kept->out, err);
}

static int
take_listed(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_receipt *receipt = list_add(list);

    return receipt == NULL ? arena_full(err, "receipts are read")
                           : read_row(row, list->arena, receipt, err);
}

int
store_receipt_add(struct store *store, const struct store_receipt *receipt, struct err *err)
{
    return RUN(store, S_RECEIPT_ADD, err, INT(receipt->entry), TEXT(receipt->id),
        INT(receipt->batch), INT(receipt->team), INT(receipt->items), INT(receipt->made_us),
        INT(receipt->state), BLOB(SPAN("")));
}

int
store_receipt_by_id(struct store *store, struct arena *arena, struct span id,
    struct store_receipt *out, struct err *err)
{
    struct kept kept = {.arena = arena, .out = out};
    int rc = EACH(store, S_RECEIPT_BY_ID, take_one, &kept, err, TEXT(id));

    return rc == 0 && !kept.there
        ? err_set(err, ERR_NOT_FOUND, "no batch %.*s was delivered", SPAN_ARGS(id))
        : rc;
}

int
store_receipt_by_entry(struct store *store, struct arena *arena, uint64_t entry,
    struct store_receipt *out, struct err *err)
{
    struct kept kept = {.arena = arena, .out = out};
    int rc = EACH(store, S_RECEIPT_BY_ENTRY, take_one, &kept, err, INT(entry));

    return rc == 0 && !kept.there
        ? err_set(err, ERR_NOT_FOUND, "entry %llu is no delivery", (unsigned long long)entry)
        : rc;
}

struct kept_bytes {
    struct arena *arena;
    struct span *bytes;
};

static int
take_bytes(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct kept_bytes *kept = ctx;

    return db_keep(row, 1, kept->arena, kept->bytes, err);
}

int
store_receipt_record(
    struct store *store, struct arena *arena, uint64_t entry, struct span *bytes, struct err *err)
{
    struct kept_bytes kept = {arena, bytes};

    *bytes = (struct span){NULL, 0};
    int rc = EACH(store, S_ENTRY_RANGE, take_bytes, &kept, err, INT(entry), INT(entry + 1));
    return rc == 0 && bytes->n == 0
        ? err_set(err, ERR_NOT_FOUND, "the ledger has no entry %llu", (unsigned long long)entry)
        : rc;
}

int
store_receipts(struct store *store, struct arena *arena, const struct store_receipt_query *query,
    struct store_receipt **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_receipt)};
    int64_t before = query->before > INT64_MAX ? INT64_MAX : (int64_t)query->before;
    enum statement which = query->open ? S_RECEIPT_LIST_OPEN : S_RECEIPT_LIST;
    int rc = EACH(store, which, take_listed, &list, err, INT(before), INT(query->team),
        INT(query->since_us), INT(query->limit));

    *out = (struct store_receipt *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_receipts_of(struct store *store, struct arena *arena, uint64_t batch, uint32_t limit,
    struct store_receipt **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_receipt)};
    int rc = EACH(store, S_RECEIPT_OF_BATCH, take_listed, &list, err, INT(batch), INT(limit));

    *out = (struct store_receipt *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_receipts_open(struct store *store, uint64_t *count, int64_t *oldest_us, struct err *err)
{
    int64_t numbers[2] = {0};
    bool there;
    int rc = db_numbers(store, S_RECEIPT_OPEN, NULL, 0, numbers, 2, &there, err);

    *count = (uint64_t)numbers[0];
    *oldest_us = numbers[1];
    return rc;
}

/* ---- what a right one makes of the counts ---- */

/* Its reports that are still there and were not counted as delivered are; those that failed did
 * not. */
static int
settle(struct store *store, const struct store_receipt *was, struct err *err)
{
    int64_t where[3] = {0}; /* collection, first_us, last_us */
    int64_t reports = 0;
    int64_t failed = (int64_t)was->failed;
    int64_t collection = 0;
    bool there;
    int rc =
        NUMBERS(store, S_DELIVERY_PLACE, where, 3, &there, err, INT(was->batch), INT(was->entry));

    if (rc == 0 && there)
        rc = NUMBERS(store, S_PIECE_OPEN_REPORTS, &reports, 1, &there, err, INT(where[0]),
            INT(where[1]), INT(where[2]));
    if (rc == 0 && reports > 0)
        rc = RUN(store, S_PIECE_SETTLE, err, INT(where[0]), INT(where[1]), INT(where[2]));
    if (rc != 0 || reports + failed == 0)
        return rc;
    rc = NUMBERS(store, S_COLLECTION_TEAM, &collection, 1, &there, err, INT(COLLECTION_TEAM),
        INT(was->team));
    if (rc == 0)
        rc = RUN(store, S_COLLECTION_DELIVERED, err, INT(reports + failed), INT(failed),
            INT(collection));
    return rc == 0 ? RUN(store, S_RECEIPT_ARRIVED, err, INT(was->entry)) : rc;
}

int
store_receipt_take(struct store *store, const struct store_receipt *receipt, struct err *err)
{
    struct arena *arena = arena_new(1 << 20);
    struct store_receipt was;

    if (arena == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a receipt");
    int rc = store_receipt_by_entry(store, arena, receipt->entry, &was, err);
    if (rc == 0)
        rc = RUN(store, S_RECEIPT_TAKE, err, INT(receipt->state), INT(receipt->came_us),
            INT(receipt->stored), INT(receipt->duplicate), INT(receipt->rejected),
            BLOB(receipt->note), INT(receipt->entry));
    if (rc == 0 && receipt->state == STORE_RECEIPT_RIGHT && was.state != STORE_RECEIPT_RIGHT)
        rc = settle(store, &was, err);
    arena_free(arena);
    return rc;
}

/* ---- those that were given ---- */

struct kept_given {
    struct arena *arena;
    struct store_receipt_given *out;
    bool there;
};

static int
take_given(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct kept_given *kept = ctx;

    kept->there = true;
    kept->out->came_us = sqlite3_column_int64(row, 0);
    kept->out->stored = (uint64_t)sqlite3_column_int64(row, 1);
    kept->out->duplicate = (uint64_t)sqlite3_column_int64(row, 2);
    kept->out->rejected = (uint64_t)sqlite3_column_int64(row, 3);
    return db_keep(row, 4, kept->arena, &kept->out->note, err);
}

int
store_receipt_given_get(struct store *store, struct arena *arena, uint32_t team, struct span id,
    struct store_receipt_given *out, struct err *err)
{
    struct kept_given kept = {.arena = arena, .out = out};

    *out = (struct store_receipt_given){.team = team, .id = id};
    int rc = EACH(store, S_RECEIPT_GIVEN_GET, take_given, &kept, err, INT(team), TEXT(id));
    return rc == 0 && !kept.there
        ? err_set(err, ERR_NOT_FOUND, "no receipt was given for the batch %.*s", SPAN_ARGS(id))
        : rc;
}

int
store_receipt_given_put(
    struct store *store, const struct store_receipt_given *given, struct err *err)
{
    return RUN(store, S_RECEIPT_GIVEN_PUT, err, INT(given->team), TEXT(given->id),
        INT(given->came_us), INT(given->stored), INT(given->duplicate), INT(given->rejected),
        BLOB(given->note));
}

/* ---- what a recipient has got ---- */

int
store_receipt_reached(struct store *store, const struct store_receipt *receipt,
    enum store_receipt_reach *out, struct err *err)
{
    int64_t where[3] = {0}; /* collection, first_us, last_us */
    int64_t marks[2] = {0}; /* fetched_us, counted_us */
    bool there = false;
    int rc = 0;

    *out = receipt->state == STORE_RECEIPT_RIGHT ? STORE_REACH_RECEIPT
        : receipt->failed > 0                    ? STORE_REACH_FAILED
                                                 : STORE_REACH_TAKEN;
    if (*out != STORE_REACH_TAKEN)
        return 0;
    rc = NUMBERS(
        store, S_DELIVERY_PLACE, where, 3, &there, err, INT(receipt->batch), INT(receipt->entry));
    if (rc != 0 || !there)
        return rc; /* its time is over, and it did not fail */
    rc = NUMBERS(store, S_COLLECTION_FETCHED, marks, 2, &there, err, INT(where[0]));
    if (rc == 0 && marks[0] < where[2])
        *out = STORE_REACH_WAITS;
    return rc;
}

/* ---- retention ---- */

static int
expire(struct store *store, enum statement old, enum statement remove, int64_t before_us,
    uint32_t max, uint32_t *removed, struct err *err)
{
    int64_t count = 0;
    bool there;
    int rc = NUMBERS(store, old, &count, 1, &there, err, INT(before_us), INT(max));

    if (rc == 0 && count > 0)
        rc = RUN(store, remove, err, INT(before_us), INT(max));
    *removed += rc == 0 ? (uint32_t)count : 0;
    return rc;
}

int
store_receipts_expire(
    struct store *store, int64_t before_us, uint32_t max, uint32_t *removed, struct err *err)
{
    *removed = 0;
    int rc = expire(store, S_RECEIPT_OLD, S_RECEIPT_REMOVE, before_us, max, removed, err);
    return rc == 0
        ? expire(store, S_RECEIPT_GIVEN_OLD, S_RECEIPT_GIVEN_REMOVE, before_us, max, removed, err)
        : rc;
}
