#include "store.h"

#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>
#ifdef HAVE_LMDB
#include <lmdb.h>
#endif

/* ---- ours ---- */

static struct err err;

static void *
store_begin_way(const char *folder)
{
    struct store *store;
    uint32_t number;
    char id[32];

    if (store_open(folder, STORE_CREATE, &store, &err) != 0)
        bench_fail(err.msg);
    for (int t = 1; t <= LOAD_TEAMS; t++) {
        (void)snprintf(id, sizeof id, "team%d.test", t);
        if (store_team(store, span_of(id), &number, &err) != 0)
            bench_fail(err.msg);
    }
    return store;
}

static void
store_add_way(void *self, const struct load *load)
{
    struct store_due due[LOAD_TEAMS];
    struct store_batch batch = {.received_us = (int64_t)load->number,
        .count = LOAD_BATCH,
        .tag = load->digests[0],
        .records = load->records,
        .outcomes = load->outcomes,
        .keys = load->keys,
        .key_count = (size_t)LOAD_BATCH * LOAD_KEYS,
        .digests = load->digests};

    for (uint32_t t = 0; t < LOAD_TEAMS; t++)
        due[t] = (struct store_due){t + 1, LOAD_BATCH / LOAD_TEAMS};
    if (store_batch_add(self, &batch, due, LOAD_TEAMS, &err) != 0)
        bench_fail(err.msg);
}

static void
store_commit_way(void *self)
{
    if (store_commit(self, &err) != 0)
        bench_fail(err.msg);
}

static void
store_close_way(void *self)
{
    store_close(self);
}

const struct way way_store = {
    "Comity's store", store_begin_way, store_add_way, store_commit_way, store_close_way};

/* ---- SQLite, a row a report ---- */

struct rows {
    sqlite3 *db;
    sqlite3_stmt *add;
    sqlite3_stmt *due;
};

static void
sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        bench_fail(sqlite3_errmsg(db));
}

static void *
rows_open(const char *folder)
{
    struct rows *rows = calloc(1, sizeof *rows);
    char path[512];

    (void)snprintf(path, sizeof path, "%s/rows.db", folder);
    if (rows == NULL || sqlite3_open(path, &rows->db) != SQLITE_OK)
        bench_fail("rows cannot be opened");
    sql(rows->db,
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;"
        "CREATE TABLE report (id BLOB PRIMARY KEY, address INTEGER, name INTEGER, body BLOB)"
        " WITHOUT ROWID; CREATE INDEX a ON report (address); CREATE INDEX n ON report (name);"
        "CREATE TABLE due (batch INTEGER, team INTEGER, reports INTEGER,"
        " PRIMARY KEY (batch, team)) WITHOUT ROWID; BEGIN");
    if (sqlite3_prepare_v2(rows->db, "INSERT INTO report VALUES (?, ?, ?, ?)", -1, &rows->add, NULL)
            != SQLITE_OK
        || sqlite3_prepare_v2(rows->db, "INSERT INTO due VALUES (?, ?, ?)", -1, &rows->due, NULL)
            != SQLITE_OK)
        bench_fail("rows cannot be prepared");
    return rows;
}

static void
step(sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        bench_fail("a row cannot be added");
    (void)sqlite3_reset(statement);
}

static void
rows_add(void *self, const struct load *load)
{
    struct rows *rows = self;

    for (size_t i = 0; i < LOAD_BATCH; i++) {
        (void)sqlite3_bind_blob(rows->add, 1, load->ids + i * LOAD_ID, LOAD_ID, SQLITE_STATIC);
        (void)sqlite3_bind_int64(rows->add, 2, (int64_t)load->keys[i * LOAD_KEYS]);
        (void)sqlite3_bind_int64(rows->add, 3, (int64_t)load->keys[i * LOAD_KEYS + 1]);
        (void)sqlite3_bind_blob(rows->add, 4, load->each[i].p, (int)load->each[i].n, SQLITE_STATIC);
        step(rows->add);
    }
    for (int t = 0; t < LOAD_TEAMS; t++) {
        (void)sqlite3_bind_int64(rows->due, 1, (int64_t)load->number);
        (void)sqlite3_bind_int64(rows->due, 2, t);
        (void)sqlite3_bind_int64(rows->due, 3, LOAD_BATCH / LOAD_TEAMS);
        step(rows->due);
    }
}

static void
rows_commit(void *self)
{
    sql(((struct rows *)self)->db, "COMMIT; BEGIN");
}

static void
rows_close(void *self)
{
    struct rows *rows = self;

    (void)sqlite3_finalize(rows->add);
    (void)sqlite3_finalize(rows->due);
    (void)sqlite3_close(rows->db);
    free(rows);
}

const struct way way_rows = {
    "SQLite, a row a report", rows_open, rows_add, rows_commit, rows_close};

/* ---- LMDB, a row a report ---- */

#ifdef HAVE_LMDB
enum { MAP_GIB = 64 };

struct lmdb {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi report;
    MDB_dbi address;
    MDB_dbi name;
    MDB_dbi due;
};

static void
lm(int rc)
{
    if (rc != 0)
        bench_fail(mdb_strerror(rc));
}

static void *
lmdb_open(const char *folder)
{
    struct lmdb *l = calloc(1, sizeof *l);
    char path[512];

    (void)snprintf(path, sizeof path, "%s/lmdb", folder);
    if (l == NULL)
        bench_fail("no memory");
    lm(mdb_env_create(&l->env));
    lm(mdb_env_set_mapsize(l->env, (size_t)MAP_GIB << 30));
    lm(mdb_env_set_maxdbs(l->env, 4));
    lm(mdb_env_open(l->env, path, MDB_NOSUBDIR, 0600));
    lm(mdb_txn_begin(l->env, NULL, 0, &l->txn));
    lm(mdb_dbi_open(l->txn, "report", MDB_CREATE, &l->report));
    lm(mdb_dbi_open(l->txn, "address", MDB_CREATE | MDB_DUPSORT | MDB_DUPFIXED, &l->address));
    lm(mdb_dbi_open(l->txn, "name", MDB_CREATE | MDB_DUPSORT | MDB_DUPFIXED, &l->name));
    lm(mdb_dbi_open(l->txn, "due", MDB_CREATE, &l->due));
    return l;
}

static void
put(struct lmdb *l, MDB_dbi dbi, const void *key, size_t key_n, const void *value, size_t n)
{
    MDB_val k = {key_n, (void *)(uintptr_t)key};
    MDB_val v = {n, (void *)(uintptr_t)value};

    lm(mdb_put(l->txn, dbi, &k, &v, 0));
}

static void
lmdb_add(void *self, const struct load *load)
{
    struct lmdb *l = self;

    for (size_t i = 0; i < LOAD_BATCH; i++) {
        const char *id = load->ids + i * LOAD_ID;
        put(l, l->report, id, LOAD_ID, load->each[i].p, load->each[i].n);
        put(l, l->address, &load->keys[i * LOAD_KEYS], sizeof(uint64_t), id, LOAD_ID);
        put(l, l->name, &load->keys[i * LOAD_KEYS + 1], sizeof(uint64_t), id, LOAD_ID);
    }
    for (uint64_t t = 0; t < LOAD_TEAMS; t++) {
        const uint64_t key[2] = {__builtin_bswap64(load->number), __builtin_bswap64(t)};
        put(l, l->due, key, sizeof key, &t, sizeof t);
    }
}

static void
lmdb_commit(void *self)
{
    struct lmdb *l = self;

    lm(mdb_txn_commit(l->txn));
    lm(mdb_txn_begin(l->env, NULL, 0, &l->txn));
}

static void
lmdb_close(void *self)
{
    struct lmdb *l = self;

    mdb_txn_abort(l->txn);
    mdb_env_close(l->env);
    free(l);
}

const struct way way_lmdb = {"LMDB, a row a report", lmdb_open, lmdb_add, lmdb_commit, lmdb_close};
#else
const struct way way_lmdb = {NULL, NULL, NULL, NULL, NULL};
#endif

/* ---- the limit ---- */

struct limit {
    int fd;
    ZSTD_CCtx *zstd;
    char *out;
    size_t room;
};

static void *
limit_open(const char *folder)
{
    struct limit *limit = calloc(1, sizeof *limit);
    char path[512];

    (void)snprintf(path, sizeof path, "%s/limit", folder);
    if (limit == NULL)
        bench_fail("no memory");
    limit->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    limit->zstd = ZSTD_createCCtx();
    if (limit->fd < 0 || limit->zstd == NULL)
        bench_fail("the limit cannot be opened");
    return limit;
}

static void
limit_write(struct limit *limit, struct span raw)
{
    size_t room = ZSTD_compressBound(raw.n);

    if (room > limit->room && (limit->out = realloc(limit->out, limit->room = room)) == NULL)
        bench_fail("no memory");
    size_t n = ZSTD_compressCCtx(limit->zstd, limit->out, limit->room, raw.p, raw.n, 1);
    if (ZSTD_isError(n) || write(limit->fd, limit->out, n) != (ssize_t)n)
        bench_fail("the limit cannot be written");
}

static void
limit_add(void *self, const struct load *load)
{
    limit_write(self, load->records);
    limit_write(self, load->outcomes);
}

static void
limit_commit(void *self)
{
    if (fsync(((struct limit *)self)->fd) != 0)
        bench_fail("the limit cannot be synced");
}

static void
limit_close(void *self)
{
    struct limit *limit = self;

    (void)close(limit->fd);
    (void)ZSTD_freeCCtx(limit->zstd);
    free(limit->out);
    free(limit);
}

const struct way way_limit = {
    "zstd, write, fsync", limit_open, limit_add, limit_commit, limit_close};
