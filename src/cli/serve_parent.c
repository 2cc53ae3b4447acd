#include "cli/serve.h"

#include "base/log.h"
#include "sys/channel.h"
#include "sys/clock.h"
#include "sys/notify.h"
#include "sys/spawn.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    QUEUE_BYTES = 8 * 1024 * 1024,
    HAND_BYTES_MAX = CHANNEL_BODY_MAX,
    US_A_MS = 1000,
    LONG_LIFE_US = 10 * 1000 * 1000, /* who was ready so long did not die of being started */
    ENDING_US = 5 * 1000 * 1000,     /* from closing its channel to its end */
    PAUSE_FIRST_MS = 100,
    PAUSE_MOST_MS = 2000,
    STILLBORN_MAX = 5, /* never ready, in a row */
    SHORT_MAX = 50,    /* lives that were not long, in a row */
};

enum state { DOWN, STARTING, READY, STOPPING };

struct parent;

struct child {
    struct parent *parent;
    const struct role_row *row;
    enum state state;
    pid_t pid;               /* 0: none */
    struct channel *channel; /* NULL: none */
    unsigned stillborn;      /* deaths in a row before it was ready */
    unsigned short_lives;    /* deaths in a row after a short life */
    int64_t begun_us;        /* ticks, when it became ready */
    struct loop_timer timer; /* DOWN: start it; else it takes too long to be ready, or to end */
};

struct parent {
    struct serve *serve;
    struct loop *loop;
    struct notify notify;
    int program;
    struct serve_doors doors;
    struct child children[ROLE_ROWS];
    struct loop_timer deadline; /* of stopping */
    struct loop_timer watchdog;
    bool served; /* all were ready once */
    bool stopping;
    bool core_told; /* to stop */
    struct err why; /* the node stops because of it; code 0: it was asked to */
};

static void stop_node(struct parent *parent, const struct err *why);
static void begin_child(struct child *child);

static struct child *
core_of(struct parent *parent)
{
    return &parent->children[ROLE_ROW_CORE];
}

static const struct conf *
conf_of(const struct parent *parent)
{
    return parent->serve->conf;
}

/* Is it run at all? */
static bool
is_wanted(const struct child *child)
{
    return child->row->kind != ROLE_MAILER || conf_bool(conf_of(child->parent), CONF_MAIL);
}

/* ---- what roles are told ---- */

static int
say(struct child *child, uint16_t type, struct span body, int fd, struct err *err)
{
    const struct channel_message message = {.type = type, .fd = fd};

    if (child->channel == NULL)
        return err_set(err, ERR_IO, "%s is not there", child->row->name);
    return channel_send(child->channel, &message, &body, 1, err);
}

static int
lend_file(void *ctx, struct span path, int fd, struct err *err)
{
    return say(ctx, MESSAGE_LENT, path, fd, err);
}

static int
say_settings(struct child *child, struct err *err)
{
    const struct serve *serve = child->parent->serve;
    struct buf body = buf_new(HAND_BYTES_MAX);
    int rc = child->row->kind == ROLE_CORE ? serve_lend(serve, lend_file, child, err) : 0;

    if (rc == 0)
        rc = serve_settings_add(serve, child->row, &body, err);
    if (rc == 0)
        rc = say(child, MESSAGE_SETTINGS, buf_span(&body), -1, err);
    if (body.p != NULL)
        explicit_bzero(body.p, body.n);
    buf_free(&body);
    return rc;
}

/* A socket pair between core and CHILD, if both are there. One that does not hear of it has died,
 * and its successor is linked again. */
static int
link_to_core(struct child *child, struct err *err)
{
    struct child *core = core_of(child->parent);
    const char door = (char)child->row->door;
    int ends[2];

    if (child == core || core->channel == NULL || child->channel == NULL)
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return err_set(err, ERR_IO, "a socket pair cannot be had: %s", strerror(errno));
    struct err unheard;
    if (say(core, MESSAGE_PAIR, (struct span){&door, 1}, ends[0], &unheard) != 0
        || say(child, MESSAGE_PAIR, (struct span){&door, 1}, ends[1], &unheard) != 0)
        log_debug("role is not linked", log_word("which", child->row->name));
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

static int
hand_over(struct child *child, struct err *err)
{
    struct parent *parent = child->parent;
    int listen_fd = parent->doors.listen_fds[child->row->door];

    if (child == core_of(parent))
        serve_note_folders(parent->serve);
    int rc = say_settings(child, err);
    if (rc == 0 && child->row->kind == ROLE_FRONT)
        rc = say(child, MESSAGE_LISTEN, SPAN(""), listen_fd, err);
    if (rc == 0 && child != core_of(parent))
        rc = link_to_core(child, err);
    for (size_t i = 0; rc == 0 && child == core_of(parent) && i < ROLE_ROWS; i++)
        rc = link_to_core(&parent->children[i], err);
    return rc == 0 ? say(child, MESSAGE_START, SPAN(""), -1, err) : rc;
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
        if (is_wanted(&parent->children[i]) && parent->children[i].state != READY)
            return;
    if (!parent->served)
        log_info("node ready", log_word("home", parent->serve->home));
    parent->served = true;
    notify_ready(&parent->notify, "serving");
}

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    struct child *child = ctx;

    (void)channel;
    if (message->fd >= 0)
        (void)close(message->fd);
    if (message->type != MESSAGE_READY || child->state != STARTING)
        return; /* roles have nothing else to say here */
    loop_timer_stop(child->parent->loop, &child->timer);
    child->state = READY;
    child->stillborn = 0;
    child->begun_us = clock_ticks_us();
    log_info("role ready", log_word("which", child->row->name), log_number("pid", child->pid));
    all_ready(child->parent);
}

/* Its process is about to end, which SIGCHLD tells; one that does not is of no use. */
static void
on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    struct child *child = ctx;

    (void)why;
    child->channel = NULL;
    channel_free(channel);
    if (child->pid > 0 && child->state != STOPPING
        && loop_timer_set(child->parent->loop, &child->timer, clock_ticks_us() + ENDING_US, NULL)
            != 0)
        (void)kill(child->pid, SIGKILL);
}

static void
on_timer(void *ctx)
{
    struct child *child = ctx;

    if (child->state == DOWN && !child->parent->stopping)
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
    bool core = child == core_of(parent);
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
    child->channel = NULL;
    child->state = DOWN;
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
        clock_ticks_us() + conf_number(conf_of(parent), CONF_START_DEADLINE) * US_A_MS;
    struct err err = {0};
    int rc = start_process(child, &err);

    if (rc != 0 && child->pid == 0) {
        not_begun(child, &err);
        return;
    }
    child->state = STARTING;
    log_info("role started", log_word("which", child->row->name), log_number("pid", child->pid));
    if (rc == 0)
        rc = loop_timer_set(parent->loop, &child->timer, late_us, &err);
    if (rc == 0)
        rc = hand_over(child, &err);
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
is_hopeless(const struct child *child, enum state was, int status)
{
    return child->stillborn >= STILLBORN_MAX || child->short_lives >= SHORT_MAX
        || (!child->parent->served && was == STARTING && WIFEXITED(status));
}

static void
mourn(struct child *child, enum state was, int status)
{
    struct parent *parent = child->parent;
    char how[SPAWN_ENDED_BYTES];
    struct err err = {0};

    spawn_ended(status, how);
    if (was == READY && clock_ticks_us() - child->begun_us >= LONG_LIFE_US)
        child->short_lives = 0;
    child->stillborn += was == STARTING ? 1 : 0;
    child->short_lives++;
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
    child->state = STOPPING;
    if (say(child, MESSAGE_STOP, SPAN(""), -1, &err) != 0)
        (void)kill(child->pid, SIGKILL);
}

/* Core ends last: what the doors have taken in must be answered. */
static void
go_on_stopping(struct parent *parent)
{
    if (!any_left(parent, true) && !parent->core_told) {
        parent->core_told = true;
        tell_to_stop(core_of(parent));
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
    int64_t patience_us = conf_number(conf_of(parent), CONF_STOP_DEADLINE) * US_A_MS;

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
    enum state was = child->state;
    loop_timer_stop(parent->loop, &child->timer);
    channel_free(child->channel);
    child->channel = NULL;
    child->state = DOWN;
    if (!parent->stopping)
        mourn(child, was, status);
    child->pid = 0;
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
    log_settings_of(conf_of(parent));
    for (size_t i = 0; i < ROLE_ROWS; i++)
        if (parent->children[i].channel != NULL && say_settings(&parent->children[i], &err) != 0)
            log_error_of(
                "role was not told", &err, log_word("which", parent->children[i].row->name));
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
        rc = serve_read_secrets(parent->serve, conf_of(parent), err);
    if (rc == 0)
        rc = listen_to_signals(parent, err);
    if (rc == 0)
        rc = serve_open_doors(parent->serve, &parent->doors, err);
    return rc == 0 ? serve_wall(parent->serve, &parent->doors, err) : rc;
}

static void
end(struct parent *parent)
{
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
    int rc = begin(&parent, err);
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
