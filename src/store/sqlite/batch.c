#include "store/filter.h"
#include "store/sqlite/db.h"

#include <string.h>

enum { KEYS_A_REPORT = 256, DUE_MAX = 1000000 };

static int
check_batch(const struct store_batch *batch, struct err *err)
{
    if (batch->count == 0 || batch->count > STORE_BATCH_REPORTS)
        return err_set(err, ERR_LIMIT, "a batch of %u reports; 1 to %d are possible", batch->count,
            (int)STORE_BATCH_REPORTS);
    if (batch->records.n > PACK_MAX_BYTES || batch->outcomes.n > PACK_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "a batch of %zu and %zu bytes; at most %d each",
            batch->records.n, batch->outcomes.n, (int)PACK_MAX_BYTES);
    if (batch->key_count > (size_t)STORE_BATCH_REPORTS * KEYS_A_REPORT)
        return err_set(err, ERR_LIMIT, "a batch with %zu keys; at most %d", batch->key_count,
            STORE_BATCH_REPORTS * KEYS_A_REPORT);
    return 0;
}

static int
add_rows(struct store *store, const struct store_batch *batch, struct err *err)
{
    struct buf *records = &store->work[WORK_PACKED];
    struct buf *outcomes = &store->work[WORK_PACKED_TOO];
    struct span filter;
    int rc = pack(store->packer, batch->records, records, err);

    if (rc == 0)
        rc = pack(store->packer, batch->outcomes, outcomes, err);
    if (rc == 0)
        rc = RUN(store, S_BATCH_ADD, err, INT(batch->number), INT(batch->received_us),
            INT(batch->first_us), INT(batch->last_us), INT(batch->count), INT(batch->tag),
            INT(batch->records.n), INT(batch->outcomes.n), INT(batch->keep_until_us));
    if (rc == 0)
        rc = RUN(store, S_BATCH_BODY_ADD, err, INT(batch->number), BLOB(buf_span(records)),
            BLOB(buf_span(outcomes)));
    if (rc == 0)
        rc = filter_make(&store->work[WORK_FILTER], batch->keys, batch->key_count, &filter, err);
    if (rc == 0)
        rc = RUN(store, S_BATCH_FILTER_ADD, err, INT(batch->number), BLOB(filter));
    if (rc != 0 || batch->digests == NULL)
        return rc;
    struct span digests = {(const char *)batch->digests, batch->count * sizeof *batch->digests};
    return RUN(store, S_BATCH_DIGEST_ADD, err, INT(batch->number), BLOB(digests));
}

int
store_batch_add(struct store *store, struct store_batch *batch, const struct store_due *due,
    size_t due_count, struct err *err)
{
    int rc = check_batch(batch, err);

    if (rc == 0 && due_count > DUE_MAX)
        rc = err_set(err, ERR_LIMIT, "a batch for %zu teams", due_count);
    if (rc == 0)
        rc = db_change(store, err);
    if (rc == 0)
        rc = db_next(store, SPAN("batch"), &batch->number, err);
    if (rc == 0)
        rc = add_rows(store, batch, err);
    for (size_t i = 0; rc == 0 && i < due_count; i++)
        rc = RUN(store, S_DUE_ADD, err, INT(batch->number), INT(due[i].team), INT(due[i].count));
    return rc;
}

struct got {
    struct store *store;
    struct arena *arena;
    struct store_batch *batch;
    bool there;
};

static int
take_batch(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct got *got = ctx;
    struct store_batch *batch = got->batch;

    batch->received_us = sqlite3_column_int64(row, 0);
    batch->first_us = sqlite3_column_int64(row, 1);
    batch->last_us = sqlite3_column_int64(row, 2);
    batch->count = (uint32_t)sqlite3_column_int64(row, 3);
    batch->tag = (uint64_t)sqlite3_column_int64(row, 4);
    batch->keep_until_us = sqlite3_column_int64(row, 9);
    got->there = true;
    int rc = pack_open(got->store->packer, got->arena, db_bytes(row, 7),
        (size_t)sqlite3_column_int64(row, 5), &batch->records, err);
    if (rc == 0)
        rc = pack_open(got->store->packer, got->arena, db_bytes(row, 8),
            (size_t)sqlite3_column_int64(row, 6), &batch->outcomes, err);
    return rc == 0 ? DB_ENOUGH : rc;
}

int
store_batch_get(struct store *store, struct arena *arena, uint64_t number, struct store_batch *out,
    struct err *err)
{
    struct got got = {.store = store, .arena = arena, .batch = out};

    *out = (struct store_batch){.number = number};
    int rc = EACH(store, S_BATCH_GET, take_batch, &got, err, INT(number));
    if (rc == 0 && !got.there)
        rc = err_set(err, ERR_NOT_FOUND, "the batch %llu is not there", (unsigned long long)number);
    return rc;
}

struct scan {
    struct store *store;
    const struct store_search *search;
    size_t key_count; /* that the batch's filter would have */
    uint64_t found;
    bool may;
};

static int
try_filter(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct scan *scan = ctx;
    struct span filter = db_bytes(row, 0);

    (void)err;
    scan->may = true;
    for (size_t i = 0; scan->may && i < scan->key_count; i++)
        scan->may = filter_may_hold(filter, scan->search->keys[i]);
    return DB_ENOUGH;
}

static int
try_batch(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct scan *scan = ctx;
    int64_t number = sqlite3_column_int64(row, 0);
    int rc = 0;

    scan->key_count = scan->search->key_count;
    if ((uint64_t)number < scan->search->late_from)
        scan->key_count -= scan->search->late;
    scan->may = scan->key_count == 0;
    if (!scan->may)
        rc = EACH(scan->store, S_BATCH_FILTER, try_filter, scan, err, INT(number));
    if (rc != 0 || !scan->may)
        return rc;
    scan->found = (uint64_t)number;
    return DB_ENOUGH;
}

int
store_batch_search(struct store *store, const struct store_search *search, uint64_t before,
    uint64_t *number, struct err *err)
{
    struct scan scan = {.store = store, .search = search};
    int64_t limit = before == 0 || before > INT64_MAX ? INT64_MAX : (int64_t)before;
    int rc = EACH(store, S_BATCH_SCAN, try_batch, &scan, err, INT(limit), INT(search->since_us),
        INT(search->until_us));

    *number = scan.found;
    return rc;
}

/* ---- digests ---- */

struct digests {
    uint64_t max;
    uint64_t seen;
    int64_t from;
    void (*tell)(void *ctx, const uint64_t *digests, size_t count);
    void *ctx;
    struct buf *copy;
};

static int
reach_back(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct digests *digests = ctx;

    (void)err;
    digests->from = sqlite3_column_int64(row, 0);
    digests->seen += (uint64_t)sqlite3_column_int64(row, 1);
    return digests->seen >= digests->max ? DB_ENOUGH : 0;
}

/* The oldest batch is told from where MAX begin. */
static int
tell_digests(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct digests *digests = ctx;
    struct span bytes = db_bytes(row, 0);
    size_t count = bytes.n / sizeof(uint64_t);
    size_t skip = digests->seen > digests->max ? (size_t)(digests->seen - digests->max) : 0;

    skip = skip > count ? count : skip;
    digests->seen -= skip;
    digests->copy->n = 0;
    digests->copy->full = false;
    buf_add(digests->copy, bytes.p, bytes.n);
    if (buf_check(digests->copy, "digests", err) != 0)
        return ERR_LIMIT;
    if (count > skip)
        digests->tell(
            digests->ctx, (const uint64_t *)(const void *)digests->copy->p + skip, count - skip);
    return 0;
}

int
store_digests(struct store *store, uint64_t max,
    void (*tell)(void *ctx, const uint64_t *digests, size_t count), void *ctx, struct err *err)
{
    struct digests digests = {
        .max = max, .tell = tell, .ctx = ctx, .copy = &store->work[WORK_PACKED]};

    if (max == 0)
        return 0;
    int rc = db_each(store, S_DIGEST_NEWEST, NULL, 0, reach_back, &digests, err);
    if (rc == 0 && digests.seen > 0)
        rc = EACH(store, S_DIGEST_FROM, tell_digests, &digests, err, INT(digests.from));
    return rc;
}
