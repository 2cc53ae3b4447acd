/* taxii_reports.h: which posted objects are reports, and have they been taken in?
 *
 * Reports among posted objects (observed-data, indicators of plain values, Comity's notes) go the
 * way of all reports: as records, through core's intake. What is left is kept as it came.
 */
#ifndef COMITY_EDGE_TAXII_REPORTS_H
#define COMITY_EDGE_TAXII_REPORTS_H

#include "edge/talk.h"
#include "edge/taxii_posted.h"

struct taxii_reports;

/* As whom, and where, posted objects are handed to core; all of it outlives their way. */
struct posted_way {
    struct talks *talks;
    const struct caller *caller;
    struct arena *arena;
    struct span name; /* for people: where they came from */
};

/* Hand on the reports of POSTED; when they are durable (or there were none), DONE is called, with
 * WHY NULL: perhaps before this returns, never after an error or taxii_reports_free. Objects that
 * became reports, or only served one, have no json any more; those that cannot be read have a
 * fault. Owner of OUT: the caller. ERR_BUSY, ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int taxii_reports_begin(const struct posted_way *way, struct posted *posted,
    void (*done)(void *ctx, const struct err *why), void *ctx, struct taxii_reports **out,
    struct err *err);
/* What was not durable yet is broken off. */
void taxii_reports_free(struct taxii_reports *reports);

#endif
