/* figures.h: what is on its way to whom, and what was counted?
 *
 * Core's side of OUTBOX and STATISTICS; both answer JSON (share/openapi/schemas.json).
 *
 *   OUTBOX      asks nothing; answers OutboxList
 *   STATISTICS  asks since i64, until i64 (of inputs.def); answers Statistics
 */
#ifndef COMITY_CORE_FIGURES_H
#define COMITY_CORE_FIGURES_H

#include "core/core.h"

/* Does what was counted balance (tables/stats.def)? TOTALS has one value a number of stats.def. */
enum { FIGURES_NUMBERS = 16 };
bool figures_balance(const uint64_t totals[FIGURES_NUMBERS]);

#endif
