/* info.c: how much is in the store? */
#include "store/sqlite/db.h"

#include <stdio.h>
#include <sys/stat.h>

/* In the order of struct store_info. */
static const char *const questions[] = {
    "SELECT COUNT(*) FROM batch",
    "SELECT COALESCE(SUM(reports), 0) FROM batch",
    "SELECT COALESCE(MIN(received_us), 0) FROM batch",
    "SELECT COALESCE(MAX(received_us), 0) FROM batch",
    "SELECT COALESCE(SUM(reports), 0) FROM due",
    "SELECT COUNT(*) FROM held WHERE state = 0",
    "SELECT COUNT(*) FROM collection",
    "SELECT COALESCE(SUM(objects), 0) FROM collection",
    "SELECT COUNT(*) FROM principal",
};

static int
answer(struct store *store, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK
        || sqlite3_step(statement) != SQLITE_ROW)
        rc = db_error(store, "it cannot be looked at", err);
    else
        *out = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return rc;
}

static int64_t
bytes_of(const char *path, const char *suffix)
{
    char name[4096];
    struct stat about;

    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &about) == 0 ? about.st_size : 0;
}

int
store_unused(struct store *store, int64_t *bytes, struct err *err)
{
    int64_t page_bytes = 0;
    int64_t free_pages = 0;
    int rc = answer(store, "PRAGMA page_size", &page_bytes, err);

    if (rc == 0)
        rc = answer(store, "PRAGMA freelist_count", &free_pages, err);
    *bytes = page_bytes * free_pages;
    return rc;
}

int
store_info(struct store *store, struct store_info *out, struct err *err)
{
    int64_t *const fields[] = {&out->batches, &out->reports, &out->oldest_us, &out->newest_us,
        &out->due, &out->held, &out->collections, &out->objects, &out->principals};
    int rc = 0;

    *out = (struct store_info){.version = STORE_VERSION};
    for (size_t i = 0; rc == 0 && i < sizeof questions / sizeof questions[0]; i++)
        rc = answer(store, questions[i], fields[i], err);
    if (rc == 0)
        rc = store_unused(store, &out->free_bytes, err);
    out->file_bytes = bytes_of(store->path, "");
    out->log_bytes = bytes_of(store->path, "-wal");
    return rc;
}
