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

/* Days since 1970: of a time; from *FIRST, before *LAST, of `since` and `until` as inputs.def has
 * them for counts; and told as `"day":"2026-01-31"`, 0 as null. */
uint32_t figures_day(int64_t us);
void figures_days(struct wire_in *in, uint32_t *first, uint32_t *last);
void figures_tell_day(struct buf *out, uint32_t day);

#endif
