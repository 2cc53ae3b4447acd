#include "base/log.h"
#include "core/collections.h"
#include "core/links_private.h"
#include "core/receipts.h"

#include "fmt/stix_batch.h"
#include "sys/clock.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 * 1024 * 1024, ANSWER_BYTES = CHANNEL_BODY_MAX };
#define AHEAD_US INT64_C(600000000) /* clocks may differ */
#define ENVELOPE_BEGIN "{\"objects\":["
#define ENVELOPE_END "]}"

/* ---- the list ---- */

struct store_link *
links_find(const struct links *links, uint32_t team)
{
    for (size_t i = 0; i < links->count; i++)
        if (links->list[i].team == team)
            return &links->list[i];
    return NULL;
}

struct store_link *
links_by_id(const struct core *core, struct span team)
{
    const struct links *links = core->links;

    for (size_t i = 0; team.n > 0 && i < links->count; i++)
        if (span_equal(store_team_id(core->store, links->list[i].team), team))
            return &links->list[i];
    return NULL;
}

uint32_t
links_account(const struct core *core, struct span team)
{
    const struct store_link *link = links_by_id(core, team);

    return link == NULL ? 0 : link->principal;
}

bool
links_is_recipient(const struct core *core, const struct asker *asker)
{
    const struct store_link *link = links_by_id(core, asker->team);

    return link == NULL || link->principal == asker->principal;
}

/* What was told of links that stay. */
static void
keep_told(const struct links *links, const struct store_link *list, size_t count, bool *told)
{
    for (size_t i = 0; i < count; i++) {
        const struct store_link *was = links_find(links, list[i].team);
        told[i] = was != NULL && links->told[was - links->list];
    }
}

int
links_again(struct core *core, struct err *err)
{
    struct links *links = core->links;
    struct arena *before = links->arena;
    struct store_link *list;
    size_t count;
    int rc = store_links(core->store, links->other, &list, &count, err);
    bool *told = rc == 0 ? arena_zalloc(links->other, count + 1, sizeof *told) : NULL;

    if (rc == 0 && told == NULL)
        rc = arena_full(err, "links are read");
    if (rc != 0) {
        arena_reset(links->other);
        return rc;
    }
    keep_told(links, list, count, told);
    links->arena = links->other;
    links->other = before;
    links->list = list;
    links->count = count;
    links->told = told;
    arena_reset(before);
    return 0;
}

/* ---- who waits ---- */

/* WAITS[i]: something waits for link i that may be pushed. */
static int
look(struct core *core, struct arena *arena, bool **waits, struct err *err)
{
    const struct links *links = core->links;
    uint32_t *teams;
    size_t count;
    size_t k = 0;
    int rc = store_waiting(core->store, arena, &teams, &count, err);

    *waits = rc == 0 ? arena_zalloc(arena, links->count + 1, sizeof **waits) : NULL;
    if (rc == 0 && *waits == NULL)
        rc = arena_full(err, "it is looked who waits");
    for (size_t i = 0; rc == 0 && i < links->count; i++) { /* both are by team */
        while (k < count && teams[k] < links->list[i].team)
            k++;
        (*waits)[i] =
            k < count && teams[k] == links->list[i].team && (links->list[i].flags & LINK_PUSH) != 0;
    }
    return rc;
}

static bool
all_told(const struct links *links)
{
    for (size_t i = 0; i < links->count; i++)
        if (!links->told[i] && (links->list[i].flags & LINK_PUSH) != 0)
            return false;
    return true;
}

static int
say_waits(struct core *core, uint32_t team, struct err *err)
{
    struct buf body = buf_new(64);

    wire_add_u32(&body, team);
    int rc = core_say(core, DOOR_COURIER, MESSAGE_LINK_WAITS, 0, buf_span(&body), false, err);
    buf_free(&body);
    return rc;
}

/* One word a link, until it has found that nothing is left. */
static int
tell_waiting(struct core *core, struct arena *arena, struct err *err)
{
    struct links *links = core->links;
    bool *waits;
    int rc = look(core, arena, &waits, err);

    for (size_t i = 0; rc == 0 && i < links->count; i++) {
        if (!waits[i] || links->told[i])
            continue;
        rc = say_waits(core, links->list[i].team, err);
        links->told[i] = rc == 0;
    }
    return rc;
}

void
links_committed(struct core *core)
{
    struct links *links = core->links;
    uint64_t appends = store_appends(core->store);
    struct err err = {0};
    int rc = 0;

    if (links == NULL || core->channels[DOOR_COURIER] == NULL)
        return; /* it asks for all of them when it comes */
    if (links->changed)
        rc = core_say(core, DOOR_COURIER, MESSAGE_LINKS_CHANGED, 0, SPAN(""), false, &err);
    if (rc == 0 && (links->look || appends != links->appends) && !all_told(links)) {
        struct arena *arena = arena_new(ARENA_BYTES);
        rc = arena == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory to look who waits")
                           : tell_waiting(core, arena, &err);
        arena_free(arena);
    }
    if (rc != 0) {
        core_tell(core, "the courier was not told of what waits: %s", err.msg);
        return; /* it is tried at the next commit */
    }
    links->changed = links->look = false;
    links->appends = appends;
}

void
links_lost(struct core *core)
{
    struct err err = {0};

    if (core->links != NULL && links_again(core, &err) != 0)
        core_tell(core, "links cannot be read: %s", err.msg);
}

/* ---- what the courier asks ---- */

int
core_links(struct core *core, struct ask *ask, struct err *err)
{
    struct links *links = core->links;
    struct buf answer = buf_new(ANSWER_BYTES);
    bool *waits;
    int rc = wire_end(&ask->in, "a question for links", err);

    if (rc == 0)
        rc = look(core, ask->arena, &waits, err);
    wire_add_u32(&answer, (uint32_t)links->count);
    for (size_t i = 0; rc == 0 && i < links->count; i++) {
        const struct store_link *from = &links->list[i];
        struct link link = {.team = from->team,
            .flags = from->flags,
            .waits = waits[i],
            .id = store_team_id(core->store, from->team),
            .url = from->url,
            .pin = from->pin};
        memcpy(link.polled_us, from->polled_us, sizeof link.polled_us);
        link_add(&answer, &link);
        links->told[i] = waits[i];
    }
    if (rc == 0)
        rc = buf_check(&answer, "the list of links", err);
    if (rc == 0)
        rc = core_answer(core, ask, buf_span(&answer), false, err);
    buf_free(&answer);
    return rc;
}

static int
no_link(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no such link");
}

/* What never fits into an envelope holds nothing else up. */
static int
pass_over(struct core *core, uint32_t team, const struct store_parcel *parcel, struct err *err)
{
    int rc = core_begin(core, err);

    log_error("a delivery is too large to be sent, and counts as failed",
        log_text("team", store_team_id(core->store, team)), log_number("reports", parcel->reports));
    return rc == 0 ? store_passed_over(core->store, parcel->collection, parcel->through_us, err)
                   : rc;
}

/* The next envelope for TEAM, of what is durable. */
static int
take(struct core *core, struct arena *arena, uint32_t team, struct buf *out,
    struct store_parcel *parcel, struct err *err)
{
    const struct store_parcel_query query = {.team = team,
        .end = SPAN(STIX_BATCH_TYPE),
        .max_bytes = LINK_ENVELOPE_MAX - sizeof ENVELOPE_BEGIN - sizeof ENVELOPE_END};
    int rc = 0;

    do {
        if (core->begun)
            rc = core_commit(core, err);
        out->n = 0;
        buf_add_text(out, ENVELOPE_BEGIN);
        if (rc == 0)
            rc = store_parcel(core->store, arena, &query, out, parcel, err);
        if (rc == 0 && parcel->too_large)
            rc = pass_over(core, team, parcel, err);
    } while (rc == 0 && parcel->too_large);
    buf_add_text(out, ENVELOPE_END);
    return rc == 0 ? buf_check(out, "an envelope", err) : rc;
}

int
core_link_take(struct core *core, struct ask *ask, struct err *err)
{
    struct buf envelope = buf_new(LINK_ENVELOPE_MAX);
    struct buf answer = buf_new(ANSWER_BYTES);
    uint32_t team = wire_u32(&ask->in);
    struct store_parcel parcel = {0};
    int rc = wire_end(&ask->in, "a question for what goes to a link", err);
    struct store_link *link = links_find(core->links, team);

    if (rc == 0 && (link == NULL || (link->flags & LINK_PUSH) == 0))
        rc = no_link(err);
    if (rc == 0)
        rc = take(core, ask->arena, team, &envelope, &parcel, err);
    if (rc == 0) {
        const struct link_parcel told = {.from_us = parcel.from_us,
            .through_us = parcel.through_us,
            .objects = parcel.objects,
            .envelope = parcel.objects > 0 ? buf_span(&envelope) : SPAN("")};
        link_parcel_add(&answer, &told);
        core->links->told[link - core->links->list] = parcel.objects > 0;
        rc = buf_check(&answer, "an envelope", err);
    }
    if (rc == 0)
        rc = core_answer(core, ask, buf_span(&answer), false, err);
    buf_free(&envelope);
    buf_free(&answer);
    return rc;
}

/* The other node has taken it in: it has all of its collection until then. */
static int
has_got(struct core *core, uint32_t team, int64_t through_us, struct err *err)
{
    uint32_t collection;
    int rc = collections_of_team(core->collections, team, clock_now_us(), &collection, err);

    return rc == 0
        ? store_fetched(core->store, collection, through_us, receipts_by(core, team), err)
        : rc;
}

int
core_link_sent(struct core *core, struct ask *ask, struct err *err)
{
    uint32_t team = wire_u32(&ask->in);
    int64_t through_us = wire_i64(&ask->in);
    int rc = wire_end(&ask->in, "what was sent to a link", err);
    const struct store_link *link = links_find(core->links, team);

    if (rc == 0 && link == NULL)
        rc = no_link(err);
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = has_got(core, team, through_us, err);
    if (rc == 0)
        rc = links_worked(core, link, LINK_PUSH, err);
    return rc == 0 ? core_answer_durable(core, ask, SPAN(""), err) : rc;
}

int
core_link_polled(struct core *core, struct ask *ask, struct err *err)
{
    uint32_t team = wire_u32(&ask->in);
    uint8_t what = wire_u8(&ask->in);
    int64_t through_us = wire_i64(&ask->in);
    int rc = wire_end(&ask->in, "what was fetched from a link", err);
    struct store_link *link = links_find(core->links, team);

    if (rc == 0 && what >= LINK_WHAT_COUNT)
        rc = err_set(err, ERR_INTERNAL, "nothing numbered %u is polled", what);
    if (rc == 0 && link == NULL)
        rc = no_link(err);
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0 && through_us > link->polled_us[what]) {
        link->polled_us[what] = through_us;
        rc = store_link_put(core->store, link, err);
    }
    if (rc == 0)
        rc = links_worked(core, link, LINK_POLL, err);
    return rc == 0 ? core_answer_durable(core, ask, SPAN(""), err) : rc;
}

static int
say_at(struct core *core, uint32_t team, int64_t through_us, struct err *err)
{
    struct buf body = buf_new(64);

    wire_add_u32(&body, team);
    wire_add_u8(&body, LINK_RELEASED);
    wire_add_i64(&body, through_us);
    int rc = core->channels[DOOR_COURIER] == NULL
        ? 0 /* it asks when it comes */
        : core_say(core, DOOR_COURIER, MESSAGE_LINK_AT, 0, buf_span(&body), false, err);
    buf_free(&body);
    return rc;
}

/* What was posted is durable here, so it need not be fetched. Where something is missing before it,
 * or it is of tomorrow, it says nothing: then all is fetched. */
int
core_link_got(struct core *core, struct ask *ask, struct err *err)
{
    const struct span rest = {ask->in.p, ask->in.n};
    struct link_dates dates;
    int rc = link_dates_take(rest, &dates, err);
    struct store_link *link = links_by_id(core, ask->asker.team);

    if (rc != 0)
        return rc;
    int64_t known = link == NULL || link->principal != ask->asker.principal ? INT64_MIN
        : link->polled_us[LINK_RELEASED] < 0                                ? 0
                                             : link->polled_us[LINK_RELEASED];
    if (dates.from_us > known || dates.through_us <= known
        || dates.through_us > clock_now_us() + AHEAD_US)
        return core_answer(core, ask, SPAN(""), false, err);
    rc = core_begin(core, err);
    link->polled_us[LINK_RELEASED] = dates.through_us;
    if (rc == 0)
        rc = store_link_put(core->store, link, err);
    if (rc == 0)
        rc = say_at(core, link->team, dates.through_us, err);
    return rc == 0 ? core_answer_durable(core, ask, SPAN(""), err) : rc;
}

int
core_link_failed(struct core *core, struct ask *ask, struct err *err)
{
    const struct span rest = {ask->in.p, ask->in.n};
    struct link_failure failure;
    int rc = link_failure_take(rest, &failure, err);
    const struct store_link *link = rc == 0 ? links_find(core->links, failure.team) : NULL;

    if (rc == 0 && failure.flag != LINK_PUSH && failure.flag != LINK_POLL
        && failure.flag != LINK_WITNESS)
        rc = err_set(err, ERR_INTERNAL, "a link has no way %u", failure.flag);
    if (rc == 0 && link == NULL)
        rc = no_link(err);
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = links_failed(core, link, &failure, err);
    return rc == 0 ? core_answer_durable(core, ask, SPAN(""), err) : rc;
}

/* ---- life ---- */

int
links_new(struct core *core, struct links **out, struct err *err)
{
    struct links *links = calloc(1, sizeof *links);

    *out = links;
    if (links == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for links");
    links->arena = arena_new(ARENA_BYTES);
    links->other = arena_new(ARENA_BYTES);
    if (links->arena == NULL || links->other == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for links");
    links->look = true;
    return links_again(core, err);
}

void
links_free(struct links *links)
{
    if (links == NULL)
        return;
    arena_free(links->arena);
    arena_free(links->other);
    free(links);
}
