/* due.c: what is decided and not yet written out, and what has become of the rest? */
#include "store/sqlite/collection.h"
#include "store/sqlite/db.h"

int
store_due_next(struct store *store, uint64_t *batch, struct err *err)
{
    int64_t number = 0;
    bool there;
    int rc = db_numbers(store, S_DUE_NEXT, NULL, 0, &number, 1, &there, err);

    *batch = there ? (uint64_t)number : 0;
    return rc;
}

int
store_due_done(struct store *store, uint64_t batch, struct err *err)
{
    return RUN(store, S_DUE_DONE, err, INT(batch));
}

/* ---- queues ---- */

struct queues {
    struct store *store;
    struct list list;
};

static struct store_queue *
queue_of(struct queues *queues, uint32_t team)
{
    struct store_queue *all = (struct store_queue *)(void *)queues->list.items;

    for (size_t i = 0; i < queues->list.count; i++)
        if (all[i].team == team)
            return &all[i];
    struct store_queue *queue = list_add(&queues->list);
    if (queue != NULL)
        queue->team = team;
    return queue;
}

static void
since(struct store_queue *queue, int64_t us)
{
    if (us != 0 && (queue->oldest_us == 0 || us < queue->oldest_us))
        queue->oldest_us = us;
}

static int
take_due(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct store_queue *queue = queue_of(ctx, (uint32_t)sqlite3_column_int64(row, 0));

    if (queue == NULL)
        return arena_full(err, "queues are read");
    queue->due = (uint64_t)sqlite3_column_int64(row, 1);
    since(queue, sqlite3_column_int64(row, 2));
    return 0;
}

static int
take_collection(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct queues *queues = ctx;
    int64_t oldest = 0;
    bool there;

    if (sqlite3_column_int64(row, COLLECTION_COLUMN_KIND) != COLLECTION_TEAM)
        return 0;
    struct store_queue *queue =
        queue_of(queues, (uint32_t)sqlite3_column_int64(row, COLLECTION_COLUMN_TEAM));
    if (queue == NULL)
        return arena_full(err, "queues are read");
    uint64_t reports = (uint64_t)sqlite3_column_int64(row, COLLECTION_COLUMN_REPORTS);
    queue->delivered = (uint64_t)sqlite3_column_int64(row, COLLECTION_COLUMN_DELIVERED);
    queue->failed = (uint64_t)sqlite3_column_int64(row, COLLECTION_COLUMN_FAILED);
    queue->waiting = reports - queue->delivered - queue->failed;
    if (queue->waiting == 0)
        return 0;
    int rc = NUMBERS(queues->store, S_PIECE_OLDEST, &oldest, 1, &there, err,
        INT(sqlite3_column_int64(row, COLLECTION_COLUMN_NUMBER)),
        INT(sqlite3_column_int64(row, COLLECTION_COLUMN_COUNTED)));
    since(queue, oldest);
    return rc;
}

int
store_queues(struct store *store, struct arena *arena, struct store_queue **out, size_t *count,
    struct err *err)
{
    struct queues queues = {
        .store = store, .list = {.arena = arena, .size = sizeof(struct store_queue)}};
    int rc = db_each(store, S_DUE_SUMS, NULL, 0, take_due, &queues, err);

    if (rc == 0)
        rc = db_each(store, S_COLLECTION_ALL, NULL, 0, take_collection, &queues, err);
    *out = (struct store_queue *)(void *)queues.list.items;
    *count = queues.list.count;
    return rc;
}
