/* listen.h: on which sockets does the world reach this node?
 *
 * All that come out do not block, close on exec, and are the caller's.
 */
#ifndef COMITY_SYS_LISTEN_H
#define COMITY_SYS_LISTEN_H

#include "base/str.h"

#include <stdint.h>

enum { LISTEN_TEXT_BYTES = 64 };

/* HOST is an address of either family (IPv6 without IPv4); port 0: any that is free. SHOWN says
 * what it became, "127.0.0.1:8443". ERR_IO in words for the operator. */
MUST_USE int listen_tcp(
    struct span host, uint16_t port, int *fd, char shown[LISTEN_TEXT_BYTES], struct err *err);
/* PATH for its owner alone; what is there already, left by somebody who was killed, is replaced if
 * it is a socket. ERR_IO, ERR_LIMIT (107 bytes). */
MUST_USE int listen_unix(const char *path, int *fd, struct err *err);

#endif
