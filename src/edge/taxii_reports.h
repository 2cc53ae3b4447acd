/* taxii_reports.h: which posted objects are reports, and have they been taken in?
 *
 * Reports among posted objects (observed-data, indicators of plain values, Comity's notes) go the
 * way of all reports: as records, through core's intake. What is left is kept as it came.
 */
#ifndef COMITY_EDGE_TAXII_REPORTS_H
#define COMITY_EDGE_TAXII_REPORTS_H

#include "edge/door.h"
#include "edge/taxii_posted.h"

/* Hand on the reports of POSTED; when they are durable (or there were none), DONE is called.
 * Objects that became reports, or only served one, have no json any more; those that cannot be read
 * have a fault. POSTED lives as long as the request. A refusal of core's is answered. */
MUST_USE int taxii_reports(struct request *request, struct posted *posted,
    int (*done)(struct request *request, void *ctx, struct err *err), void *ctx, struct err *err);

#endif
