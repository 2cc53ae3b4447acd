/* pause.h: when is it tried again?
 */
#ifndef COMITY_EDGE_PAUSE_H
#define COMITY_EDGE_PAUSE_H

#include "base/str.h"

/* How long to wait after the FAILURESth failure in a row: FIRST_US, twice as long each time,
 * MOST_US at most; of that three quarters to five, as CHANCE (any number) says, so that those that
 * failed together do not come back together. */
int64_t pause_us(uint32_t failures, int64_t first_us, int64_t most_us, uint64_t chance);

/* What Retry-After asks for (RFC 9110, section 10.2.3), from NOW_US on: microseconds, a day at
 * most; 0: nothing that can be read. */
int64_t pause_asked_us(struct span retry_after, int64_t now_us);

#endif
