/* front.h: how is a door opened, run and closed?
 *
 * A front process has one door; tests make theirs the same way.
 */
#ifndef COMITY_EDGE_FRONT_H
#define COMITY_EDGE_FRONT_H

#include "edge/door.h"
#include "edge/guard.h"
#include "edge/tls.h"
#include "sys/loop.h"

struct front;
struct intake_readers;

#define FRONT_BODIES_USUAL ((uint64_t)256 << 20)

struct front_settings {
    enum door door;
    int listen_fd; /* listening, not blocking; the door's from then on */
    const struct route_family *const *families; /* ended by NULL */
    struct guard_limits limits;
    const struct tls_material *tls; /* NULL: plain */
    const struct intake_readers
        *readers;        /* lives as long as the front; NULL: no reports are taken */
    uint64_t stream_max; /* bytes of a body that is read as it comes; 0: as its route says */
    uint64_t bodies_max; /* bytes of all bodies that are collected at once; 0: as usual */
    bool sandboxed;      /* what /healthz says */
    bool no_metrics;     /* /metrics is not served */
};

/* SETTINGS' families live as long as the door; the rest is copied. Owner: the caller, until
 * front_free. ERR_IO, ERR_NO_MEMORY, ERR_BAD_CONFIG (TLS). */
MUST_USE int front_new(
    struct loop *loop, const struct front_settings *settings, struct front **out, struct err *err);
/* Answers what can still be answered with 503, and closes all connections. */
void front_free(struct front *front);
/* CHANNEL_FD leads to core from now on; it becomes the door's. */
MUST_USE int front_core(struct front *front, int channel_fd, struct err *err);
/* Another certificate for connections that begin from now on. ERR_BAD_CONFIG: the old one stays. */
MUST_USE int front_certificate(
    struct front *front, const struct tls_material *material, struct err *err);
/* Accept nothing more, finish what runs, at most for PATIENCE_US; then STOPPED is called. */
void front_stop(struct front *front, int64_t patience_us, void (*stopped)(void *ctx), void *ctx);
/* What may change while it runs: SETTINGS' limits but for the numbers of connections, stream_max
 * and no_metrics. */
void front_limits(struct front *front, const struct front_settings *settings);

#endif
