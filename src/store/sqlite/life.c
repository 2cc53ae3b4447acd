#include "store/sqlite/db.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PAGE_BYTES = 16384,
    CACHE_KIB = 8192,
    CHECKPOINT_PAGES = 1024,   /* 16 MiB of log */
    LOG_KEPT_BYTES = 64 << 20, /* the log file is cut to this after a great transaction */
    BUSY_MS = 10000,
    WORK_BYTES = 80 << 20,
};

static int
say(struct store *store, const char *text, struct err *err)
{
    return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK
        ? 0
        : db_error(store, "it cannot be opened", err);
}

/* The cache's size comes last: SQLite forgets it when the size of pages changes. */
static int
pragmas(struct store *store, bool writing, struct err *err)
{
    char text[512];
    int rc = 0;

    (void)snprintf(text, sizeof text,
        "PRAGMA page_size = %d; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "PRAGMA secure_delete = FAST; PRAGMA wal_autocheckpoint = %d;"
        "PRAGMA journal_size_limit = %d",
        (int)PAGE_BYTES, (int)CHECKPOINT_PAGES, (int)LOG_KEPT_BYTES);
    if (writing)
        rc = say(store, text, err);
    (void)snprintf(text, sizeof text,
        "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;"
        "PRAGMA cell_size_check = ON; PRAGMA cache_size = -%d;%s",
        (int)CACHE_KIB, writing ? "" : "PRAGMA query_only = ON;");
    return rc == 0 ? say(store, text, err) : rc;
}

static int
connect(struct store *store, int flags, struct err *err)
{
    int rc = sqlite3_open_v2(
        store->path, &store->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    if (store->db == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to open %s", store->path);
    if (rc != SQLITE_OK)
        return db_error(store, "it cannot be opened", err);
    (void)sqlite3_busy_timeout(store->db, BUSY_MS);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return 0;
}

static void
disconnect(struct store *store)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    (void)sqlite3_close(store->db);
    store->db = NULL;
}

/* Looked at without a chance to change it, before it is opened for good. Only what a crash left
 * half done cannot be looked at so: WRITING lets SQLite put that right first. */
static int
look(struct store *store, bool writing, int64_t *version, struct err *err)
{
    int rc = connect(store, SQLITE_OPEN_READONLY, err);

    if (rc == 0)
        rc = schema_check(store, version, err);
    if (rc == 0 || !writing || (sqlite3_extended_errcode(store->db) & 0xff) != SQLITE_READONLY)
        return rc;
    disconnect(store);
    rc = connect(store, SQLITE_OPEN_READWRITE, err);
    return rc == 0 ? schema_check(store, version, err) : rc;
}

static int
open_reading(struct store *store, struct err *err)
{
    int64_t version = 0;
    int rc = look(store, false, &version, err);

    if (rc == 0 && version < STORE_VERSION)
        rc = err_set(err, ERR_BAD_STORE,
            "%s has version %lld, older than this Comity's %d; the node brings it forward when it "
            "starts",
            store->path, (long long)version, (int)STORE_VERSION);
    return rc != 0 ? rc : pragmas(store, false, err);
}

static int
take_lock(struct store *store, const char *folder, struct err *err)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/node.lock", folder);
    int rc = file_try_lock(path, &store->lock, err);
    if (rc == ERR_EXISTS)
        return err_set(err, ERR_EXISTS,
            "another process writes %s (it holds node.lock); only one may", store->path);
    return rc;
}

/* The log beside it gets the same rights. */
static int
make_private(struct store *store, struct err *err)
{
    int fd = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || close(fd) != 0)
        return err_set(err, ERR_IO, "%s cannot be made: %s", store->path, strerror(errno));
    return 0;
}

static int
open_writing(struct store *store, const char *folder, bool there, struct err *err)
{
    int64_t version = 0;
    int rc = take_lock(store, folder, err);

    if (rc == 0 && !there)
        rc = make_private(store, err);
    if (rc == 0 && there) {
        rc = look(store, true, &version, err);
        disconnect(store);
    }
    if (rc == 0)
        rc = connect(store, SQLITE_OPEN_READWRITE, err);
    if (rc == 0)
        rc = pragmas(store, true, err);
    if (rc == 0)
        rc = schema_migrate(store, version, err);
    return rc;
}

static struct store *
store_new(const char *folder)
{
    struct store *store = calloc(1, sizeof *store);

    if (store == NULL)
        return NULL;
    store->lock = -1;
    store->packer = packer_new();
    for (size_t i = 0; i < WORK_BUFS; i++)
        store->work[i] = buf_new(WORK_BYTES);
    if (asprintf(&store->path, "%s/node.db", folder) < 0)
        store->path = NULL;
    if (store->packer != NULL && store->path != NULL)
        return store;
    store_close(store);
    return NULL;
}

int
store_open(const char *folder, enum store_use use, struct store **out, struct err *err)
{
    struct store *store = strlen(folder) < PATH_MAX - 32 ? store_new(folder) : NULL;
    struct stat about;

    *out = NULL;
    if (store == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to open the store of %.200s", folder);
    bool there = stat(store->path, &about) == 0;
    int rc = there            ? 0
        : use != STORE_CREATE ? err_set(err, ERR_NOT_FOUND,
              "there is no store: %s cannot be read (%s)", store->path, strerror(errno))
                              : file_folder(folder, err);
    if (rc == 0)
        rc = use == STORE_READ ? open_reading(store, err)
                               : open_writing(store, folder, there && about.st_size > 0, err);
    if (rc == 0)
        rc = teams_load(store, err);
    if (rc != 0) {
        store_close(store);
        return rc;
    }
    *out = store;
    return 0;
}

int
store_cache(struct store *store, uint64_t bytes, struct err *err)
{
    char text[64];

    (void)snprintf(text, sizeof text, "PRAGMA cache_size = -%llu",
        (unsigned long long)(bytes < 1024 ? 1 : bytes / 1024));
    return say(store, text, err);
}

void
store_relax(struct store *store)
{
    (void)sqlite3_db_release_memory(store->db);
}

void
store_close(struct store *store)
{
    if (store == NULL)
        return;
    if (store->db != NULL && store->changing)
        store_rollback(store);
    disconnect(store);
    if (store->lock >= 0)
        (void)close(store->lock);
    teams_free(&store->teams);
    packer_free(store->packer);
    for (size_t i = 0; i < WORK_BUFS; i++)
        buf_free(&store->work[i]);
    free(store->path);
    free(store);
}
