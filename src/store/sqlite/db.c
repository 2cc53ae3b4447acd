#include "store/sqlite/db.h"

#include <stdio.h>
#include <string.h>

enum { WORK_KEPT_BYTES = 2 << 20 };

static const char *const texts[STATEMENTS] = {
#define STATEMENT(name, text) text,
#include "store/statements.def"
#undef STATEMENT
};

static enum err_code
code_of(int sqlite)
{
    switch (sqlite & 0xff) {
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_BAD_STORE;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERR_IO;
    default:
        return ERR_INTERNAL;
    }
}

int
db_error(struct store *store, const char *what, struct err *err)
{
    struct err why = {0};
    int rc = err_set(&why, code_of(sqlite3_extended_errcode(store->db)), "%s: %s: %s (%d)",
        store->path, what, sqlite3_errmsg(store->db), sqlite3_extended_errcode(store->db));

    if (store->changing && !store->failed) {
        store->failed = true;
        store->why = why;
        if (sqlite3_get_autocommit(store->db) == 0)
            (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    if (err != NULL)
        *err = why;
    return rc;
}

static int
gone(const struct store *store, struct err *err)
{
    if (err != NULL)
        *err = store->why;
    return store->why.code;
}

void
store_look(struct store *store)
{
    if (!store->changing && !store->looking)
        store->looking = sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
}

void
store_looked(struct store *store)
{
    if (store->looking && sqlite3_get_autocommit(store->db) == 0)
        (void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    store->looking = false;
}

int
db_change(struct store *store, struct err *err)
{
    if (store->failed)
        return gone(store, err);
    if (store->changing)
        return 0;
    if (store->lock < 0)
        return err_set(err, ERR_INTERNAL, "%s is open for reading only", store->path);
    store_looked(store);
    if (sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return db_error(store, "a transaction cannot begin", err);
    store->changing = true;
    return 0;
}

int
store_begin(struct store *store, struct err *err)
{
    return db_change(store, err);
}

/* What a great chunk needed is given back, so that a node that is idle stays small. */
static void
ended(struct store *store)
{
    store->changing = false;
    store->looking = false;
    store->failed = false;
    for (size_t i = 0; i < WORK_BUFS; i++)
        if (store->work[i].size > WORK_KEPT_BYTES) {
            size_t max_bytes = store->work[i].max_bytes;
            buf_free(&store->work[i]);
            store->work[i] = buf_new(max_bytes);
        }
}

void
store_rollback(struct store *store)
{
    if (sqlite3_get_autocommit(store->db) == 0)
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    ended(store);
}

int
store_commit(struct store *store, struct err *err)
{
    if (!store->changing)
        return 0;
    uint32_t count = store->teams.count;
    int rc = store->failed ? gone(store, err) : teams_write(store, err);
    if (rc == 0 && sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        rc = db_error(store, "a transaction cannot be made durable", err);
    if (rc != 0) {
        store_rollback(store);
        return rc;
    }
    store->teams.durable = count;
    ended(store);
    return 0;
}

bool
store_changing(const struct store *store)
{
    return store->changing;
}

/* SQLite numbers "$1" and its like by where they first stand, not by what they say. */
static int
check_order(sqlite3_stmt *statement, struct err *err)
{
    char expected[16];

    for (int i = 1; i <= sqlite3_bind_parameter_count(statement); i++) {
        (void)snprintf(expected, sizeof expected, "$%d", i);
        if (strcmp(sqlite3_bind_parameter_name(statement, i), expected) != 0)
            return err_set(err, ERR_INTERNAL, "parameters are out of order in: %.300s",
                sqlite3_sql(statement));
    }
    return 0;
}

static int
prepare(struct store *store, enum statement which, struct err *err)
{
    if (store->statements[which] != NULL)
        return 0;
    if (sqlite3_prepare_v3(
            store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[which], NULL)
        != SQLITE_OK)
        return db_error(store, "a statement cannot be prepared", err);
    return check_order(store->statements[which], err);
}

/* Borrowed until the statement is reset, which db_each does. An empty span is empty, not NULL. */
static int
bind(sqlite3_stmt *statement, int at, const struct arg *arg)
{
    const char *p = arg->s.n == 0 ? "" : arg->s.p;

    if (arg->kind == ARG_INT)
        return sqlite3_bind_int64(statement, at, arg->i);
    if (arg->kind == ARG_TEXT)
        return sqlite3_bind_text64(statement, at, p, arg->s.n, SQLITE_STATIC, SQLITE_UTF8);
    return sqlite3_bind_blob64(statement, at, p, arg->s.n, SQLITE_STATIC);
}

static int
steps(struct store *store, sqlite3_stmt *statement, db_row *row, void *ctx, struct err *err)
{
    int step;

    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        int rc = row == NULL ? 0 : row(ctx, statement, err);
        if (rc == DB_ENOUGH)
            return 0;
        if (rc != 0)
            return rc;
    }
    return step == SQLITE_DONE ? 0 : db_error(store, "a statement failed", err);
}

int
db_each(struct store *store, enum statement which, const struct arg *args, size_t count,
    db_row *row, void *ctx, struct err *err)
{
    int rc = store->failed ? gone(store, err) : prepare(store, which, err);

    if (rc != 0)
        return rc;
    sqlite3_stmt *statement = store->statements[which];
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (bind(statement, (int)i + 1, &args[i]) != SQLITE_OK)
            rc = db_error(store, "a statement cannot be given its values", err);
    if (rc == 0)
        rc = steps(store, statement, row, ctx, err);
    (void)sqlite3_reset(statement);
    return rc;
}

int
db_run(struct store *store, enum statement which, const struct arg *args, size_t count,
    struct err *err)
{
    int rc = db_change(store, err);

    return rc != 0 ? rc : db_each(store, which, args, count, NULL, NULL, err);
}

struct numbers {
    int64_t *out;
    size_t count;
    bool there;
};

static int
take_numbers(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct numbers *numbers = ctx;

    (void)err;
    for (size_t i = 0; i < numbers->count; i++)
        numbers->out[i] = sqlite3_column_int64(row, (int)i);
    numbers->there = true;
    return DB_ENOUGH;
}

int
db_numbers(struct store *store, enum statement which, const struct arg *args, size_t count,
    int64_t *numbers, size_t number_count, bool *there, struct err *err)
{
    struct numbers taken = {.out = numbers, .count = number_count};
    int rc = db_each(store, which, args, count, take_numbers, &taken, err);

    *there = taken.there;
    return rc;
}

struct span
db_bytes(sqlite3_stmt *row, int column)
{
    const void *p = sqlite3_column_blob(row, column);

    return (struct span){p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(row, column)};
}

int
db_keep(sqlite3_stmt *row, int column, struct arena *arena, struct span *out, struct err *err)
{
    struct span bytes = db_bytes(row, column);

    if (bytes.p == NULL && sqlite3_column_type(row, column) != SQLITE_NULL
        && sqlite3_errcode(sqlite3_db_handle(row)) == SQLITE_NOMEM)
        return err_set(err, ERR_NO_MEMORY, "no memory for what the store has");
    *out = (struct span){arena_copy(arena, bytes.n == 0 ? "" : bytes.p, bytes.n), bytes.n};
    return out->p == NULL ? arena_full(err, "the store is read") : 0;
}

int
db_next(struct store *store, struct span name, uint64_t *number, struct err *err)
{
    int64_t last = 0;
    bool there;
    int rc = NUMBERS(store, S_COUNTER_GET, &last, 1, &there, err, TEXT(name));

    if (rc == 0)
        rc = RUN(store, S_COUNTER_ADD, err, TEXT(name), INT(1));
    *number = (uint64_t)last + 1;
    return rc;
}

void *
list_add(struct list *list)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 16 : list->room * 2;
        char *items = arena_alloc(list->arena, room * list->size);
        if (items == NULL)
            return NULL;
        if (list->count > 0)
            memcpy(items, list->items, list->count * list->size);
        list->items = items;
        list->room = room;
    }
    char *item = list->items + list->count++ * list->size;
    memset(item, 0, list->size);
    return item;
}

/* ---- single values ---- */

struct kept {
    struct arena *arena;
    struct span *out;
};

static int
keep_value(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct kept *kept = ctx;

    return db_keep(row, 0, kept->arena, kept->out, err);
}

int
store_get(
    struct store *store, struct arena *arena, const char *name, struct span *value, struct err *err)
{
    struct kept kept = {arena, value};

    *value = (struct span){0};
    return EACH(store, S_VALUE_GET, keep_value, &kept, err, TEXT(span_of(name)));
}

int
store_set(struct store *store, const char *name, struct span value, struct err *err)
{
    return RUN(store, S_VALUE_SET, err, TEXT(span_of(name)), BLOB(value));
}
