/* retain.h: what is so old that it is kept no longer?
 *
 * A little at a time: some batches and pieces each second while there are any, else a look each
 * minute. A clock that jumps could make everything look old, so what it says counts again only when
 * it has run evenly for a day; so too when a node starts and the newest report is a week old.
 */
#ifndef COMITY_CORE_RETAIN_H
#define COMITY_CORE_RETAIN_H

#include "store/store.h"

struct retain {
    bool begun;
    int64_t offset_us; /* clock less ticks, when it was looked last */
    int64_t next_us;   /* ticks */
    bool waits;        /* the clock jumped: until next_us */
};

struct retain_now {
    int64_t clock_us; /* sys/clock.h */
    int64_t ticks_us;
    int64_t reports_us; /* how long they are kept; 0: for ever */
    int64_t pieces_us;
    int64_t receipts_us;
};

/* Is it time to look? */
bool retain_due(const struct retain *retain, int64_t ticks_us);
struct retain_done {
    uint32_t pieces; /* and batches */
    uint32_t receipts;
};
/* In the open transaction, or a new one. After an error it looks again at once. */
MUST_USE int retain_step(struct retain *retain, struct store *store, const struct retain_now *now,
    struct retain_done *done, struct err *err);

#endif
