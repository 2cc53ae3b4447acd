#include "edge/courier.h"

#include "base/log.h"
#include "base/messages.h"
#include "edge/roles.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    LINKS_BYTES_MAX = 64 << 20,
    CA_BYTES_MAX = 4 << 20,
    SECOND_US = 1000000,
    STOP_LOOK_US = 20000,
};
/* Debian's. */
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

static const struct courier_job *const jobs[] = {
    &courier_push, &courier_poll, &courier_witness, &courier_mail};
enum { JOBS = sizeof jobs / sizeof jobs[0] };

struct courier_role {
    struct courier courier;
    void *job[JOBS];     /* what each opened */
    struct arena *arena; /* links are in it */
    struct arena *other;
    struct buf links; /* core's answer, as far as it came */
    uint64_t tag;
    bool asking; /* LINKS */
    bool again;  /* they changed meanwhile */
    bool stopping;
    int64_t stop_us; /* ticks: until then what was begun may take */
    struct loop_timer retry;
    struct loop_timer look; /* whether all has ended */
};

static void ask_links(struct courier_role *role);

bool
courier_may(const struct courier *courier)
{
    return courier->on && talks_connected(courier->talks);
}

static void
tell_changed(struct courier_role *role)
{
    role->courier.stopping = role->stopping;
    role->courier.on = conf_bool(role->courier.start->conf, CONF_COURIER) && !role->stopping;
    for (size_t i = 0; i < JOBS; i++)
        jobs[i]->changed(role->job[i]);
}

/* ---- links ---- */

static int
take_links(struct courier_role *role, struct err *err)
{
    struct arena *arena = role->other;
    struct link *links;
    size_t count;

    arena_reset(arena);
    int rc = buf_check(&role->links, "the list of links", err);
    char *copy = rc == 0 ? arena_copy(arena, role->links.p, role->links.n) : NULL;
    if (rc == 0 && copy == NULL)
        rc = arena_full(err, "links are taken");
    if (rc == 0)
        rc = links_take(arena, (struct span){copy, role->links.n}, &links, &count, err);
    if (rc != 0)
        return rc;
    role->other = role->arena;
    role->arena = arena;
    role->courier.links = links;
    role->courier.link_count = count;
    tell_changed(role);
    return 0;
}

static void
on_links(void *ctx, struct span body, bool more, const struct err *why)
{
    struct courier_role *role = ctx;
    struct err err = {0};

    if (why == NULL)
        buf_add_span(&role->links, body);
    if (more)
        return;
    role->asking = false;
    int rc = why != NULL ? (err = *why, err.code) : take_links(role, &err);
    role->links.n = 0;
    if (rc == 0 && role->again) {
        ask_links(role);
    } else if (rc != 0 && talks_connected(role->courier.talks)) {
        log_warning_of("links are not known", &err);
        (void)!loop_timer_set(
            role->courier.start->loop, &role->retry, clock_ticks_us() + SECOND_US, &err);
    }
}

static void
ask_links(struct courier_role *role)
{
    const struct caller nobody = {.scheme = CALLER_NOBODY};
    const struct talk talk = {.ctx = role, .answered = on_links};
    struct err err = {0};

    role->again = role->asking;
    if (role->asking)
        return;
    role->links.n = 0;
    role->links.full = false;
    role->asking =
        talk_begin(role->courier.talks, MESSAGE_LINKS, &nobody, SPAN(""), &talk, &role->tag, &err)
        == 0;
    if (!role->asking && talks_connected(role->courier.talks))
        (void)!loop_timer_set(
            role->courier.start->loop, &role->retry, clock_ticks_us() + SECOND_US, &err);
}

static void
on_retry(void *ctx)
{
    ask_links(ctx);
}

/* ---- what core and the parent say ---- */

static void
on_said(void *ctx, const struct channel_message *message)
{
    struct courier_role *role = ctx;

    if (message->type == MESSAGE_LINKS_CHANGED)
        ask_links(role);
    for (size_t i = 0; message->type != MESSAGE_LINKS_CHANGED && i < JOBS; i++)
        if (jobs[i]->said != NULL && jobs[i]->said(role->job[i], message))
            break;
    if (message->fd >= 0)
        (void)close(message->fd);
}

static void
on_pair(void *ctx, enum door door, int fd)
{
    struct courier_role *role = ctx;
    struct err err = {0};

    (void)door;
    if (talks_core(role->courier.talks, fd, &err) != 0)
        log_error_of("core cannot be reached", &err);
    else
        ask_links(role);
}

static struct http_out_settings
settings_of(const struct role_start *start)
{
    const struct conf *conf = start->conf;

    return (struct http_out_settings){
        .transfers_max = (uint32_t)conf_number(conf, CONF_COURIER_CONNECTIONS),
        .patience_ms = conf_number(conf, CONF_COURIER_PATIENCE),
        .whole_ms = conf_number(conf, CONF_COURIER_DEADLINE),
        .plain = !conf_bool(conf, CONF_TLS),
        .proxy = conf_text(conf, CONF_COURIER_PROXY)};
}

static void
on_settings(void *ctx)
{
    struct courier_role *role = ctx;
    const struct role_start *start = role->courier.start;
    const struct http_out_settings settings = settings_of(start);
    struct err err = {0};

    if (http_out_settings(role->courier.http, &settings, &err) != 0)
        log_warning_of("settings not taken", &err);
    if (http_out_show(role->courier.http, start->tls_certificate, start->tls_key, &err) != 0)
        log_warning_of("certificate not taken", &err);
    tell_changed(role);
}

static bool
is_busy(const struct courier_role *role)
{
    bool busy = http_out_busy(role->courier.http) > 0;

    for (size_t i = 0; i < JOBS; i++)
        busy = busy || (jobs[i]->busy != NULL && jobs[i]->busy(role->job[i]));
    return busy;
}

static void
on_look(void *ctx)
{
    struct courier_role *role = ctx;
    struct loop *loop = role->courier.start->loop;
    int64_t now_us = clock_ticks_us();
    struct err err;

    if (!is_busy(role) || now_us >= role->stop_us
        || loop_timer_set(loop, &role->look, now_us + STOP_LOOK_US, &err) != 0)
        loop_stop(loop);
}

/* Nothing more is begun; what is under way may end, before the parent's patience does. */
static void
on_stop(void *ctx)
{
    struct courier_role *role = ctx;
    int64_t patience_us = conf_number(role->courier.start->conf, CONF_STOP_DEADLINE) * 1000;

    role->stopping = true;
    role->stop_us = clock_ticks_us() + patience_us / 4 * 3;
    tell_changed(role);
    on_look(role);
}

/* ---- life ---- */

/* A system without one has nobody who vouches: only what is pinned is believed. */
static int
read_ca(const struct conf *conf, struct buf *out, struct err *err)
{
    struct span path = conf_text(conf, CONF_COURIER_CA);

    if (path.n == 0 && access(SYSTEM_CA, R_OK) != 0)
        return 0;
    return file_read(path.n > 0 ? path.p : SYSTEM_CA, out, err);
}

static int
open_http(struct courier_role *role, struct err *err)
{
    const struct role_start *start = role->courier.start;
    const struct http_out_settings settings = settings_of(start);
    const struct http_out_trust trust = {.certificate = start->tls_certificate,
        .key = start->tls_key,
        .ca = role->courier.ca,
        .dns = conf_text(start->conf, CONF_COURIER_DNS)};

    return http_out_new(start->loop, &settings, &trust, &role->courier.http, err);
}

/* What all who reach others need, and then each job. */
static int
open_jobs(struct courier_role *role, struct err *err)
{
    struct buf ca = buf_new(CA_BYTES_MAX);
    int rc = read_ca(role->courier.start->conf, &ca, err);

    role->courier.ca = buf_span(&ca);
    if (rc == 0)
        rc = open_http(role, err);
    for (size_t i = 0; rc == 0 && i < JOBS; i++)
        rc = jobs[i]->open(&role->courier, &role->job[i], err);
    role->courier.ca = (struct span){NULL, 0};
    buf_free(&ca);
    return rc;
}

static int
open_courier(struct courier_role *role, struct err *err)
{
    const struct role_start *start = role->courier.start;
    int rc = 0;

    role->links = buf_new(LINKS_BYTES_MAX);
    role->arena = arena_new(LINKS_BYTES_MAX);
    role->other = arena_new(LINKS_BYTES_MAX);
    role->retry = (struct loop_timer){.due = on_retry, .ctx = role};
    role->look = (struct loop_timer){.due = on_look, .ctx = role};
    if (role->arena == NULL || role->other == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for links");
    if (rc == 0)
        rc = talks_new(start->loop, on_said, role, &role->courier.talks, err);
    if (rc == 0)
        rc = open_jobs(role, err);
    int pair = start->pairs[start->door]; /* -1: core is away, too, and on_pair will be called */
    if (rc == 0 && pair >= 0) {
        rc = talks_core(role->courier.talks, pair, err);
        if (rc == 0)
            ask_links(role);
    }
    return rc;
}

static void
close_courier(struct courier_role *role)
{
    for (size_t i = 0; i < JOBS; i++)
        if (role->job[i] != NULL)
            jobs[i]->close(role->job[i]);
    http_out_free(role->courier.http);
    talks_free(role->courier.talks);
    loop_timer_stop(role->courier.start->loop, &role->retry);
    loop_timer_stop(role->courier.start->loop, &role->look);
    buf_free(&role->links);
    arena_free(role->arena);
    arena_free(role->other);
}

int
courier_main(const struct role_start *start)
{
    static const char *const hosts[] = {"/etc/hosts"};
    const struct sandbox_paths paths = {
        .read = hosts, .read_count = access(hosts[0], R_OK) == 0 ? 1 : 0};
    struct courier_role role = {.courier = {.start = start}};
    struct err err = {0};

    role_listen(start->role,
        &(struct role_events){
            .ctx = &role, .settings = on_settings, .pair = on_pair, .stop = on_stop});
    int rc = open_courier(&role, &err);
    if (rc == 0)
        rc = role_wall(start, &paths, &err);
    if (rc == 0)
        rc = role_ready(start->role, &err);
    if (rc == 0)
        rc = loop_run(start->loop, &err);
    close_courier(&role);
    if (rc == 0)
        return EXIT_SUCCESS;
    log_error_of("role failed", &err);
    return EXIT_FAILURE;
}
