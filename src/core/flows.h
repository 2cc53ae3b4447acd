/* flows.h: which teams gave reports to this node, and which got reports from it, how many?
 *
 * From counts by day (STAT_GIVEN, STAT_WRITTEN), so that a year costs milliseconds. A team's
 * economy is the first one of its card.
 *
 *   FLOWS  asks since i64, until i64 (of inputs.def); answers Flows (share/openapi/schemas.json)
 */
#ifndef COMITY_CORE_FLOWS_H
#define COMITY_CORE_FLOWS_H

#include "core/core.h"

/* Of some days, by the store's number of the team. */
struct flows {
    uint32_t first; /* days since 1970 */
    uint32_t last;  /* the day behind them */
    uint64_t *in;
    uint64_t *out;
    size_t count;
};

/* Those of today; in ARENA. The store's errors, ERR_LIMIT. */
MUST_USE int flows_today(
    struct core *core, struct arena *arena, struct flows *out, struct err *err);
/* The event for teams whose flows of NOW are not those of BEFORE, from number *AT on, some of them;
 * *AT moves behind them. False: there are none. The values are the day's, not what came to them:
 * who has missed one is right again with the next. */
bool flows_tell_changed(const struct core *core, const struct flows *now,
    const struct flows *before, size_t *at, struct buf *json);

#endif
