#include "sys/notify.h"

#include "base/str.h"
#include "sys/clock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or "@name": a name that is no file. */
static int
lead_to(int fd, const char *name)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof to.sun_path) {
        errno = EINVAL;
        return -1;
    }
    memcpy(to.sun_path, name, n);
    if (name[0] == '@')
        to.sun_path[0] = '\0';
    return connect(
        fd, (const struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

static int64_t
awaited_us(void)
{
    const char *every = getenv("WATCHDOG_USEC");
    const char *whose = getenv("WATCHDOG_PID");
    uint64_t us;
    uint64_t pid;

    if (every == NULL || !span_u64(span_of(every), &us) || us > INT64_MAX)
        return 0;
    if (whose != NULL && (!span_u64(span_of(whose), &pid) || pid != (uint64_t)getpid()))
        return 0;
    return (int64_t)us;
}

int
notify_open(struct notify *notify, struct err *err)
{
    const char *name = getenv("NOTIFY_SOCKET");
    int rc = 0;

    *notify = (struct notify){.fd = -1, .watchdog_us = awaited_us()};
    if (name != NULL && name[0] != '\0') {
        notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (notify->fd < 0 || lead_to(notify->fd, name) != 0) {
            rc = err_set(err, ERR_IO, "the service manager's socket %s cannot be reached: %s", name,
                strerror(errno));
            notify_close(notify);
        }
    }
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    return rc;
}

void
notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        (void)close(notify->fd);
    notify->fd = -1;
}

void
notify_say(const struct notify *notify, const char *state)
{
    if (notify->fd >= 0 && send(notify->fd, state, strlen(state), MSG_NOSIGNAL) < 0)
        return; /* there is nobody to tell */
}

void
notify_ready(const struct notify *notify, const char *status)
{
    char state[256];

    (void)snprintf(state, sizeof state, "READY=1\nSTATUS=%s", status);
    notify_say(notify, state);
}

void
notify_reloading(const struct notify *notify)
{
    char state[64];

    (void)snprintf(
        state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_ticks_us());
    notify_say(notify, state);
}

void
notify_stopping(const struct notify *notify)
{
    notify_say(notify, "STOPPING=1");
}

void
notify_watchdog(const struct notify *notify)
{
    notify_say(notify, "WATCHDOG=1");
}
