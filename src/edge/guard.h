/* guard.h: may these bytes be a request at all, and has this client had time enough?
 *
 * What libmicrohttpd 0.9.75 lets through and RFC 9112 forbids is refused here, before a handler
 * sees it; doc/why/0010-http-guard.md says what was measured. Each connection has deadlines: for
 * the head, for the body (a least rate), for the answer (a least rate), for idling; behind one it
 * is shut down. Connections are counted, in all and per address (IPv6: per /64).
 */
#ifndef COMITY_EDGE_GUARD_H
#define COMITY_EDGE_GUARD_H

#include "base/str.h"

#include <netinet/in.h>

struct guard;
struct request;
struct tls_set;

struct guard_limits {
    uint32_t connections;             /* in all */
    uint32_t connections_per_address; /* 0: not counted */
    uint32_t
        head_s; /* from a connection's beginning, or the request's line, to the end of the head */
    uint32_t idle_s;  /* from one request's end to the next one's line */
    uint32_t grace_s; /* before a rate is asked for */
    uint32_t rate;    /* bytes a second, body and answer */
    uint32_t head_bytes;
};
extern const struct guard_limits guard_usual;

struct guard_conn {
    struct guard_conn *next;
    struct guard_conn *prev;
    int fd;
    uint64_t address; /* hash of what is counted; 0: not counted */
    char peer[INET6_ADDRSTRLEN];
    struct request *request; /* NULL: idle */
    struct tls_set *tls;     /* NULL: plain */
    char fingerprint[65];    /* of the client's certificate; "": none, or not asked for yet */
    bool fingerprint_known;
    int64_t since_us;  /* ticks: when it began what it does now */
    uint64_t moved;    /* bytes since, of a body or an answer */
    int64_t paused_us; /* ticks that were ours, not the client's */
    uint8_t phase;     /* enum guard_phase */
    bool used;         /* had a request before */
    bool shut;
};
enum guard_phase {
    GUARD_IDLE,   /* nothing of a request has come, that we know of */
    GUARD_HEAD,   /* its line has */
    GUARD_BODY,   /* its body is coming */
    GUARD_OURS,   /* we work */
    GUARD_ANSWER, /* the answer goes out */
};

MUST_USE int guard_new(const struct guard_limits *limits, struct guard **out, struct err *err);
void guard_free(struct guard *guard);
/* Other limits, but for the numbers of connections. */
void guard_set_limits(struct guard *guard, const struct guard_limits *limits);

/* May one more come from there? */
bool guard_admits(const struct guard *guard, const struct sockaddr *from, socklen_t n);
/* NULL: out of memory. */
struct guard_conn *guard_began(struct guard *guard, int fd, const struct sockaddr *from);
void guard_ended(struct guard *guard, struct guard_conn *conn);
size_t guard_connections(const struct guard *guard);
void guard_each(struct guard *guard, void (*each)(void *ctx, struct guard_conn *conn), void *ctx);

void guard_phase(struct guard_conn *conn, enum guard_phase phase, int64_t now_us);
/* Shut down those whose time is up; call about once a second. Returns how many were. */
size_t guard_sweep(struct guard *guard, int64_t now_us);
void guard_shut_one(struct guard_conn *conn);
/* Shut down all that are idle, or all. */
void guard_shut(struct guard *guard, bool all);

/* May it be a header's value, in either direction: without control bytes but for tabs? */
bool guard_is_value(struct span text);
/* Is the head of this request, whose headers have all come, one that may be served? Errors:
 * ERR_BAD_VALUE with the reason, ERR_LIMIT: too large. */
MUST_USE int guard_check_head(const struct request *request, const char *version, struct err *err);

#endif
