/* figures.h: what is on its way to whom, and what was counted?
 *
 * Core's side of OUTBOX and STATISTICS; both answer JSON (share/openapi/schemas.json).
 *
 *   OUTBOX      asks nothing; answers OutboxList
 *   STATISTICS  asks since i64, until i64, by text (of inputs.def); answers Statistics
 */
#ifndef COMITY_CORE_FIGURES_H
#define COMITY_CORE_FIGURES_H

#include "core/core.h"

/* Does what was counted balance (tables/stats.def)? TOTALS has one value a number of stats.def. */
enum { FIGURES_NUMBERS = 24 };
bool figures_balance(const uint64_t totals[FIGURES_NUMBERS]);

/* What is on its way to all teams together. What lies here for our own people waits for nobody else
 * and may lie for ever: it is counted apart, and is never the oldest. */
struct figures_way {
    uint64_t due; /* for our own team, too */
    uint64_t waiting;
    uint64_t delivered;
    uint64_t failed;
    uint64_t own;      /* is here for our own team; no program of it has fetched it */
    int64_t oldest_us; /* of what is due or waiting; 0: nothing is */
};
/* Errors: as store_queues. */
MUST_USE int figures_way(
    struct core *core, struct arena *arena, struct figures_way *out, struct err *err);
/* Is TEAM (the store's number) our own? */
bool figures_own(const struct core *core, uint32_t team);

/* Days since 1970: of a time; from *FIRST, before *LAST, of `since` and `until` as inputs.def has
 * them for counts; and told as `"day":"2026-01-31"`, 0 as null. */
uint32_t figures_day(int64_t us);
void figures_days(struct wire_in *in, uint32_t *first, uint32_t *last);
void figures_tell_day(struct buf *out, uint32_t day);

#endif
