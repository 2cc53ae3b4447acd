/* resolve.h: at which addresses is this name?
 *
 * By c-ares, in the loop: the C library's resolver and libcurl's threads want calls that the
 * courier's walls refuse (doc/why/0014). It asks the servers of /etc/resolv.conf as they were when
 * the process began; /etc/hosts counts.
 */
#ifndef COMITY_EDGE_RESOLVE_H
#define COMITY_EDGE_RESOLVE_H

#include "sys/loop.h"

#include "base/str.h"

enum { LOOKUP_ROW_BYTES = 2048 };

struct resolver;
struct lookup;

/* Before the walls are up. SERVERS: "192.0.2.53,192.0.2.54:5353" are asked; n 0: the system's.
 * ERR_IO, ERR_NO_MEMORY, ERR_BAD_CONFIG. */
MUST_USE int resolver_new(
    struct loop *loop, struct span servers, struct resolver **out, struct err *err);
/* Lookups that are under way are told of ERR_UNREACHABLE. */
void resolver_free(struct resolver *resolver);

/* ADDRESSES: "192.0.2.1,[2001:db8::1]", the best first; good for SECONDS. Or WHY: ERR_UNREACHABLE,
 * ERR_NO_MEMORY. */
typedef void lookup_done(void *ctx, struct span addresses, int64_t seconds, const struct err *why);
/* Look for HOST's. DONE is called once, from the loop; OUT is worth nothing afterwards.
 * ERR_NO_MEMORY, ERR_LIMIT: it is not called. */
MUST_USE int lookup_begin(struct resolver *resolver, struct span host, lookup_done *done, void *ctx,
    struct lookup **out, struct err *err);
/* Nobody waits for it any more. */
void lookup_forget(struct lookup *lookup);

/* A row of CURLOPT_RESOLVE, ended by NUL: libcurl finds HOST at ADDRESSES, and asks nobody.
 * ERR_LIMIT when OUT is full. */
MUST_USE int lookup_row(
    struct buf *out, struct span host, uint16_t port, struct span addresses, struct err *err);

#endif
