/* resources.c: a log's tiles and entries as rows (store/resources.h), and what it records of
 * deliveries. */
#include "store/resources.h"
#include "store/sqlite/db.h"

#define CHECKPOINT SPAN("ledger-checkpoint")
#define COSIGNED SPAN("ledger-cosigned")

enum { HASH_BYTES = 32, LENGTH_BYTES = 2 };

static int
not_there(const char *path, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "no resource %s", path);
}

static bool
is_note(const char *path)
{
    return strcmp(path, RESOURCES_CHECKPOINT) == 0 || strcmp(path, RESOURCES_COSIGNED) == 0;
}

static struct span
note_value(const char *path)
{
    return strcmp(path, RESOURCES_CHECKPOINT) == 0 ? CHECKPOINT : COSIGNED;
}

/* ---- reading ---- */

/* The beginning of a row's bytes. */
struct part {
    struct buf *out;
    size_t bytes; /* wanted; 0: all */
    bool there;
};

static int
take_part(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct part *part = ctx;
    struct span bytes = db_bytes(row, 0);

    (void)err;
    part->there = bytes.n >= part->bytes;
    if (part->there)
        buf_add(part->out, bytes.p, part->bytes == 0 ? bytes.n : part->bytes);
    return DB_ENOUGH;
}

struct bundle {
    struct buf *out;
    uint64_t next; /* number of the entry that must come */
};

static int
take_entry(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct bundle *bundle = ctx;
    struct span bytes = db_bytes(row, 1);
    const char length[LENGTH_BYTES] = {(char)(bytes.n >> 8), (char)(bytes.n & 0xff)};

    if ((uint64_t)sqlite3_column_int64(row, 0) != bundle->next || bytes.n > TILE_ENTRY_MAX)
        return err_set(err, ERR_BAD_STORE, "entry %llu of the ledger is missing or too long",
            (unsigned long long)bundle->next);
    bundle->next++;
    buf_add(bundle->out, length, sizeof length);
    buf_add_span(bundle->out, bytes);
    return 0;
}

static int
get_bundle(struct store *store, const struct tile *tile, const char *path, struct buf *out,
    struct err *err)
{
    uint64_t first = tile->number * TILE_WIDTH;
    struct bundle bundle = {out, first};
    int rc =
        EACH(store, S_ENTRY_RANGE, take_entry, &bundle, err, INT(first), INT(first + tile->width));

    return rc == 0 && bundle.next < first + tile->width ? not_there(path, err) : rc;
}

static int
get(void *ctx, const char *path, struct buf *out, struct err *err)
{
    struct store *store = ctx;
    struct part part = {.out = out};
    struct tile tile;
    int rc;

    if (is_note(path)) {
        rc = EACH(store, S_VALUE_GET, take_part, &part, err, TEXT(note_value(path)));
    } else if (!tile_parse(span_of(path), &tile) || tile.number > INT64_MAX / TILE_WIDTH - 1) {
        return not_there(path, err);
    } else if (tile.entries) {
        rc = get_bundle(store, &tile, path, out, err);
        part.there = true;
    } else {
        part.bytes = (size_t)tile.width * HASH_BYTES;
        rc = EACH(store, S_TILE_GET, take_part, &part, err, INT(tile.level), INT(tile.number));
    }
    if (rc == 0 && !part.there)
        return not_there(path, err);
    return rc == 0 ? buf_check(out, path, err) : rc;
}

/* ---- writing ---- */

/* Of a bundle that grew, the entries that are new. */
static int
put_bundle(struct store *store, const struct tile *tile, struct span bytes, struct err *err)
{
    uint64_t number = tile->number * TILE_WIDTH;
    struct span entry;
    int64_t last = -1;
    bool there = false;
    int rc = db_numbers(store, S_ENTRY_LAST, NULL, 0, &last, 1, &there, err);

    for (; rc == 0 && tile_entry(&bytes, &entry); number++)
        if ((int64_t)number > last)
            rc = RUN(store, S_ENTRY_ADD, err, INT(number), BLOB(entry));
    return rc;
}

static int
put(void *ctx, const char *path, struct span bytes, struct err *err)
{
    struct store *store = ctx;
    struct tile tile;

    if (is_note(path))
        return RUN(store, S_VALUE_SET, err, TEXT(note_value(path)), BLOB(bytes));
    if (!tile_parse(span_of(path), &tile))
        return err_set(err, ERR_INTERNAL, "a log has no resource %s", path);
    return tile.entries
        ? put_bundle(store, &tile, bytes, err)
        : RUN(store, S_TILE_PUT, err, INT(tile.level), INT(tile.number), BLOB(bytes));
}

static int
drop_partial(void *ctx, const char *path, struct err *err)
{
    (void)ctx;
    (void)path;
    (void)err;
    return 0;
}

struct resources
resources_store_view(struct store *store)
{
    return (struct resources){get, put, drop_partial, store};
}

/* ---- deliveries ---- */

int
store_delivery_add(struct store *store, const struct store_delivery *d, struct err *err)
{
    struct span salt = {(const char *)d->salt, sizeof d->salt};

    return RUN(store, S_DELIVERY_ADD, err, INT(d->entry), INT(d->batch), INT(d->team),
        INT(d->collection), INT(d->first_us), INT(d->last_us), BLOB(salt), BLOB(d->places));
}

static int
take_delivery(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_delivery *d = list_add(list);
    struct span salt = db_bytes(row, 6);

    if (d == NULL)
        return arena_full(err, "deliveries are read");
    if (salt.n != sizeof d->salt)
        return err_set(err, ERR_BAD_STORE, "a delivery's salt is damaged");
    memcpy(d->salt, salt.p, salt.n);
    d->entry = (uint64_t)sqlite3_column_int64(row, 0);
    d->batch = (uint64_t)sqlite3_column_int64(row, 1);
    d->team = (uint32_t)sqlite3_column_int64(row, 2);
    d->collection = (uint32_t)sqlite3_column_int64(row, 3);
    d->first_us = sqlite3_column_int64(row, 4);
    d->last_us = sqlite3_column_int64(row, 5);
    return db_keep(row, 7, list->arena, &d->places, err);
}

int
store_deliveries(struct store *store, struct arena *arena, uint64_t batch,
    struct store_delivery **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_delivery)};
    int rc = EACH(store, S_DELIVERY_OF, take_delivery, &list, err, INT(batch));

    *out = (struct store_delivery *)(void *)list.items;
    *count = list.count;
    return rc;
}
