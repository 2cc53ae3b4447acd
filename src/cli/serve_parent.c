#include "base/log.h"
#include "cli/serve_private.h"
#include "sys/clock.h"
#include "sys/spawn.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    QUEUE_BYTES = 8 * 1024 * 1024,
    US_A_MS = 1000,
    LONG_LIFE_US = 10 * 1000 * 1000, /* who was ready so long did not die of being started */
    ENDING_US = 5 * 1000 * 1000,     /* from closing its channel to its end */
    PAUSE_FIRST_MS = 100,
    PAUSE_MOST_MS = 2000,
    STILLBORN_MAX = 5, /* never ready, in a row */
    SHORT_MAX = 50,    /* lives that were not long, in a row */
};

static void stop_node(struct parent *parent, const struct err *why);
static void begin_child(struct child *child);

/* Is it run at all? */
static bool
is_wanted(const struct child *child)
{
    return child->row->kind != ROLE_MAILER || conf_bool(serve_conf(child->parent), CONF_MAIL);
}

/* ---- a role's life ---- */

static void
log_settings_of(const struct conf *conf)
{
    log_settings((enum log_format)conf_number(conf, CONF_LOG_FORMAT),
        (enum log_level)conf_number(conf, CONF_LOG_LEVEL));
}

static void
all_ready(struct parent *parent)
{
    if (parent->stopping)
        return;
    for (size_t i = 0; i < ROLE_ROWS; i++)
        if (is_wanted(&parent->children[i]) && parent->children[i].state != SERVE_READY)
            return;
    if (!parent->served)
        log_info("node ready", log_word("home", parent->serve->home));
    parent->served = true;
    notify_ready(&parent->notify, "serving");
}

static void
now_is(struct child *child, enum serve_state state)
{
    child->state = state;
    child->since_us = clock_now_us();
    serve_say_roles(child->parent);
}

/* Its channel leads to nobody any more. */
static void
part(struct child *child)
{
    child->channel = NULL;
    if (child == serve_core(child->parent))
        serve_log_core(&child->parent->log, NULL);
}

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    struct child *child = ctx;

    (void)channel;
    if (message->fd >= 0)
        (void)close(message->fd);
    if (message->type == MESSAGE_LOGGED)
        serve_log_take(&child->parent->log, (unsigned)(child->row - role_rows), message->body);
    if (message->type != MESSAGE_READY || child->state != SERVE_STARTING)
        return; /* roles have nothing else to say here */
    loop_timer_stop(child->parent->loop, &child->timer);
    child->stillborn = 0;
    child->begun_us = clock_ticks_us();
    now_is(child, SERVE_READY);
    log_info("role ready", log_word("which", child->row->name), log_number("pid", child->pid));
    if (child == serve_core(child->parent))
        serve_log_core(&child->parent->log, child->channel);
    all_ready(child->parent);
}

/* Its process is about to end, which SIGCHLD tells; one that does not is of no use. */
static void
on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    struct child *child = ctx;

    (void)why;
    part(child);
    channel_free(channel);
    if (child->pid > 0 && child->state != SERVE_STOPPING
        && loop_timer_set(child->parent->loop, &child->timer, clock_ticks_us() + ENDING_US, NULL)
            != 0)
        (void)kill(child->pid, SIGKILL);
}

static void
on_timer(void *ctx)
{
    struct child *child = ctx;

    if (child->state == SERVE_DOWN && !child->parent->stopping)
        begin_child(child);
    else if (child->pid > 0) {
        if (child->channel != NULL)
            log_error("role is not ready in time", log_word("which", child->row->name));
        (void)kill(child->pid, SIGKILL);
    }
}

static int
start_process(struct child *child, struct err *err)
{
    struct parent *parent = child->parent;
    const struct channel_events events = {.ctx = child, .message = on_message, .closed = on_closed};
    bool core = child == serve_core(parent);
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(err, ERR_IO, "a socket pair cannot be had: %s", strerror(errno));
    int rc = spawn_role(parent->program, child->row->word, ends[1],
        core ? parent->doors.lock_fd : -1, &child->pid, err);
    (void)close(ends[1]);
    if (rc != 0) {
        child->pid = 0;
        (void)close(ends[0]);
        return rc;
    }
    return channel_new(parent->loop, ends[0], QUEUE_BYTES, &events, &child->channel, err);
}

/* There is no process: it is tried again as if one had died. */
static void
not_begun(struct child *child, const struct err *why)
{
    struct parent *parent = child->parent;
    struct err err;

    log_error_of("role cannot be started", why, log_word("which", child->row->name));
    channel_free(child->channel);
    part(child);
    now_is(child, SERVE_DOWN);
    if (++child->stillborn >= STILLBORN_MAX || !parent->served
        || loop_timer_set(
               parent->loop, &child->timer, clock_ticks_us() + PAUSE_MOST_MS * US_A_MS, &err)
            != 0)
        stop_node(parent, why);
}

static void
begin_child(struct child *child)
{
    struct parent *parent = child->parent;
    int64_t late_us =
        clock_ticks_us() + conf_number(serve_conf(parent), CONF_START_DEADLINE) * US_A_MS;
    struct err err = {0};
    int rc = start_process(child, &err);

    if (rc != 0 && child->pid == 0) {
        not_begun(child, &err);
        return;
    }
    now_is(child, SERVE_STARTING);
    log_info("role started", log_word("which", child->row->name), log_number("pid", child->pid));
    if (rc == 0)
        rc = loop_timer_set(parent->loop, &child->timer, late_us, &err);
    if (rc == 0)
        rc = serve_hand_over(child, &err);
    if (rc != 0) {
        log_error_of("role was not told", &err, log_word("which", child->row->name));
        (void)kill(child->pid, SIGKILL); /* which SIGCHLD tells */
    }
}

/* How long the next start is put off: the first time not at all, then longer and longer. */
static int64_t
pause_us(const struct child *child)
{
    unsigned tries = child->stillborn > child->short_lives ? child->stillborn : child->short_lives;
    int64_t ms = tries <= 1 ? 0 : PAUSE_FIRST_MS;

    for (unsigned i = 2; i < tries && ms < PAUSE_MOST_MS; i++)
        ms *= 2;
    return (ms < PAUSE_MOST_MS ? ms : PAUSE_MOST_MS) * US_A_MS;
}

/* A start that ended by itself before the node had ever served will end so again. */
static bool
is_hopeless(const struct child *child, enum serve_state was, int status)
{
    return child->stillborn >= STILLBORN_MAX || child->short_lives >= SHORT_MAX
        || (!child->parent->served && was == SERVE_STARTING && WIFEXITED(status));
}

static void
mourn(struct child *child, enum serve_state was, int status)
{
    struct parent *parent = child->parent;
    char how[SPAWN_ENDED_BYTES];
    struct err err = {0};

    spawn_ended(status, how);
    if (was == SERVE_READY && clock_ticks_us() - child->begun_us >= LONG_LIFE_US)
        child->short_lives = 0;
    child->stillborn += was == SERVE_STARTING ? 1 : 0;
    child->short_lives++;
    child->deaths++;
    log_error("role died", log_word("which", child->row->name), log_number("pid", child->pid),
        log_word("how", how), log_number("in_a_row", child->short_lives));
    if (is_hopeless(child, was, status)) {
        (void)err_set(&err, ERR_STOPPED, "%s %s, %u times in a row: the node cannot go on",
            child->row->name, how, child->short_lives);
        stop_node(parent, &err);
    } else if (loop_timer_set(parent->loop, &child->timer, clock_ticks_us() + pause_us(child), &err)
        != 0)
        stop_node(parent, &err);
}

static bool
any_left(const struct parent *parent, bool but_core)
{
    for (size_t i = but_core ? ROLE_ROW_CORE + 1 : 0; i < ROLE_ROWS; i++)
        if (parent->children[i].pid > 0)
            return true;
    return false;
}

/* ---- the end ---- */

static void
tell_to_stop(struct child *child)
{
    struct err err;

    if (child->pid <= 0)
        return;
    child->state = SERVE_STOPPING;
    if (serve_say(child, MESSAGE_STOP, SPAN(""), -1, &err) != 0)
        (void)kill(child->pid, SIGKILL);
}

/* Core ends last: what the doors have taken in must be answered. */
static void
go_on_stopping(struct parent *parent)
{
    if (!any_left(parent, true) && !parent->core_told) {
        parent->core_told = true;
        tell_to_stop(serve_core(parent));
    }
    if (!any_left(parent, false))
        loop_stop(parent->loop);
}

static void
kill_all(struct parent *parent)
{
    for (size_t i = 0; i < ROLE_ROWS; i++)
        if (parent->children[i].pid > 0)
            (void)kill(parent->children[i].pid, SIGKILL);
}

static void
on_deadline(void *ctx)
{
    struct parent *parent = ctx;

    log_warning("roles did not end in time and are killed");
    kill_all(parent);
}

/* WHY is NULL when it was asked to. */
static void
stop_node(struct parent *parent, const struct err *why)
{
    int64_t patience_us = conf_number(serve_conf(parent), CONF_STOP_DEADLINE) * US_A_MS;

    if (parent->stopping)
        return;
    parent->stopping = true;
    if (why != NULL)
        parent->why = *why;
    notify_stopping(&parent->notify);
    log_info("node stopping");
    serve_close_doors(&parent->doors);
    if (loop_timer_set(parent->loop, &parent->deadline, clock_ticks_us() + patience_us, NULL) != 0)
        kill_all(parent);
    for (size_t i = ROLE_ROW_CORE + 1; i < ROLE_ROWS; i++)
        tell_to_stop(&parent->children[i]);
    go_on_stopping(parent);
}

/* ---- signals ---- */

static void
one_ended(struct parent *parent, pid_t pid, int status)
{
    struct child *child = parent->children;

    while (child < parent->children + ROLE_ROWS && child->pid != pid)
        child++;
    if (child == parent->children + ROLE_ROWS)
        return;
    enum serve_state was = child->state;
    loop_timer_stop(parent->loop, &child->timer);
    channel_free(child->channel);
    part(child);
    if (!parent->stopping)
        mourn(child, was, status);
    child->pid = 0;
    now_is(child, SERVE_DOWN);
    if (parent->stopping)
        go_on_stopping(parent);
}

static void
on_ended(void *ctx, int number)
{
    struct parent *parent = ctx;
    int status;
    pid_t pid;

    (void)number;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        one_ended(parent, pid, status);
}

static void
on_stop(void *ctx, int number)
{
    struct parent *parent = ctx;

    (void)number;
    if (parent->stopping)
        kill_all(parent); /* asked a second time */
    stop_node(parent, NULL);
}

static void
applies_later(void *ctx, const struct conf_row *row)
{
    (void)ctx;
    log_warning("setting changed, which applies when the node is started again",
        log_word("option", row->name));
}

static void
apply(struct parent *parent, struct conf *conf)
{
    struct err err;

    conf_keep(conf, parent->serve->conf, applies_later, NULL);
    conf_swap(parent->serve->conf, conf);
    log_settings_of(serve_conf(parent));
    for (size_t i = 0; i < ROLE_ROWS; i++)
        if (parent->children[i].channel != NULL
            && serve_say_settings(&parent->children[i], &err) != 0)
            log_error_of(
                "role was not told", &err, log_word("which", parent->children[i].row->name));
    serve_say_roles(parent); /* the certificate may be another */
    log_info("settings read", log_word("file", parent->serve->config));
}

/* What is wrong changes nothing. */
static void
on_reload(void *ctx, int number)
{
    struct parent *parent = ctx;
    struct conf *conf = NULL;
    struct err err = {0};

    (void)number;
    if (parent->stopping)
        return;
    notify_reloading(&parent->notify);
    int rc = serve_read(parent->serve, &conf, &err);
    if (rc == 0)
        rc = serve_check_paths(parent->serve, conf, &err);
    if (rc == 0)
        rc = serve_read_secrets(parent->serve, conf, &err);
    if (rc == 0)
        apply(parent, conf);
    else
        log_error_of(
            "settings are wrong; those before stay", &err, log_word("file", parent->serve->config));
    conf_free(conf);
    notify_ready(&parent->notify, rc == 0 ? "serving" : "serving; the new settings are wrong");
}

static void
on_watchdog(void *ctx)
{
    struct parent *parent = ctx;

    notify_watchdog(&parent->notify);
    if (loop_timer_set(parent->loop, &parent->watchdog,
            clock_ticks_us() + parent->notify.watchdog_us / 2, NULL)
        != 0)
        return; /* the service manager will see it */
}

/* ---- the beginning ---- */

static int
listen_to_signals(struct parent *parent, struct err *err)
{
    int rc = loop_signal(parent->loop, SIGCHLD, on_ended, parent, err);

    (void)signal(SIGPIPE, SIG_IGN);
    if (rc == 0)
        rc = loop_signal(parent->loop, SIGTERM, on_stop, parent, err);
    if (rc == 0)
        rc = loop_signal(parent->loop, SIGINT, on_stop, parent, err);
    return rc == 0 ? loop_signal(parent->loop, SIGHUP, on_reload, parent, err) : rc;
}

static int
begin(struct parent *parent, struct err *err)
{
    int rc = loop_new(&parent->loop, err);

    if (rc == 0)
        rc = notify_open(&parent->notify, err);
    if (rc == 0)
        rc = spawn_self(&parent->program, err);
    if (rc == 0)
        rc = serve_lock(parent->serve, &parent->doors, err);
    if (rc == 0)
        rc = serve_read_secrets(parent->serve, serve_conf(parent), err);
    if (rc == 0)
        rc = listen_to_signals(parent, err);
    if (rc == 0)
        rc = serve_open_doors(parent->serve, &parent->doors, err);
    return rc == 0 ? serve_wall(parent->serve, &parent->doors, err) : rc;
}

static void
end(struct parent *parent)
{
    serve_log_end(&parent->log);
    serve_close_doors(&parent->doors);
    notify_close(&parent->notify);
    for (size_t i = 0; i < ROLE_ROWS; i++)
        channel_free(parent->children[i].channel);
    loop_free(parent->loop);
    if (parent->program >= 0)
        (void)close(parent->program);
    if (parent->doors.lock_fd >= 0)
        (void)close(parent->doors.lock_fd);
}

static void
prepare(struct parent *parent)
{
    parent->doors = serve_no_doors();
    for (size_t i = 0; i < ROLE_ROWS; i++) {
        struct child *child = &parent->children[i];
        *child = (struct child){.parent = parent, .row = &role_rows[i]};
        child->timer = (struct loop_timer){.due = on_timer, .ctx = child};
    }
    parent->deadline = (struct loop_timer){.due = on_deadline, .ctx = parent};
    parent->watchdog = (struct loop_timer){.due = on_watchdog, .ctx = parent};
}

int
serve_run(struct serve *serve, struct err *err)
{
    struct parent parent = {.serve = serve, .program = -1, .notify = {.fd = -1}};

    prepare(&parent);
    log_start("parent", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, clock_now_us);
    log_settings_of(serve->conf);
    int rc = serve_log_begin(&parent.log, err);
    if (rc == 0)
        rc = begin(&parent, err);
    for (size_t i = 0; rc == 0 && i < ROLE_ROWS && !parent.stopping; i++)
        if (is_wanted(&parent.children[i]))
            begin_child(&parent.children[i]);
    if (rc == 0 && parent.notify.watchdog_us > 0)
        on_watchdog(&parent);
    if (rc == 0)
        rc = loop_run(parent.loop, err);
    if (rc == 0 && parent.why.code != 0) {
        *err = parent.why;
        rc = (int)parent.why.code;
    } else if (rc == 0)
        log_info("node stopped");
    if (rc != 0)
        log_error_of("node failed", err);
    end(&parent);
    return rc;
}
