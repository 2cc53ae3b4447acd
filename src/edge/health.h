/* health.h: is the node well, and what does it count?
 *
 * /healthz: this front runs; says so too when the sandbox is off. /readyz: core answers
 * and takes reports in; if not, why, within five seconds. Both for anybody, and without details.
 * /metrics: core's counters and this front's, for who may read.
 */
#ifndef COMITY_EDGE_HEALTH_H
#define COMITY_EDGE_HEALTH_H

#include "edge/door.h"

extern const struct route_family health_family; /* every door */

/* A handler for /metrics. */
int health_metrics(struct request *request, struct err *err);

#endif
