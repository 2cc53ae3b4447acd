/* door_host.h: a front with routes that only tests have, on loopback, and a core that is played.
 *
 * It runs in a thread of its own; the test is its client.
 */
#ifndef COMITY_TESTS_DOOR_HOST_H
#define COMITY_TESTS_DOOR_HOST_H

#include "edge/front.h"

enum host_core {
    HOST_ANSWERS,   /* questions are answered: "{\"type\":N,...}" */
    HOST_REFUSES,   /* with the error BAD_VALUE, its field "name" */
    HOST_IS_BUSY,   /* with BUSY */
    HOST_IS_SILENT, /* never, until it is closed */
    HOST_IS_GONE,   /* it was closed */
};

enum { HOST_BODIES_BYTES = 20000000 }; /* of all bodies that are collected at once */

struct host {
    int port;
    struct host_state *state;
};

/* LISTEN_FD -1: a port of loopback's is taken. */
void host_start(struct host *host, int listen_fd, const struct guard_limits *limits,
    const struct tls_material *tls);
void host_core(struct host *host, enum host_core how);
/* Another certificate from now on; false: it was refused. */
bool host_certificate(struct host *host, const struct tls_material *tls);
/* Requests that ended, with all that they held. */
unsigned host_ended(const struct host *host);
/* Events said by core so far to nobody's taste: EVENTS_END that came. */
unsigned host_events_ended(const struct host *host);
/* Hand a file over as core does; FD is taken. */
void host_file(struct host *host, int fd);
struct host_streams {
    unsigned closed;   /* streams of reports that core was told the end of */
    unsigned aborted;  /* or that they broke off */
    unsigned problems; /* bytes that were said of the last one's rejections, or of why */
};
struct host_streams host_streams(const struct host *host);
/* Ask it to stop as a front does (finish what runs, for a second); waits for it. */
void host_stop(struct host *host);

extern const struct route_family host_family;

#endif
