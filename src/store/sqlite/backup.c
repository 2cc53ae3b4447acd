#include "store/sqlite/db.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { STEP_PAGES = 256, WAIT_MS = 10000 };

/* Another connection: what this one has not committed is not in the copy. The snapshot stays the
 * same while others write, because a reading transaction is open. */
static int
open_snapshot(struct store *store, sqlite3 **from, struct err *err)
{
    int sqlite = sqlite3_open_v2(store->path, from,
        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    (void)sqlite3_busy_timeout(*from, WAIT_MS);
    if (sqlite == SQLITE_OK)
        sqlite = sqlite3_exec(*from, "BEGIN; SELECT COUNT(*) FROM sqlite_master", NULL, NULL, NULL);
    return sqlite == SQLITE_OK
        ? 0
        : err_set(err, ERR_IO, "%s cannot be read: %s", store->path, sqlite3_errstr(sqlite));
}

static int
open_copy(const char *path, sqlite3 **to, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || close(fd) != 0)
        return err_set(err, ERR_IO, "%s cannot be made: %s", path, strerror(errno));
    int sqlite = sqlite3_open_v2(
        path, to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    /* It counts when it has its name, and not before: no journal is needed. */
    if (sqlite == SQLITE_OK)
        sqlite = sqlite3_exec(
            *to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
    return sqlite == SQLITE_OK
        ? 0
        : err_set(err, ERR_IO, "%s cannot be written: %s", path, sqlite3_errstr(sqlite));
}

static int
copy(sqlite3 *from, sqlite3 *to, const char *path, store_progress *progress, void *ctx,
    struct err *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int step = SQLITE_OK;

    if (backup == NULL)
        return err_set(err, ERR_IO, "%s cannot be written: %s", path, sqlite3_errmsg(to));
    while (step == SQLITE_OK) {
        step = sqlite3_backup_step(backup, STEP_PAGES);
        uint64_t total = (uint64_t)sqlite3_backup_pagecount(backup);
        if (progress != NULL)
            progress(ctx, total - (uint64_t)sqlite3_backup_remaining(backup), total);
    }
    (void)sqlite3_backup_finish(backup);
    return step == SQLITE_DONE
        ? 0
        : err_set(err, step == SQLITE_NOMEM ? ERR_NO_MEMORY : ERR_IO,
            "the copy %s cannot be completed: %s", path, sqlite3_errstr(step));
}

int
store_backup(
    struct store *store, const char *path, store_progress *progress, void *ctx, struct err *err)
{
    char part[PATH_MAX];
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;

    if (access(path, F_OK) == 0)
        return err_set(err, ERR_EXISTS, "%s is there, and stays as it is", path);
    int n = snprintf(part, sizeof part, "%s.%ld.part", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof part)
        return err_set(err, ERR_IO, "%s cannot be made: its name is too long", path);
    int rc = open_snapshot(store, &from, err);
    if (rc == 0)
        rc = open_copy(part, &to, err);
    if (rc == 0)
        rc = copy(from, to, part, progress, ctx, err);
    (void)sqlite3_close(to);
    (void)sqlite3_close(from);
    if (rc == 0)
        return file_settle(part, path, err);
    (void)unlink(part);
    return rc;
}
