#include "flow/standing.h"

const char *const standing_words[STANDING_COUNT] = {"broken", "ended", "expired", "refused",
    "proposed", "suspended", "not yet in force", "in force"};

const struct journal_event *
standing_ended(const struct journal_event *events, int64_t at_us)
{
    for (; events != NULL; events = events->next)
        if (events->type == JOURNAL_ENDED && events->at_us <= at_us)
            return events;
    return NULL;
}

/* Of what TEAM said the latest instant counts, as TEAM named it; of several events of one instant
 * the one that was written last. */
const struct journal_event *
standing_suspended_by(const struct journal_event *events, struct span team, int64_t at_us)
{
    const struct journal_event *last = NULL;

    for (; events != NULL; events = events->next)
        if ((events->type == JOURNAL_SUSPENDED || events->type == JOURNAL_RESUMED)
            && events->at_us <= at_us && span_equal(journal_doer(events), team)
            && (last == NULL || events->said_us >= last->said_us))
            last = events;
    return last != NULL && last->type == JOURNAL_SUSPENDED ? last : NULL;
}

/* Each team resumes for itself alone. */
const struct journal_event *
standing_suspended(const struct journal_event *events, int64_t at_us)
{
    for (const struct journal_event *e = events; e != NULL; e = e->next)
        if (e->type == JOURNAL_SUSPENDED && e->at_us <= at_us
            && standing_suspended_by(events, journal_doer(e), at_us) == e)
            return e;
    return NULL;
}

/* Who signed after all no longer refuses. */
const struct journal_event *
standing_refused(const struct agreement *a, const struct journal_event *events, int64_t at_us)
{
    for (; events != NULL; events = events->next)
        if (events->type == JOURNAL_REFUSED && events->at_us <= at_us
            && !agreement_sign_has(a, journal_doer(events)))
            return events;
    return NULL;
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
        return standing_refused(a, events, at_us) != NULL ? STANDING_REFUSED : STANDING_WAITS;
    if (a->suspended || standing_suspended(events, at_us) != NULL)
        return STANDING_SUSPENDED;
    return at_us < a->valid_from_us ? STANDING_NOT_YET : STANDING_IN_FORCE;
}
