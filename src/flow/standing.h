/* standing.h: does this agreement hold at this instant?
 *
 * Pure: the document, what happened to it, and the instant; nothing else.
 */
#ifndef COMITY_FLOW_STANDING_H
#define COMITY_FLOW_STANDING_H

#include "flow/journal.h"

enum standing {
    STANDING_BROKEN,    /* cannot be relied on: what it may cover is withheld */
    STANDING_ENDED,     /* for good */
    STANDING_EXPIRED,   /* valid_until has come */
    STANDING_REFUSED,   /* somebody who has not signed said that they will not */
    STANDING_WAITS,     /* somebody has not signed */
    STANDING_SUSPENDED, /* until it is resumed */
    STANDING_NOT_YET,   /* valid_from is still to come */
    STANDING_IN_FORCE,
    STANDING_COUNT
};
extern const char *const standing_words[STANDING_COUNT];

/* A with its signatures checked; EVENTS are its own, by `next`, oldest first. */
enum standing standing_at(
    const struct agreement *a, const struct journal_event *events, int64_t at_us);
/* The event that ended it, suspends it, or refuses A at AT_US, of whichever team; NULL: none. */
const struct journal_event *standing_ended(const struct journal_event *events, int64_t at_us);
const struct journal_event *standing_suspended(const struct journal_event *events, int64_t at_us);
const struct journal_event *standing_refused(
    const struct agreement *a, const struct journal_event *events, int64_t at_us);
/* The suspension by which TEAM itself keeps it suspended at AT_US; NULL: none. */
const struct journal_event *standing_suspended_by(
    const struct journal_event *events, struct span team, int64_t at_us);

#endif
