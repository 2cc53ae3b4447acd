#include "sys/spool.h"

#include "sys/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
part_name(const struct spool *spool, char out[SPOOL_NAME_BYTES + 8])
{
    (void)snprintf(out, SPOOL_NAME_BYTES + 8, ".%s.part", spool->name);
}

int
spool_init(struct spool *spool, int folder, struct span name, struct err *err)
{
    if (name.n == 0 || name.n >= SPOOL_NAME_BYTES || span_equal(name, SPAN("."))
        || span_equal(name, SPAN("..")) || memchr(name.p, '/', name.n) != NULL)
        return err_set(err, ERR_BAD_NAME, "\"%.*s\" cannot be a file's name", SPAN_ARGS(name));
    *spool = (struct spool){.folder = folder, .buf = buf_new(SPOOL_ITEM_BYTES)};
    memcpy(spool->name, name.p, name.n);
    return 0;
}

void
spool_device(struct spool *spool, int fd, const char *name)
{
    *spool = (struct spool){.folder = fd, .device = true, .buf = buf_new(SPOOL_ITEM_BYTES)};
    (void)snprintf(spool->name, sizeof spool->name, "%s", name);
}

static int
failed(const struct spool *spool, const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "%s cannot be %s: %s", spool->name, what, strerror(errno));
}

static int
write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR)
            return -1;
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

/* A part of a run that was killed is in nobody's way; one that appears again is not ours. */
static int
open_part(struct spool *spool)
{
    char part[SPOOL_NAME_BYTES + 8];
    int flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW;

    part_name(spool, part);
    if (spool->started)
        return openat(spool->folder, part, flags | O_APPEND);
    (void)unlinkat(spool->folder, part, 0);
    return openat(spool->folder, part, flags | O_CREAT | O_EXCL, 0600);
}

/* Nobody may be reading at the other end: a wait there ends when asked to. */
static int
flush_device(struct spool *spool, struct err *err)
{
    int rc = 0;

    for (size_t at = 0; rc == 0 && at < spool->buf.n;) {
        ssize_t n = write(spool->folder, spool->buf.p + at, spool->buf.n - at);
        if (n >= 0)
            at += (size_t)n;
        else if (errno != EINTR || stop_asked())
            rc = failed(spool, "written", err);
    }
    spool->buf.n = 0;
    return rc;
}

static int
flush(struct spool *spool, bool sync, struct err *err)
{
    int rc = buf_check(&spool->buf, spool->name, err);

    if (rc != 0)
        return rc;
    if (spool->device)
        return flush_device(spool, err);
    int fd = open_part(spool);
    if (fd < 0)
        return failed(spool, "written", err);
    spool->started = true;
    bool bad = write_all(fd, spool->buf.p, spool->buf.n) != 0 || (sync && fsync(fd) != 0);
    spool->buf.n = 0;
    if (bad)
        rc = failed(spool, "written", err);
    if (close(fd) != 0 && rc == 0)
        rc = failed(spool, "written", err);
    return rc;
}

int
spool_flush_if_large(struct spool *spool, struct err *err)
{
    return spool->buf.n < SPOOL_BUFFER_BYTES && !spool->buf.full ? 0 : flush(spool, false, err);
}

int
spool_settle(struct spool *spool, struct err *err)
{
    int rc = flush(spool, true, err);

    spool->settled = rc == 0;
    return rc;
}

int
spool_publish(struct spool *spool, struct err *err)
{
    char part[SPOOL_NAME_BYTES + 8];
    int rc = spool->settled ? 0 : flush(spool, true, err);

    if (rc != 0 || spool->device)
        return rc;
    part_name(spool, part);
    if (renameat(spool->folder, part, spool->folder, spool->name) != 0)
        return failed(spool, "published", err);
    spool->started = false;
    return 0;
}

void
spool_drop(struct spool *spool)
{
    char part[SPOOL_NAME_BYTES + 8];

    if (spool->started) {
        part_name(spool, part);
        (void)unlinkat(spool->folder, part, 0);
    }
    buf_free(&spool->buf);
    spool->started = false;
}

int
spool_folder(const char *path, int *fd, struct err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "the folder %s cannot be made: %s", path, strerror(errno));
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd >= 0
        ? 0
        : err_set(err, ERR_IO, "the folder %s cannot be opened: %s", path, strerror(errno));
}

int
spool_sync_folder(int folder, struct err *err)
{
    return fsync(folder) == 0
        ? 0
        : err_set(err, ERR_IO, "a folder cannot be synced: %s", strerror(errno));
}
