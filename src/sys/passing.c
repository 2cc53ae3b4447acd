#include "sys/passing.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

void
passing_close(struct passing *passing)
{
    for (size_t i = 0; i < passing->n; i++)
        (void)close(passing->fd[i]);
    passing->n = 0;
}

int
passing_first(struct passing *passing)
{
    int fd = passing->fd[0];

    passing->n--;
    memmove(passing->fd, passing->fd + 1, passing->n * sizeof passing->fd[0]);
    memmove(passing->at, passing->at + 1, passing->n * sizeof passing->at[0]);
    return fd;
}

ssize_t
passing_send(int socket, struct iovec *parts, size_t count, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t n;

    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    do
        n = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n;
}

int
passing_keep(struct passing *passing, struct msghdr *got, struct err *err)
{
    bool too_many = (got->msg_flags & MSG_CTRUNC) != 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(got); c != NULL; c = CMSG_NXTHDR(got, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= c->cmsg_len; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (passing->n < PASSING_MAX)
                passing->fd[passing->n++] = fd;
            else {
                (void)close(fd);
                too_many = true;
            }
        }
    }
    return too_many ? err_set(err, ERR_INTERNAL, "more descriptors came than there are messages")
                    : 0;
}
