#include "edge/http_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static int
failed(struct err *err)
{
    return err_set(err, ERR_IO, "a certificate cannot be put into memory: %s", strerror(errno));
}

int
http_file_open(struct http_file *file, const char *name, struct err *err)
{
    file->n = 0;
    file->fd = memfd_create(name, MFD_CLOEXEC);
    if (file->fd < 0)
        return failed(err);
    (void)snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->fd);
    return 0;
}

static int
put(int fd, struct span text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        text.p += n;
        text.n -= (size_t)n;
    }
    return 0;
}

/* The walls let nobody shorten a file: what was longer is written over. */
static int
blank(int fd, size_t n)
{
    static const char lines[] = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";

    for (size_t some; n > 0; n -= some) {
        some = n < sizeof lines - 1 ? n : sizeof lines - 1;
        if (put(fd, (struct span){lines, some}) != 0)
            return -1;
    }
    return 0;
}

int
http_file_fill(struct http_file *file, struct span text, struct err *err)
{
    size_t rest = file->n > text.n ? file->n - text.n : 0;

    if (lseek(file->fd, 0, SEEK_SET) != 0 || put(file->fd, text) != 0 || blank(file->fd, rest) != 0)
        return failed(err);
    file->n = text.n;
    return 0;
}

bool
http_file_is_there(const struct http_file *file)
{
    return file->n > 0;
}

void
http_file_close(struct http_file *file)
{
    if (file->fd >= 0)
        (void)close(file->fd);
    file->fd = -1;
}
