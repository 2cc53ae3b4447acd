#include "core/figures.h"
#include "core/flows.h"
#include "core/node.h"

#include "core/state.h"
#include "core/told.h"
#include "flow/cards.h"
#include "sys/clock.h"

#include <stdlib.h>

enum {
    TICK_US = 1000000,
    QUIET_TICKS = 15, /* then the listener is told that it is still there */
    BEHIND_BYTES = 1024 * 1024,
    EVENT_BYTES = 16 * 1024,
    FLOWS_BYTES = 16 * 1024 * 1024,
};

struct listener {
    enum door door;
    uint64_t tag;
};

/* What the last tick saw, so that only what has changed is told. */
struct seen {
    struct figures_way way;
    uint64_t held;
    uint64_t cards; /* that wait */
};

struct events {
    struct core *core;
    struct listener listeners[EVENTS_LISTENERS_MAX];
    size_t count;
    struct loop_timer timer;
    struct seen seen;
    uint32_t generations[DOOR_COUNT];
    uint32_t knowledge;
    uint64_t commits;          /* when flows were looked at */
    struct flows flows;        /* what they were then; */
    struct arena *flows_arena; /* their home; NULL: all of them are told next */
    uint64_t log_newest;       /* line of the log that was told of */
    uint32_t quiet;            /* ticks without a word */
};

static void
say(struct events *events, size_t i, struct span body)
{
    struct core *core = events->core;
    const struct listener *listener = &events->listeners[i];
    const struct channel *channel = core->channels[listener->door];
    struct err err;

    if (channel == NULL || channel_queued(channel) > BEHIND_BYTES)
        return;
    (void)!core_say(core, listener->door, MESSAGE_EVENT, listener->tag, body, true, &err);
}

static void
tell(struct events *events, struct span name, struct span json)
{
    struct buf body = buf_new(EVENT_BYTES);

    wire_add_text(&body, name);
    wire_add_text(&body, json);
    for (size_t i = 0; !body.full && i < events->count; i++)
        say(events, i, buf_span(&body));
    buf_free(&body);
    events->quiet = 0;
}

void
events_tell(struct core *core, const char *name, struct span json)
{
    if (core->events != NULL && core->events->count > 0)
        tell(core->events, span_of(name), json);
}

static int
look(struct core *core, struct seen *out, struct err *err)
{
    struct arena *arena = arena_new(EVENT_BYTES * 1024);

    if (arena == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to look at the queues");
    *out = (struct seen){0};
    int rc = figures_way(core, arena, &out->way, err);
    arena_free(arena);
    if (rc == 0)
        rc = cards_waiting_count(core->options.home, &out->cards, err);
    return rc == 0 ? store_held_count(core->store, &out->held, err) : rc;
}

static void
tell_counts(struct events *events, const struct seen *now)
{
    struct buf json = buf_new(EVENT_BYTES);

    buf_add_char(&json, '{');
    told_time(&json, "at", clock_now_us());
    told_number(&json, "held", now->held);
    told_number(&json, "due", now->way.due);
    told_number(&json, "waiting", now->way.waiting);
    told_number(&json, "delivered", now->way.delivered);
    told_number(&json, "own", now->way.own);
    told_number(&json, "cards", now->cards);
    buf_add_char(&json, '}');
    tell(events, SPAN("counts"), buf_span(&json));
    buf_free(&json);
}

/* What went out until then, to our own people too. */
static uint64_t
let_go_by(const struct seen *seen)
{
    return seen->way.waiting + seen->way.delivered + seen->way.own;
}

/* A person has something to look at, or somebody has something to fetch. */
static void
tell_rises(struct events *events, const struct seen *now)
{
    const struct seen *was = &events->seen;
    uint64_t let_go = let_go_by(now);
    uint64_t before = let_go_by(was);
    struct buf json = buf_new(EVENT_BYTES);

    if (now->held > was->held) {
        buf_add_char(&json, '{');
        told_number(&json, "more", now->held - was->held);
        told_number(&json, "waiting", now->held);
        buf_add_char(&json, '}');
        tell(events, SPAN("held"), buf_span(&json));
        json.n = 0;
    }
    if (let_go > before) {
        buf_add_char(&json, '{');
        told_number(&json, "more", let_go - before);
        told_number(&json, "waiting", now->way.waiting);
        buf_add_char(&json, '}');
        tell(events, SPAN("released"), buf_span(&json));
    }
    buf_free(&json);
}

static void
tell_door(struct events *events, enum door door)
{
    static const char *const words[] = {
#define DOOR(name, word, text) word,
#include "tables/doors.def"
#undef DOOR
    };
    struct core *core = events->core;
    struct buf json = buf_new(EVENT_BYTES);

    buf_add_char(&json, '{');
    told_word(&json, "door", words[door]);
    told_flag(&json, "connected", core->channels[door] != NULL);
    told_number(&json, "lost", core->generations[door]);
    buf_add_char(&json, '}');
    tell(events, SPAN("role"), buf_span(&json));
    buf_free(&json);
    events->generations[door] = core->generations[door];
}

static void
tell_knowledge(struct events *events)
{
    struct core *core = events->core;
    struct buf json = buf_new(EVENT_BYTES);

    buf_add_char(&json, '{');
    told_number(&json, "teams", roster_count(core->roster));
    told_number(&json, "agreements", core->basis.agreements.count);
    buf_add_char(&json, '}');
    tell(events, SPAN("directory"), buf_span(&json));
    buf_free(&json);
    events->knowledge = core->knowledge;
}

/* Only that there are lines: what they say is for operators, who ask for it. */
static void
tell_log(struct events *events)
{
    struct buf json = buf_new(EVENT_BYTES);

    events->log_newest = events->core->roles.newest;
    buf_add_char(&json, '{');
    told_number(&json, "newest", events->log_newest);
    buf_add_char(&json, '}');
    tell(events, SPAN("log"), buf_span(&json));
    buf_free(&json);
}

static void
forget_flows(struct events *events)
{
    arena_free(events->flows_arena);
    events->flows_arena = NULL;
    events->flows = (struct flows){0};
}

/* The day's counts of the teams for which something came or went since the last time. */
static void
tell_flows(struct events *events)
{
    struct core *core = events->core;
    struct arena *arena;
    struct flows now;
    struct err err;
    size_t at = 0;

    if (events->flows_arena != NULL && events->commits == core->commits)
        return;
    arena = arena_new(FLOWS_BYTES);
    if (arena == NULL || flows_today(core, arena, &now, &err) != 0) {
        arena_free(arena);
        return;
    }
    struct buf json = buf_new(EVENT_BYTES);
    for (; flows_tell_changed(core, &now, &events->flows, &at, &json); json.n = 0)
        tell(events, SPAN("flows"), buf_span(&json));
    buf_free(&json);
    forget_flows(events);
    events->flows = now;
    events->flows_arena = arena;
    events->commits = core->commits;
}

static void
tell_news(struct events *events)
{
    struct core *core = events->core;
    struct seen now;
    struct err err;

    if (look(core, &now, &err) == 0 && memcmp(&now, &events->seen, sizeof now) != 0) {
        tell_counts(events, &now);
        tell_rises(events, &now);
        events->seen = now;
    }
    tell_flows(events);
    for (int door = 0; door < DOOR_COUNT; door++)
        if (core->generations[door] != events->generations[door])
            tell_door(events, (enum door)door);
    if (core->knowledge != events->knowledge)
        tell_knowledge(events);
    if (core->roles.newest != events->log_newest)
        tell_log(events);
}

static void
tick(void *ctx)
{
    struct events *events = ctx;
    struct err err;

    if (events->count == 0)
        return;
    events->quiet++;
    tell_news(events);
    if (events->quiet >= QUIET_TICKS)
        tell(events, SPAN(""), SPAN(""));
    (void)!loop_timer_set(events->core->loop, &events->timer, clock_ticks_us() + TICK_US, &err);
}

struct events *
events_new(struct core *core)
{
    struct events *events = calloc(1, sizeof *events);

    if (events == NULL)
        return NULL;
    events->core = core;
    events->timer = (struct loop_timer){.due = tick, .ctx = events};
    return events;
}

void
events_free(struct events *events)
{
    if (events == NULL)
        return;
    loop_timer_stop(events->core->loop, &events->timer);
    forget_flows(events);
    free(events);
}

static void
forget(struct events *events, size_t i)
{
    events->listeners[i] = events->listeners[--events->count];
    if (events->count == 0) {
        loop_timer_stop(events->core->loop, &events->timer);
        forget_flows(events);
    }
}

void
events_gone(struct core *core, enum door door)
{
    struct events *events = core->events;

    for (size_t i = events == NULL ? 0 : events->count; i-- > 0;)
        if (events->listeners[i].door == door)
            forget(events, i);
}

/* The first word is told at once: who listens knows that it works, and how things stand. The day's
 * flows follow with the next tick, for whoever asked for them before and listens only now. */
int
core_events(struct core *core, struct ask *ask, struct err *err)
{
    struct events *events = core->events;

    if (events->count >= EVENTS_LISTENERS_MAX)
        return err_set(err, ERR_TOO_MANY, "%d listen already", EVENTS_LISTENERS_MAX);
    int rc = look(core, &events->seen, err);
    if (rc == 0 && events->count == 0) {
        memcpy(events->generations, core->generations, sizeof events->generations);
        events->knowledge = core->knowledge;
        events->log_newest = core->roles.newest;
    }
    if (rc == 0)
        rc = loop_timer_set(core->loop, &events->timer, clock_ticks_us() + TICK_US, err);
    if (rc != 0)
        return rc;
    events->listeners[events->count++] = (struct listener){ask->door, ask->tag};
    forget_flows(events);
    tell_counts(events, &events->seen);
    return 0;
}

int
core_events_end(struct core *core, struct ask *ask, struct err *err)
{
    struct events *events = core->events;

    (void)err;
    for (size_t i = events->count; i-- > 0;)
        if (events->listeners[i].door == ask->door && events->listeners[i].tag == ask->tag)
            forget(events, i);
    return 0;
}
