/* seen.h: was this very report among the last ones?
 *
 * An exact window: a report is a duplicate if its digest is among those of the last
 * WINDOW reports that were new. Memory is 16 bytes a report of the window, once.
 */
#ifndef COMITY_FLOW_SEEN_H
#define COMITY_FLOW_SEEN_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct seen;

/* WINDOW is rounded up to a power of two; at most 2^26. NULL when out of memory. */
struct seen *seen_new(uint64_t window);
void seen_free(struct seen *seen);
/* Fetch what seen_add will look at. */
void seen_prefetch(const struct seen *seen, uint64_t digest);
/* Is DIGEST in the window? */
bool seen_has(const struct seen *seen, uint64_t digest);
/* The same; if not, it is put there and the oldest leaves. */
bool seen_add(struct seen *seen, uint64_t digest);

#endif
