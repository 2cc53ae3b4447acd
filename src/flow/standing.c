#include "flow/standing.h"

const char *const standing_words[STANDING_COUNT] = {
    "broken", "ended", "expired", "proposed", "suspended", "not yet in force", "in force"};

const struct journal_event *
standing_ended(const struct journal_event *events, int64_t at_us)
{
    for (; events != NULL; events = events->next)
        if (events->type == JOURNAL_ENDED && events->at_us <= at_us)
            return events;
    return NULL;
}

/* The latest instant counts; of several events of one instant the one that was done last. */
const struct journal_event *
standing_suspended(const struct journal_event *events, int64_t at_us)
{
    const struct journal_event *last = NULL;

    for (; events != NULL; events = events->next)
        if ((events->type == JOURNAL_SUSPENDED || events->type == JOURNAL_RESUMED)
            && events->at_us <= at_us && (last == NULL || events->at_us >= last->at_us))
            last = events;
    return last != NULL && last->type == JOURNAL_SUSPENDED ? last : NULL;
}

enum standing
standing_at(const struct agreement *a, const struct journal_event *events, int64_t at_us)
{
    if (a->broken)
        return STANDING_BROKEN;
    if (standing_ended(events, at_us) != NULL)
        return STANDING_ENDED;
    if (at_us >= a->valid_until_us)
        return STANDING_EXPIRED;
    if (!a->signed_by_all)
        return STANDING_WAITS;
    if (a->suspended || standing_suspended(events, at_us) != NULL)
        return STANDING_SUSPENDED;
    return at_us < a->valid_from_us ? STANDING_NOT_YET : STANDING_IN_FORCE;
}
