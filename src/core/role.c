/* The role that holds the store: from what the parent gives to the loop, and out of it again. */
#include "base/conf.h"
#include "base/log.h"
#include "core/collections.h"
#include "core/incoming.h"
#include "core/intake.h"
#include "core/receipts.h"
#include "core/retain.h"
#include "core/state.h"
#include "sys/clock.h"

#include <stdlib.h>

enum {
    TICK_US = 1000000,
    LOOK_US = 250000, /* whether the register was changed by hand */
    SEE_TICKS = 60,
    QUIET_TICKS = 10
};

struct running {
    struct core core;
    const struct role_start *start;
    struct loop_timer tick;
    struct loop_timer look;
    unsigned ticks;
    uint64_t committed;   /* commits at the tick before */
    unsigned quiet_ticks; /* ticks without one */
    struct retain retain;
};

static const char *
text_or_null(const struct conf *conf, enum conf_option option)
{
    struct span text = conf_text(conf, option);

    return text.n > 0 ? text.p : NULL;
}

static void
read_options(const struct role_start *start, struct core_options *out)
{
    const struct conf *conf = start->conf;

    *out = (struct core_options){.home = start->home,
        .conf = conf,
        .share_dir = conf_text(conf, CONF_SHARE).p,
        .teams_path = conf_text(conf, CONF_TEAMS).p,
        .geo_path = text_or_null(conf, CONF_GEO),
        .feeds_path = text_or_null(conf, CONF_FEEDS),
        .door_pin = start->tls_pin,
        .agreements = text_or_null(conf, CONF_AGREEMENTS),
        .team = text_or_null(conf, CONF_TEAM),
        .sandboxed = start->sandbox,
        .courier = conf_bool(conf, CONF_COURIER),
        .window = (uint64_t)conf_number(conf, CONF_DUPLICATES_WINDOW),
        .outbox_max = (uint64_t)conf_number(conf, CONF_OUTBOX_MAX),
        .batch_reports = (uint32_t)conf_number(conf, CONF_BATCH_REPORTS),
        .batch_us = conf_number(conf, CONF_BATCH_INTERVAL) * 1000,
        .watch = conf_bool(conf, CONF_WATCH),
        .watch_interval_us = conf_number(conf, CONF_WATCH_INTERVAL) * 1000,
        .login_rate = (uint32_t)conf_number(conf, CONF_LOGIN_RATE),
        .keep_reports_us = conf_number(conf, CONF_KEEP_REPORTS) * 1000,
        .keep_pieces_us = conf_number(conf, CONF_KEEP_PIECES) * 1000,
        .keep_receipts_us = conf_number(conf, CONF_KEEP_RECEIPTS) * 1000,
        .store_cache = (uint64_t)conf_number(conf, CONF_STORE_CACHE),
        .link_give_up_us = conf_number(conf, CONF_COURIER_GIVE_UP) * 1000,
        .session_us = conf_number(conf, CONF_SESSION_LENGTH) * 1000,
        .session_idle_us = conf_number(conf, CONF_SESSION_IDLE) * 1000};
}

/* ---- what the parent says ---- */

static void
on_settings(void *ctx)
{
    struct running *running = ctx;
    struct err err = {0};

    read_options(running->start, &running->core.options);
    if (core_settings(&running->core, &err) != 0)
        log_error_of("settings could not be read anew", &err);
}

static void
on_pair(void *ctx, enum door door, int fd)
{
    struct running *running = ctx;
    struct err err = {0};

    if (core_connect(&running->core, door, fd, &err) != 0)
        log_error_of("a door could not be connected", &err);
}

static void
on_said(void *ctx, uint16_t type, struct span body)
{
    struct running *running = ctx;

    roles_take(&running->core.roles, type, body);
}

static void
on_stop(void *ctx)
{
    struct running *running = ctx;

    core_stop(&running->core);
}

/* ---- the clock ---- */

/* What has ended must not come back because the clock was set back while the node was down. */
static void
note_time(struct core *core)
{
    struct err err = {0};
    bool trusted;

    if (core->basis.registry != NULL
        && registry_see(core->basis.registry, clock_now_us(), &trusted, &err) != 0)
        log_warning_of("the time could not be noted", &err);
}

/* How far recipients have read is noted now and then, not at each page. */
static void
write_fetched(struct core *core)
{
    int64_t now = clock_now_us();
    struct err err = {0};

    if (!collections_flush_due(core->collections, now))
        return;
    int rc = core_begin(core, &err);
    if (rc == 0)
        rc = collections_flush(core->collections, now, receipts_by, core, &err);
    if (rc != 0)
        core_lose(core, &err);
}

static void
note_removed(struct core *core, const struct retain_done *done, int64_t now_us)
{
    core->retained.pieces += done->pieces;
    core->retained.receipts += done->receipts;
    if (done->pieces + done->receipts > 0)
        core->retained.last_us = now_us;
}

/* The counts of collections change with what they have. */
static void
remove_old(struct running *running)
{
    struct core *core = &running->core;
    const struct retain_now now = {.clock_us = clock_now_us(),
        .ticks_us = clock_ticks_us(),
        .reports_us = core->options.keep_reports_us,
        .pieces_us = core->options.keep_pieces_us,
        .receipts_us = core->options.keep_receipts_us};
    struct retain_done done;
    struct err err;

    if (!retain_due(&running->retain, now.ticks_us))
        return;
    int rc = core_begin(core, &err);
    if (rc == 0)
        rc = retain_step(&running->retain, core->store, &now, &done, &err);
    if (rc == 0 && done.pieces + done.receipts > 0)
        rc = collections_again(core->collections, &err);
    if (rc == 0)
        note_removed(core, &done, now.clock_us);
    else
        core_lose(core, &err);
    core->retained.clock_jumped = running->retain.waits;
}

/* What the last work was done in goes back. */
static void
rest(struct core *core)
{
    store_relax(core->store);
    geo_rest(core->geo);
    mem_give_back();
}

/* A node that has little to do takes little. */
static void
relax(struct running *running)
{
    struct core *core = &running->core;
    bool quiet = core->commits == running->committed;

    running->committed = core->commits;
    running->quiet_ticks = quiet ? running->quiet_ticks + 1 : 0;
    if (running->quiet_ticks != QUIET_TICKS)
        return;
    rest(core);
}

static void
on_tick(void *ctx)
{
    struct running *running = ctx;
    struct err err = {0};

    write_fetched(&running->core);
    remove_old(running);
    relax(running);
    if (++running->ticks % SEE_TICKS == 0)
        note_time(&running->core);
    if (loop_timer_set(running->start->loop, &running->tick, clock_ticks_us() + TICK_US, &err) != 0)
        log_error_of("the clock stands", &err);
}

/* What `comity agreement` changed partners see well within a second. */
static void
on_look(void *ctx)
{
    struct running *running = ctx;
    struct err err = {0};

    intake_renew(&running->core);
    if (loop_timer_set(running->start->loop, &running->look, clock_ticks_us() + LOOK_US, &err) != 0)
        log_error_of("the clock stands", &err);
}

/* ---- life ---- */

static int
wall(const struct role_start *start, const struct core_options *o, struct err *err)
{
    const char *read[5] = {o->share_dir, o->teams_path};
    size_t count = 2;

    if (o->geo_path != NULL)
        read[count++] = o->geo_path;
    if (o->feeds_path != NULL)
        read[count++] = o->feeds_path;
    if (o->agreements != NULL)
        read[count++] = o->agreements;
    const struct sandbox_paths paths = {
        .read = read, .read_count = count, .write = &o->home, .write_count = 1};
    return role_wall(start, &paths, err);
}

static int
connect_all(struct core *core, const struct role_start *start, struct err *err)
{
    int rc = 0;

    for (int d = 0; rc == 0 && d < DOOR_COUNT; d++)
        if (d != DOOR_PARENT && start->pairs[d] >= 0)
            rc = core_connect(core, (enum door)d, start->pairs[d], err);
    return rc;
}

static int
run(struct running *running, struct err *err)
{
    const struct role_start *start = running->start;
    const struct role_events events = {
        .ctx = running, .settings = on_settings, .pair = on_pair, .said = on_said, .stop = on_stop};
    struct core_options options;

    read_options(start, &options);
    int rc = wall(start, &options, err);
    if (rc == 0)
        rc = core_open(&running->core, start->loop, &options, err);
    if (rc == 0)
        rc = connect_all(&running->core, start, err);
    if (rc == 0)
        rc = loop_timer_set(start->loop, &running->tick, clock_ticks_us() + TICK_US, err);
    if (rc == 0)
        rc = loop_timer_set(start->loop, &running->look, clock_ticks_us() + LOOK_US, err);
    if (rc != 0)
        return rc;
    role_listen(start->role, &events);
    rest(&running->core); /* starting read all of the table, and is over */
    rc = role_ready(start->role, err);
    return rc == 0 ? loop_run(start->loop, err) : rc;
}

int
core_main(const struct role_start *start)
{
    struct running *running = calloc(1, sizeof *running);
    struct err err = {0};

    if (running == NULL)
        return EXIT_FAILURE;
    running->start = start;
    running->tick = (struct loop_timer){.due = on_tick, .ctx = running};
    running->look = (struct loop_timer){.due = on_look, .ctx = running};
    int rc = run(running, &err);
    if (rc == 0 && running->core.begun)
        rc = core_commit(&running->core, &err);
    if (rc != 0)
        log_error_of("role failed", &err);
    core_close(&running->core);
    free(running);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
