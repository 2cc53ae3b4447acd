#include "sys/lent.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct lent {
    char path[LENT_PATH_BYTES]; /* "": none */
    int fd;
    uint64_t turn; /* when it was lent; 0: never */
} lent[LENT_MAX];
static uint64_t turns;

static struct lent *
find(const char *path)
{
    for (size_t i = 0; path[0] != '\0' && i < LENT_MAX; i++)
        if (strcmp(lent[i].path, path) == 0)
            return &lent[i];
    return NULL;
}

/* Which was lent longest ago. */
static struct lent *
oldest(void)
{
    struct lent *at = lent;

    for (size_t i = 1; i < LENT_MAX; i++)
        if (lent[i].turn < at->turn)
            at = &lent[i];
    return at;
}

int
lent_take(struct span path, int fd, struct err *err)
{
    char name[LENT_PATH_BYTES];

    if (path.n == 0 || path.n >= sizeof name || fd < 0) {
        if (fd >= 0)
            (void)close(fd);
        return err_set(err, ERR_LIMIT, "a file came whose path is none");
    }
    (void)snprintf(name, sizeof name, "%.*s", SPAN_ARGS(path));
    struct lent *at = find(name);
    if (at == NULL)
        at = oldest();
    if (at->path[0] != '\0')
        (void)close(at->fd);
    memcpy(at->path, name, sizeof name);
    at->fd = fd;
    at->turn = ++turns;
    return 0;
}

int
lent_open(const char *path, int flags)
{
    const struct lent *at = find(path);

    if (at == NULL)
        return open(path, O_RDONLY | O_CLOEXEC | flags);
    int fd = fcntl(at->fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}
