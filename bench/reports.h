/* reports.h: which reports does a benchmark run on?
 *
 * Deterministic IDF lines of about 300 bytes with addresses all over the world.
 */
#ifndef COMITY_BENCH_REPORTS_H
#define COMITY_BENCH_REPORTS_H

#include "base/str.h"

/* Append COUNT lines to OUT; SEED makes other ones. */
void reports_make(struct buf *out, uint64_t count, uint64_t seed);

#endif
