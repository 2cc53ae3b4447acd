/* pace.h: may this be said to people once more, or was enough of it said this minute?
 *
 * Who sends one wrong thing after another fills no log: ten lines of a kind a minute are told, and
 * of more how many they were, before the next.
 */
#ifndef COMITY_CORE_PACE_H
#define COMITY_CORE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int64_t since_us; /* ticks; 0: nothing was said yet */
    int64_t count;    /* since then */
};

/* Of the kind MORE ("more receipts were not right"), which the log says of those that were too many
 * before. */
bool pace_may(struct pace *pace, const char *more);

#endif
