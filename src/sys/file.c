#include "sys/file.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int
failed(struct err *err, const char *path, const char *what)
{
    return err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO,
        "%s cannot be %s: %s", path, what, strerror(errno));
}

static int
write_all(int fd, struct span bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes = (struct span){bytes.p + n, bytes.n - (size_t)n};
    }
    return 0;
}

/* The file's bytes are on disk when this returns 0, if DURABLE; FD is closed in any case. */
static int
write_and_close(int fd, const struct span *parts, size_t count, bool durable)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = write_all(fd, parts[i]);
    if (rc == 0 && durable)
        rc = fsync(fd);
    int why = errno;
    if (close(fd) != 0 && rc == 0)
        return -1;
    errno = why;
    return rc;
}

static int
sync_folder(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *folder = n == 0 ? strdup(".") : strndup(path, n);
    int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;

    if (fd < 0 || fsync(fd) != 0)
        rc = failed(err, path, "made durable (it is complete, but its folder was not synced)");
    if (fd >= 0)
        (void)close(fd);
    free(folder);
    return rc;
}

static int
replace(const char *path, const struct span *parts, size_t count, unsigned mode, bool durable,
    struct err *err)
{
    char temporary[PATH_MAX];
    uint64_t random;

    hash_random(&random, sizeof random);
    int n = snprintf(temporary, sizeof temporary, "%s.%016llx", path, (unsigned long long)random);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return err_set(err, ERR_IO, "%s cannot be written: its name is too long", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0)
        return failed(err, path, "written");
    if (write_and_close(fd, parts, count, durable) != 0) {
        int rc = failed(err, path, "written");
        (void)unlink(temporary);
        return rc;
    }
    if (rename(temporary, path) != 0) {
        int rc = failed(err, path, "replaced");
        (void)unlink(temporary);
        return rc;
    }
    return durable ? sync_folder(path, err) : 0;
}

int
file_write_atomic(
    const char *path, const struct span *parts, size_t count, unsigned mode, struct err *err)
{
    return replace(path, parts, count, mode, true, err);
}

int
file_write_hint(
    const char *path, const struct span *parts, size_t count, unsigned mode, struct err *err)
{
    return replace(path, parts, count, mode, false, err);
}

int
file_settle(const char *temporary, const char *path, struct err *err)
{
    int fd = open(temporary, O_RDONLY | O_CLOEXEC);
    int rc = 0;

    if (fd < 0 || fsync(fd) != 0)
        rc = failed(err, path, "written");
    if (fd >= 0)
        (void)close(fd);
    if (rc == 0 && link(temporary, path) != 0)
        rc = errno == EEXIST ? err_set(err, ERR_EXISTS, "%s is there, and stays as it is", path)
                             : failed(err, path, "made");
    (void)unlink(temporary);
    return rc == 0 ? sync_folder(path, err) : rc;
}

int
file_folder(const char *path, struct err *err)
{
    char part[PATH_MAX];
    struct stat about;
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof part)
        return err_set(err, ERR_IO, "\"%s\" is no path of a folder, or too long", path);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, 0700) == 0) {
            int rc = sync_folder(part, err);
            if (rc != 0)
                return rc;
        } else if (errno != EEXIST)
            return failed(err, part, "made");
        part[i] = path[i];
    }
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))
        return err_set(err, ERR_IO, "%s is no folder", path);
    return 0;
}

static int
take_lock(const char *path, int how, int *fd, struct err *err)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return failed(err, path, "opened");
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int rc;
    do
        rc = fcntl(*fd, how, &whole);
    while (rc != 0 && errno == EINTR);
    if (rc == 0)
        return 0;
    rc = how == F_OFD_SETLK && (errno == EAGAIN || errno == EACCES)
        ? err_set(err, ERR_EXISTS, "%s is locked by another process", path)
        : failed(err, path, "locked");
    (void)close(*fd);
    *fd = -1;
    return rc;
}

int
file_lock(const char *path, int *fd, struct err *err)
{
    return take_lock(path, F_OFD_SETLKW, fd, err);
}

int
file_try_lock(const char *path, int *fd, struct err *err)
{
    return take_lock(path, F_OFD_SETLK, fd, err);
}

int
file_read(const char *path, struct buf *out, struct err *err)
{
    enum { PIECE = 64 * 1024 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;

    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "%s is not there", path);
    if (fd < 0)
        return failed(err, path, "opened");
    do {
        size_t room = out->max_bytes - out->n < PIECE ? out->max_bytes - out->n + 1 : PIECE;
        char piece[PIECE];
        n = read(fd, piece, room < PIECE ? room : PIECE);
        if (n > 0)
            buf_add(out, piece, (size_t)n);
    } while ((n > 0 && !out->full) || (n < 0 && errno == EINTR));
    int rc = n < 0 ? failed(err, path, "read") : buf_check(out, path, err);
    (void)close(fd);
    return rc;
}
