#include "core/links_told.h"

#include "core/auth.h"
#include "core/told.h"
#include "core/witness.h"

static const enum link_flag ways[STORE_LINK_WAYS] = {LINK_PUSH, LINK_POLL, LINK_WITNESS};

static bool
is_lost(const struct store_link *link)
{
    bool lost = false;

    for (size_t i = 0; i < STORE_LINK_WAYS; i++)
        lost = lost || ((link->flags & ways[i]) != 0 && link->ways[i].lost);
    return lost;
}

static void
tell_way(const struct store_link *link, size_t i, struct buf *out)
{
    const struct store_link_way *way = &link->ways[i];

    buf_add_char(out, '{');
    told_word(out, "way", link_way_word(ways[i]));
    told_flag(out, "on", (link->flags & ways[i]) != 0);
    told_time(out, "worked", way->ok_us);
    told_time(out, "failing", way->failing_us);
    told_number(out, "failures", way->failures);
    told_time(out, "again", way->failures > 0 ? way->again_us : 0);
    told_number_or_null(out, "status", way->status);
    told_flag(out, "refused", way->refused);
    told_flag(out, "lost", way->lost);
    told_text(out, "why", way->why);
    buf_add_char(out, '}');
}

static void
tell_account(const struct core *core, const struct store_link *link, struct buf *out)
{
    const struct store_principal *p = people_by_number(auth_people(core->auth), link->principal);

    told_text(out, "account", p == NULL ? SPAN("") : p->name);
    told_flag(out, "account_disabled", p == NULL || p->disabled);
}

static void
tell_ways(const struct store_link *link, struct buf *out)
{
    int64_t contact_us = 0;

    for (size_t i = 0; i < STORE_LINK_WAYS; i++)
        if (link->ways[i].ok_us > contact_us)
            contact_us = link->ways[i].ok_us;
    told_time(out, "contact", contact_us);
    told_flag(out, "lost", is_lost(link));
    told_open(out, "ways", '[');
    for (size_t i = 0; i < STORE_LINK_WAYS; i++) {
        told_item(out);
        tell_way(link, i, out);
    }
    buf_add_char(out, ']');
}

/* INT64_MIN: nothing came yet. */
static void
tell_polled(struct buf *out, const char *name, int64_t us)
{
    told_time(out, name, us < 0 ? 0 : us);
}

void
links_tell_peer(const struct core *core, const struct store_link *link,
    const struct store_queue *queue, struct buf *out)
{
    static const struct store_queue nothing;
    struct span id = store_team_id(core->store, link->team);
    struct team_id team = roster_find(core->roster, id);
    const struct store_queue *q = queue == NULL ? &nothing : queue;

    buf_add_char(out, '{');
    told_text(out, "team", id);
    told_text(out, "name", team.index == 0 ? SPAN("") : roster_team(core->roster, team)->name);
    told_text(out, "url", link->url);
    told_text(out, "pin", link->pin);
    for (size_t i = 0; i < STORE_LINK_WAYS; i++)
        told_flag(out, link_way_word(ways[i]), (link->flags & ways[i]) != 0);
    tell_account(core, link, out);
    told_time(out, "added", link->added_us);
    told_text(out, "by", link->added_by);
    told_number(out, "due", q->due);
    told_number(out, "waiting", q->waiting);
    told_number(out, "delivered", q->delivered);
    told_number(out, "failed", q->failed);
    told_time(out, "oldest", q->oldest_us);
    tell_ways(link, out);
    witness_tell((struct core *)(uintptr_t)core, id, out);
    told_open(out, "polled", '{');
    tell_polled(out, "released", link->polled_us[LINK_RELEASED]);
    tell_polled(out, "directory", link->polled_us[LINK_DIRECTORY]);
    buf_add_text(out, "}}");
}

void
links_tell_push(const struct core *core, uint32_t team, struct buf *out)
{
    const struct store_link *link = links_find(core->links, team);

    told_name(out, "link");
    if (link == NULL)
        buf_add_text(out, "null");
    else
        tell_way(link, store_link_way_of(LINK_PUSH), out);
}

void
links_tell_counts(const struct core *core, struct buf *out)
{
    const struct links *links = core->links;
    uint64_t lost = 0;

    for (size_t i = 0; i < links->count; i++)
        lost += is_lost(&links->list[i]);
    told_number(out, "links", links->count);
    told_number(out, "links_lost", lost);
}

/* ---- for Prometheus ---- */

static void
tell_gauge(const struct core *core, struct buf *out, const char *name, const char *help,
    uint64_t (*value)(const struct store_link_way *way))
{
    const struct links *links = core->links;

    buf_format(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
    for (size_t i = 0; i < links->count; i++)
        for (size_t k = 0; k < STORE_LINK_WAYS; k++) {
            const struct store_link *link = &links->list[i];
            if ((link->flags & ways[k]) == 0)
                continue;
            buf_format(out, "%s{team=\"%.*s\",way=\"%s\"} %llu\n", name,
                SPAN_ARGS(store_team_id(core->store, link->team)), link_way_word(ways[k]),
                (unsigned long long)value(&link->ways[k]));
        }
}

static uint64_t
failures_of(const struct store_link_way *way)
{
    return way->failures;
}

static uint64_t
lost_of(const struct store_link_way *way)
{
    return way->lost;
}

static uint64_t
worked_of(const struct store_link_way *way)
{
    return (uint64_t)way->ok_us / 1000000;
}

void
links_tell_metrics(const struct core *core, struct buf *out)
{
    tell_gauge(core, out, "comity_link_failures", "Attempts that failed in a row, by team and way.",
        failures_of);
    tell_gauge(core, out, "comity_link_lost", "1: it has failed for longer than courier.give-up.",
        lost_of);
    tell_gauge(core, out, "comity_link_worked_seconds", "Unix time when it last worked; 0: never.",
        worked_of);
}
