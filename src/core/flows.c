#include "core/flows.h"

#include "core/counts.h"
#include "core/figures.h"
#include "core/node.h"
#include "core/state.h"
#include "core/told.h"
#include "sys/clock.h"

enum { ANSWER_BYTES = 16 * 1024 * 1024, TEAMS_AN_EVENT = 50 };

static int
read_flows(struct core *core, struct arena *arena, uint32_t first, uint32_t last, struct flows *out,
    struct err *err)
{
    *out = (struct flows){.first = first, .last = last};
    int rc =
        store_count_teams(core->store, arena, STAT_GIVEN, first, last, &out->in, &out->count, err);

    return rc == 0 ? store_count_teams(
               core->store, arena, STAT_WRITTEN, first, last, &out->out, &out->count, err)
                   : rc;
}

int
flows_today(struct core *core, struct arena *arena, struct flows *out, struct err *err)
{
    uint32_t day = figures_day(clock_now_us());

    return read_flows(core, arena, day, day + 1, out, err);
}

/* ---- telling ---- */

static struct economy
seat_of(const struct core *core, struct team_id team)
{
    const struct team *card = team.index == 0 ? NULL : roster_team(core->roster, team);

    return card == NULL || card->economy_count == 0 ? (struct economy){0} : card->economies[0];
}

static void
tell_team(const struct core *core, const struct flows *flows, size_t number, struct buf *out)
{
    struct span id = store_team_id(core->store, (uint32_t)number);
    struct team_id team = roster_find(core->roster, id);

    told_text(out, "team", id);
    told_economy(out, "economy", seat_of(core, team));
    told_number(out, "in", flows->in[number]);
    told_number(out, "out", flows->out[number]);
}

static void
tell_name(const struct core *core, size_t number, struct buf *out)
{
    struct span id = store_team_id(core->store, (uint32_t)number);
    struct team_id team = roster_find(core->roster, id);

    told_text(out, "name", team.index == 0 ? SPAN("") : roster_team(core->roster, team)->name);
}

static void
tell_teams(
    const struct core *core, const struct flows *flows, const struct flows *today, struct buf *out)
{
    told_open(out, "items", '[');
    for (size_t i = 1; i < flows->count; i++) {
        if (flows->in[i] == 0 && flows->out[i] == 0)
            continue;
        bool of_today = flows->last > today->first && i < today->count;
        told_item(out);
        buf_add_char(out, '{');
        tell_team(core, flows, i, out);
        tell_name(core, i, out);
        told_number(out, "in_today", of_today ? today->in[i] : 0);
        told_number(out, "out_today", of_today ? today->out[i] : 0);
        buf_add_char(out, '}');
    }
    buf_add_text(out, "],\"next\":null");
}

int
core_flows(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct flows flows = {0};
    struct flows today = {0};
    uint32_t first;
    uint32_t last;

    figures_days(&ask->in, &first, &last);
    int rc = wire_end(&ask->in, "a question for flows", err);
    if (rc == 0)
        rc = read_flows(core, ask->arena, first, last, &flows, err);
    if (rc == 0)
        rc = flows_today(core, ask->arena, &today, err);
    if (rc != 0)
        return rc;
    buf_add_char(&out, '{');
    figures_tell_day(&out, today.first);
    told_flag(&out, "live", last > today.first);
    told_text(&out, "own", core->team.index == 0 ? SPAN("") : knowledge_team_id(core, core->team));
    told_economy(&out, "home", seat_of(core, core->team));
    tell_teams(core, &flows, &today, &out);
    buf_add_char(&out, '}');
    return node_answer(core, ask, &out, err);
}

/* ---- what has changed ---- */

static bool
is_changed(const struct flows *now, const struct flows *before, size_t i)
{
    bool known = before->first == now->first && i < before->count;

    return now->in[i] != (known ? before->in[i] : 0) || now->out[i] != (known ? before->out[i] : 0);
}

bool
flows_tell_changed(const struct core *core, const struct flows *now, const struct flows *before,
    size_t *at, struct buf *json)
{
    size_t told = 0;

    buf_add_char(json, '{');
    figures_tell_day(json, now->first);
    told_open(json, "items", '[');
    for (; *at < now->count && told < TEAMS_AN_EVENT; ++*at) {
        if (!is_changed(now, before, *at))
            continue;
        told_item(json);
        buf_add_char(json, '{');
        tell_team(core, now, *at, json);
        buf_add_char(json, '}');
        told++;
    }
    buf_add_text(json, "]}");
    return told > 0;
}
