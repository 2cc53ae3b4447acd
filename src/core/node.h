/* node.h: how is the node, and what happens in it right now?
 *
 * Core's side of STATUS, METRICS and EVENTS. A listener is told of changes once a second at most;
 * their number is bounded, and whoever does not read is told less, never stored for.
 *
 *   STATUS   asks detail u8; answers JSON (share/openapi/schemas.json, Status). Without detail: is
 *            the node ready? ERR_BUSY: it answers, but takes no report in
 *   METRICS  asks nothing; answers the text format of Prometheus
 *   EVENTS   asks nothing; answers EVENT again and again: name text, JSON text; both n 0: nothing
 *            happened, the listener is still there
 */
#ifndef COMITY_CORE_NODE_H
#define COMITY_CORE_NODE_H

#include "core/core.h"

struct events;

enum { EVENTS_LISTENERS_MAX = 64 };

/* CORE has its store and loop. NULL: no memory. */
struct events *events_new(struct core *core);
void events_free(struct events *events);
/* Tell every listener. JSON is one object. For what happens seldom; counts are told by the clock.
 */
void events_tell(struct core *core, const char *name, struct span json);
/* DOOR's channel has gone, and with it its listeners. */
void events_gone(struct core *core, enum door door);

/* An answer of any length, in parts that a channel takes. */
MUST_USE int node_answer(
    struct core *core, const struct ask *ask, struct buf *body, struct err *err);

/* The same to who asked under TAG at DOOR. BODY is freed. */
MUST_USE int node_say(
    struct core *core, enum door door, uint64_t tag, struct buf *body, struct err *err);

/* A gauge of METRICS. */
void node_gauge(struct buf *out, const char *name, const char *help, uint64_t value);

#endif
