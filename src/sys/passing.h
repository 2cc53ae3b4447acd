/* passing.h: how do descriptors go with bytes over a socket pair?
 *
 * For sys/channel.c: a list of descriptors that wait, in either direction, and the two system calls
 * that carry them (SCM_RIGHTS, unix(7)).
 */
#ifndef COMITY_SYS_PASSING_H
#define COMITY_SYS_PASSING_H

#include "base/err.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { PASSING_MAX = 64, PASSING_A_READ = 4 /* more at once is no frame of ours */ };

struct passing {
    int fd[PASSING_MAX];
    uint64_t at[PASSING_MAX]; /* sending: how many bytes go before its frame */
    size_t n;
};

void passing_close(struct passing *passing);
/* The first, taken off; the caller's now. There must be one. */
int passing_first(struct passing *passing);

/* COUNT PARTS as they are over SOCKET, with a descriptor unless FD is -1. How many bytes went; -1
 * and errno. Never waits. */
ssize_t passing_send(int socket, struct iovec *parts, size_t count, int fd);
/* Room for the descriptors of one read. */
union passing_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(PASSING_A_READ * sizeof(int))];
};
/* Those that came with a read GOT are ours, whatever comes of it. ERR_INTERNAL: too many. */
MUST_USE int passing_keep(struct passing *passing, struct msghdr *got, struct err *err);

#endif
