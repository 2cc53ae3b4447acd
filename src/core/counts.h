/* counts.h: how many of each, since the last transaction?
 *
 * Collects the rows of store_count_add, one for each team, name (stats.def) and classification.
 */
#ifndef COMITY_CORE_COUNTS_H
#define COMITY_CORE_COUNTS_H

#include "store/store.h"

enum stat {
#define STAT(name, number, word, text) STAT_##name = (number),
#include "tables/stats.def"
#undef STAT
};

enum { COUNTS_SLOTS = 8192, COUNTS_MOST = COUNTS_SLOTS / 2 };

struct counts {
    struct {
        uint64_t key;
        uint64_t value; /* 0: free */
    } slots[COUNTS_SLOTS];
    uint32_t used[COUNTS_MOST];
    uint32_t count;
};

/* At most COUNTS_MOST different ones; the caller looks at `count` before. VALUE is not 0. */
void counts_add(
    struct counts *counts, enum stat stat, uint32_t team, uint8_t classification, uint64_t value);
/* Into the store, for the day of NOW_US; empty afterwards if that went well. */
MUST_USE int counts_keep(
    struct counts *counts, struct store *store, int64_t now_us, struct err *err);
void counts_clear(struct counts *counts);

#endif
