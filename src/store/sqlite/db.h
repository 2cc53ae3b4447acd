/* db.h: how do the store's functions speak to SQLite?
 *
 * Inside this folder only. Statements are those of store/statements.def, prepared once and kept. A
 * failure of the engine inside a transaction ends it: nothing of it is kept, and whatever is asked
 * to change fails until store_commit or store_rollback, so that no half of it becomes durable.
 */
#ifndef COMITY_STORE_SQLITE_DB_H
#define COMITY_STORE_SQLITE_DB_H

#include "store/pack.h"
#include "store/store.h"

#include <sqlite3.h>

enum statement {
#define STATEMENT(name, text) S_##name,
#include "store/statements.def"
#undef STATEMENT
    STATEMENTS
};

enum work_buf { WORK_PACKED, WORK_PACKED_TOO, WORK_FILTER, WORK_BODY, WORK_ENTRIES, WORK_BUFS };

struct teams {
    struct arena *arena;
    struct span *ids; /* number 1 is ids[0] */
    uint32_t count;
    uint32_t room;
    uint32_t durable; /* the first so many stand in the table */
};

struct store {
    sqlite3 *db;
    char *path;
    int lock; /* descriptor; -1: reading only */
    bool changing;
    bool looking;
    uint64_t appends; /* to collections, since it was opened */
    bool failed;      /* the transaction is gone; WHY says so until it is ended */
    struct err why;
    sqlite3_stmt *statements[STATEMENTS];
    struct teams teams;
    struct packer *packer;
    struct buf work[WORK_BUFS]; /* none lasts beyond a function */
};

struct arg {
    enum { ARG_INT, ARG_TEXT, ARG_BLOB } kind;
    int64_t i;
    struct span s;
};
#define INT(value) ((struct arg){.kind = ARG_INT, .i = (int64_t)(value)})
#define TEXT(span) ((struct arg){.kind = ARG_TEXT, .s = (span)})
#define BLOB(span) ((struct arg){.kind = ARG_BLOB, .s = (span)})

/* Fill ERR from what SQLite says now; inside a transaction, end it. Returns the code. */
int db_error(struct store *store, const char *what, struct err *err);
/* 0 when a transaction is open now (begun if none was). */
MUST_USE int db_change(struct store *store, struct err *err);

/* One row of an answer. 0: go on; DB_ENOUGH: no more of them; an error ends it. */
enum { DB_ENOUGH = 1 };
typedef int db_row(void *ctx, sqlite3_stmt *row, struct err *err);
/* Say statement WHICH; ROW (may be NULL) is told each row. */
MUST_USE int db_each(struct store *store, enum statement which, const struct arg *args,
    size_t count, db_row *row, void *ctx, struct err *err);
#define EACH(store, which, row, ctx, err, ...)                                                     \
    db_each(store, which, (const struct arg[]){__VA_ARGS__},                                       \
        sizeof(const struct arg[]){__VA_ARGS__} / sizeof(struct arg), row, ctx, err)
/* The same for what has no rows, in a transaction. */
MUST_USE int db_run(struct store *store, enum statement which, const struct arg *args, size_t count,
    struct err *err);
#define RUN(store, which, err, ...)                                                                \
    db_run(store, which, (const struct arg[]){__VA_ARGS__},                                        \
        sizeof(const struct arg[]){__VA_ARGS__} / sizeof(struct arg), err)
/* The first row's first COUNT numbers (NULL counts as 0); *THERE false when there is no row. */
MUST_USE int db_numbers(struct store *store, enum statement which, const struct arg *args,
    size_t count, int64_t *numbers, size_t number_count, bool *there, struct err *err);
#define NUMBERS(store, which, numbers, number_count, there, err, ...)                              \
    db_numbers(store, which, (const struct arg[]){__VA_ARGS__},                                    \
        sizeof(const struct arg[]){__VA_ARGS__} / sizeof(struct arg), numbers, number_count,       \
        there, err)
/* Column COLUMN's bytes, valid until the next row. */
struct span db_bytes(sqlite3_stmt *row, int column);
/* The same in ARENA. */
MUST_USE int db_keep(
    sqlite3_stmt *row, int column, struct arena *arena, struct span *out, struct err *err);
/* The next number of the counter NAME: 1, 2 ..., never given twice once durable. */
MUST_USE int db_next(struct store *store, struct span name, uint64_t *number, struct err *err);

/* A list of rows of SIZE bytes that grows in ARENA. */
struct list {
    struct arena *arena;
    size_t size;
    char *items;
    size_t count;
    size_t room;
};
/* Zeroed room for one more, or NULL when the arena is full. */
void *list_add(struct list *list);

/* schema.c: bring the store to STORE_VERSION, or refuse it. */
MUST_USE int schema_check(struct store *store, int64_t *version, struct err *err);
MUST_USE int schema_migrate(struct store *store, int64_t version, struct err *err);

/* teams.c */
MUST_USE int teams_load(struct store *store, struct err *err);
/* Write those that no commit has made durable yet. */
MUST_USE int teams_write(struct store *store, struct err *err);
void teams_free(struct teams *teams);

/* held.c: what waits in BATCH can be released no more. */
MUST_USE int held_lapse(struct store *store, uint64_t batch, int64_t now_us, struct err *err);

#endif
