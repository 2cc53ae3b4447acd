#include "core/agreement_simulate.h"

#include "core/node.h"
#include "core/reports.h"
#include "core/told.h"
#include "flow/change.h"
#include "flow/parties.h"
#include "sys/clock.h"

#include <stdlib.h>

enum {
    ANSWER_BYTES = 16 * 1024 * 1024,
    ARENA_BYTES = 256 * 1024 * 1024,
    SLICE_US = 10000,
    DEADLINE_US = 20000000, /* then what was judged is told */
};

struct tally {
    uint64_t decisions;
    uint64_t before[EFFECT_COUNT];
    uint64_t after[EFFECT_COUNT];
    uint64_t changes[CHANGE_COUNT];
};

struct simulation {
    struct core *core;
    struct loop_timer timer;
    bool runs;
    enum door door;
    uint64_t tag;
    uint32_t knowledge; /* what the policies borrow from */
    struct arena *arena;
    struct policy *after;
    struct tally *teams; /* by team_id.index */
    size_t team_count;
    uint64_t replaced; /* agreements of today that the draft takes the place of */
    uint64_t most;     /* reports */
    uint64_t reports;
    uint64_t skipped; /* of partners: the term under which they came is not kept */
    uint64_t before;  /* batches below this one are left; 0: all */
    uint64_t inside;  /* a batch that was begun; 0: none */
    uint32_t place;   /* places below this one of it are left */
    bool over;
    int64_t deadline_us; /* ticks */
};

static void
stop(struct simulation *s)
{
    s->runs = false;
    policy_free(s->after);
    arena_free(s->arena);
    free(s->teams);
    s->after = NULL;
    s->arena = NULL;
    s->teams = NULL;
}

/* ---- the draft ---- */

static int
read_draft(struct simulation *s, struct span text, struct agreement_set *draft, struct err *err)
{
    static const char *const name = "draft";
    int rc = agreements_parse(s->arena, &text, &name, 1, draft, err);

    for (size_t i = 0; rc == 0 && i < draft->count; i++)
        if (draft->agreements[i].broken)
            return err_set_field(err, ERR_BAD_AGREEMENT, "document", 8,
                "%.*s; what is wrong with it can be asked of /api/v1/agreements/check",
                SPAN_ARGS(draft->agreements[i].why));
    return rc == 0 ? agreements_undated(s->arena, draft, draft, err) : rc;
}

static int
compile(struct simulation *s, struct span text, struct err *err)
{
    const struct core *core = s->core;
    struct agreement_set *after = arena_zalloc(s->arena, 1, sizeof *after);
    struct agreement_set draft;
    struct agreement_set rest;
    struct parties parties;

    if (after == NULL)
        return arena_full(err, "the draft");
    int rc = read_draft(s, text, &draft, err);
    if (rc == 0)
        rc = agreements_without(s->arena, &core->basis.agreements, &draft, &rest, err);
    if (rc == 0)
        rc = agreements_join(s->arena, &rest, &draft, after, err);
    if (rc == 0)
        rc = parties_gather(s->arena, core->roster, NULL, 0, &parties, err);
    if (rc != 0)
        return rc;
    s->replaced = core->basis.agreements.count - rest.count;
    return policy_compile(after, parties.teams, parties.count, &s->after, err);
}

/* ---- the work ---- */

static void
judge(struct simulation *s, const struct read_report *read, struct team_id recipient)
{
    const struct core *core = s->core;
    struct tally *tally = &s->teams[recipient.index];
    struct verdict before = {0};
    struct verdict after = {0};
    struct decide_input input = {
        .origin = roster_find(core->roster, store_team_id(core->store, read->outcome.origin)),
        .recipient = recipient,
        .provider = policy_provider(core->basis.policy, read->report->provider),
        .classification = (uint8_t)read->report->classification,
        .tlp = read->outcome.tlp,
        .clock_trusted = core->basis.clock_trusted,
        .at_us = clock_now_us()};

    decide(core->basis.policy, &input, &before);
    input.provider = policy_provider(s->after, read->report->provider);
    decide(s->after, &input, &after);
    tally->decisions++;
    tally->before[before.effect]++;
    tally->after[after.effect]++;
    tally->changes[change_of(&before, &after)]++;
}

static int
look_at(struct simulation *s, struct reading *reading, struct err *err)
{
    struct read_report read;
    int rc = reading_get(reading, s->core, s->place, &read, err);

    if (rc != 0)
        return rc;
    s->reports++;
    s->skipped += read.outcome.from_partner;
    for (uint8_t i = 0; !read.outcome.from_partner && i < read.outcome.count; i++) {
        struct span id = store_team_id(s->core->store, read.outcome.ones[i].team);
        struct team_id team = roster_find(s->core->roster, id);
        if (team.index != 0 && team.index < s->team_count)
            judge(s, &read, team);
    }
    return 0;
}

static int
next_batch(struct simulation *s, struct reading *reading, struct err *err)
{
    const struct store_search all = {.since_us = INT64_MIN, .until_us = INT64_MAX};
    uint64_t number = 0;
    int rc = store_batch_search(s->core->store, &all, s->before, &number, err);

    s->over = rc == 0 && number == 0;
    if (rc != 0 || s->over)
        return rc;
    s->before = number;
    rc = reading_open(reading, s->core, number, err);
    if (rc == ERR_NOT_FOUND)
        return 0;
    s->inside = number;
    s->place = rc == 0 ? reading_count(reading) : 0;
    return rc;
}

static bool
is_enough(const struct simulation *s)
{
    return s->over || s->reports >= s->most;
}

static int
work(struct simulation *s, struct err *err)
{
    struct reading *reading = reports_reading(s->core);
    int64_t end = clock_ticks_us() + SLICE_US;
    int rc = 0;

    if (s->knowledge != s->core->knowledge)
        return err_set(err, ERR_BUSY, "agreements or the directory changed meanwhile: try again");
    if (s->inside != 0 && reading_open(reading, s->core, s->inside, err) != 0)
        s->inside = 0; /* its time is over meanwhile */
    while (rc == 0 && !is_enough(s) && clock_ticks_us() < end) {
        if (s->inside == 0)
            rc = next_batch(s, reading, err);
        for (int i = 0; rc == 0 && i < 256 && s->inside != 0 && s->place > 0 && !is_enough(s);
             i++) {
            s->place--;
            rc = look_at(s, reading, err);
        }
        if (s->place == 0)
            s->inside = 0;
    }
    return rc;
}

/* ---- the answer ---- */

static void
tell_effects(struct buf *out, const char *name, const uint64_t counts[EFFECT_COUNT])
{
    told_open(out, name, '{');
    for (int e = 0; e < EFFECT_COUNT; e++)
        told_number(out, effect_word((enum effect)e), counts[e]);
    buf_add_char(out, '}');
}

static void
tell_team(const struct simulation *s, size_t index, struct buf *out)
{
    const struct team *team = roster_team(s->core->roster, (struct team_id){(uint32_t)index});
    const struct tally *tally = &s->teams[index];

    told_item(out);
    buf_add_char(out, '{');
    told_text(out, "team", team->id);
    told_text(out, "name", team->name);
    told_number(out, "decisions", tally->decisions);
    tell_effects(out, "before", tally->before);
    tell_effects(out, "after", tally->after);
    for (int c = CHANGE_MORE; c < CHANGE_COUNT; c++)
        told_number(out, change_word((enum change)c), tally->changes[c]);
    buf_add_char(out, '}');
}

static void
finish(struct simulation *s)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct err err;

    buf_add_text(&out, "{\"items\":[");
    for (size_t i = 1; i < s->team_count; i++)
        if (s->teams[i].decisions > 0)
            tell_team(s, i, &out);
    buf_add_text(&out, "],\"next\":null");
    told_number(&out, "reports", s->reports);
    told_number(&out, "skipped", s->skipped);
    told_flag(&out, "complete", s->over);
    told_number(&out, "replaced", s->replaced);
    buf_add_char(&out, '}');
    if (node_say(s->core, s->door, s->tag, &out, &err) != 0)
        core_refuse(s->core, s->door, s->tag, &err);
    stop(s);
}

static void
turn(void *ctx)
{
    struct simulation *s = ctx;
    struct err err;

    if (!s->runs)
        return;
    int rc = work(s, &err);
    if (rc == 0 && (is_enough(s) || clock_ticks_us() >= s->deadline_us)) {
        finish(s);
        return;
    }
    if (rc == 0)
        rc = loop_timer_set(s->core->loop, &s->timer, clock_ticks_us(), &err);
    if (rc != 0) {
        core_refuse(s->core, s->door, s->tag, &err);
        stop(s);
    }
}

static int
begin(struct simulation *s, struct span text, struct err *err)
{
    s->arena = arena_new(ARENA_BYTES);
    s->team_count = roster_count(s->core->roster) + 1;
    s->teams = calloc(s->team_count, sizeof *s->teams);
    if (s->arena == NULL || s->teams == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a simulation");
    int rc = compile(s, text, err);
    return rc == 0 ? loop_timer_set(s->core->loop, &s->timer, clock_ticks_us(), err) : rc;
}

int
core_agreement_simulate(struct core *core, struct ask *ask, struct err *err)
{
    struct simulation *s = core->simulation;
    struct span text = wire_text(&ask->in);
    uint32_t most = wire_u32(&ask->in);
    int rc = wire_end(&ask->in, "a simulation", err);

    if (rc == 0 && s->runs)
        rc = err_set(err, ERR_BUSY, "another simulation runs");
    if (rc != 0)
        return rc;
    *s = (struct simulation){.core = core,
        .timer = {.due = turn, .ctx = s},
        .runs = true,
        .door = ask->door,
        .tag = ask->tag,
        .knowledge = core->knowledge,
        .most = most,
        .deadline_us = clock_ticks_us() + DEADLINE_US};
    rc = begin(s, text, err);
    if (rc != 0)
        stop(s);
    return rc;
}

/* ---- life ---- */

struct simulation *
simulation_new(struct core *core)
{
    struct simulation *s = calloc(1, sizeof *s);

    if (s != NULL)
        *s = (struct simulation){.core = core, .timer = {.due = turn, .ctx = s}};
    return s;
}

void
simulation_gone(struct core *core, enum door door)
{
    struct simulation *s = core->simulation;

    if (s == NULL || !s->runs || s->door != door)
        return;
    loop_timer_stop(core->loop, &s->timer);
    stop(s);
}

void
simulation_free(struct simulation *s)
{
    if (s == NULL)
        return;
    loop_timer_stop(s->core->loop, &s->timer);
    stop(s);
    free(s);
}
