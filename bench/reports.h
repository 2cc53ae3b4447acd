/* reports.h: which reports does a benchmark run on?
 *
 * Deterministic IDF lines of about 300 bytes with addresses all over the world.
 */
#ifndef COMITY_BENCH_REPORTS_H
#define COMITY_BENCH_REPORTS_H

#include "base/str.h"
#include "model/report.h"

/* Append COUNT lines to OUT; SEED makes other ones. */
void reports_make(struct buf *out, uint64_t count, uint64_t seed);
/* Is given each report, borrowed until it returns 0. */
typedef int reports_take(void *ctx, const struct report *report, struct err *err);
/* The same lines, read. What cannot be read ends the program. */
void reports_read(uint64_t count, uint64_t seed, reports_take *take, void *ctx);

/* The next of a sequence that STATE begins. */
uint64_t reports_random(uint64_t *state);

#endif
