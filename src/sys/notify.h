/* notify.h: what does the service manager hear of how we are?
 *
 * systemd's protocol (sd_notify(3)): one datagram to the socket that NOTIFY_SOCKET names. Where it
 * names none, nothing is said.
 */
#ifndef COMITY_SYS_NOTIFY_H
#define COMITY_SYS_NOTIFY_H

#include "base/err.h"

#include <stdint.h>

struct notify {
    int fd;              /* -1: nobody listens */
    int64_t watchdog_us; /* WATCHDOG=1 is awaited at least so often; 0: not */
};

/* From the environment, which no longer has it afterwards. ERR_IO. */
MUST_USE int notify_open(struct notify *notify, struct err *err);
void notify_close(struct notify *notify);
/* STATE is one or more lines such as "READY=1". What cannot be said is not. */
void notify_say(const struct notify *notify, const char *state);
/* READY, RELOADING with its time, STOPPING; with STATUS, a sentence for `systemctl status`. */
void notify_ready(const struct notify *notify, const char *status);
void notify_reloading(const struct notify *notify);
void notify_stopping(const struct notify *notify);
void notify_watchdog(const struct notify *notify);

#endif
