#include "store/resources.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct resources_folder {
    int fd;
    char path[PATH_MAX];
};

int
resources_folder_open(const char *path, struct resources_folder **out, struct err *err)
{
    struct resources_folder *folder = calloc(1, sizeof *folder);

    *out = NULL;
    if (folder == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a folder");
    int n = snprintf(folder->path, sizeof folder->path, "%s", path);
    folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0 || n < 0 || (size_t)n >= sizeof folder->path - TILE_PATH_BYTES) {
        int why = folder->fd < 0 ? errno : ENAMETOOLONG;
        resources_folder_close(folder);
        return err_set(err, why == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s cannot be opened: %s", path,
            strerror(why));
    }
    *out = folder;
    return 0;
}

void
resources_folder_close(struct resources_folder *folder)
{
    if (folder == NULL)
        return;
    if (folder->fd >= 0)
        (void)close(folder->fd);
    free(folder);
}

/* ---- reading ---- */

static int
failed(const struct resources_folder *folder, const char *path, const char *what, struct err *err)
{
    int why = errno;

    return err_set(err, why == ENOENT || why == ENOTDIR ? ERR_NOT_FOUND : ERR_IO,
        "%s/%s cannot be %s: %s", folder->path, path, what, strerror(why));
}

static int
read_all(int fd, size_t n, struct buf *out)
{
    char *at = buf_reserve(out, n);

    for (size_t got = 0; at != NULL && got < n;) {
        ssize_t part = read(fd, at + got, n - got);
        if (part < 0 && errno == EINTR)
            continue;
        if (part == 0)
            errno = EIO; /* it became shorter meanwhile */
        if (part <= 0)
            return -1;
        got += (size_t)part;
    }
    if (at != NULL)
        out->n += n;
    return 0;
}

static int
get(void *ctx, const char *path, struct buf *out, struct err *err)
{
    const struct resources_folder *folder = ctx;
    struct stat about;
    /* A copy of a log may hold anything: a FIFO must not make us wait. */
    int fd = openat(folder->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int rc = 0;

    if (fd < 0)
        return failed(folder, path, "read", err);
    if (fstat(fd, &about) != 0)
        rc = failed(folder, path, "read", err);
    else if (!S_ISREG(about.st_mode))
        rc = err_set(err, ERR_IO, "%s/%s is no regular file", folder->path, path);
    else if (about.st_size > RESOURCES_BYTES_MAX)
        rc = err_set(err, ERR_LIMIT, "%s/%s is larger than %d bytes", folder->path, path,
            RESOURCES_BYTES_MAX);
    else if (read_all(fd, (size_t)about.st_size, out) != 0)
        rc = failed(folder, path, "read", err);
    (void)close(fd);
    return rc != 0 ? rc : buf_check(out, path, err);
}

/* ---- writing ---- */

static int
put(void *ctx, const char *path, struct span bytes, struct err *err)
{
    const struct resources_folder *folder = ctx;
    char whole[PATH_MAX + TILE_PATH_BYTES];
    int rc = 0;

    (void)snprintf(whole, sizeof whole, "%s/%s", folder->path, path);
    char *slash = strrchr(whole, '/');
    *slash = '\0';
    rc = file_folder(whole, err);
    *slash = '/';
    return rc != 0 ? rc : file_write_atomic(whole, &bytes, 1, 0644, err);
}

/* Only partial ones can be there: names are tried, none is read. What is left over harms nobody. */
static int
drop_partial(void *ctx, const char *path, struct err *err)
{
    const struct resources_folder *folder = ctx;
    char whole[TILE_PATH_BYTES + 16];

    (void)err;
    (void)snprintf(whole, sizeof whole, "%s.p", path);
    if (faccessat(folder->fd, whole, F_OK, 0) != 0)
        return 0;
    for (unsigned width = 1; width < TILE_WIDTH; width++) {
        (void)snprintf(whole, sizeof whole, "%s.p/%u", path, width);
        (void)unlinkat(folder->fd, whole, 0);
    }
    (void)snprintf(whole, sizeof whole, "%s.p", path);
    (void)unlinkat(folder->fd, whole, AT_REMOVEDIR);
    return 0;
}

struct resources
resources_folder_view(struct resources_folder *folder)
{
    return (struct resources){get, put, drop_partial, folder};
}
