/* hand.h: how do objects that came from elsewhere get into core's collections?
 *
 * What taxii_posted.h read is handed to core in messages of bounded size: reports through intake,
 * where the collection takes reports, everything else as objects. Doors do so with what is posted,
 * the courier with what it fetched.
 */
#ifndef COMITY_EDGE_HAND_H
#define COMITY_EDGE_HAND_H

#include "edge/taxii_reports.h"

struct hand;

/* Hand POSTED's objects to COLLECTION; REPORTS: those that are reports go through intake. When all
 * that were taken are durable, DONE is called with WHY NULL: POSTED's results say what is wrong
 * with the others. It may be called before this returns, but never after an error or hand_free. WAY
 * (copied) and POSTED outlive the hand. Owner of OUT: the caller. ERR_BUSY, ERR_LIMIT,
 * ERR_NO_MEMORY. */
MUST_USE int hand_begin(const struct posted_way *way, struct span collection, struct posted *posted,
    bool reports, void (*done)(void *ctx, const struct err *why), void *ctx, struct hand **out,
    struct err *err);
void hand_free(struct hand *hand);

#endif
