/* core_ask.h: what does a core in this process answer to a front?
 *
 * A core over a store in a temporary folder, with a socket pair to each door in the same loop: the
 * test is the front.
 */
#ifndef COMITY_TESTS_CORE_ASK_H
#define COMITY_TESTS_CORE_ASK_H

#include "base/refusal.h"
#include "core/state.h"
#include "model/intake.h"
#include "model/record.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

struct core_end {
    struct core_test *test;
    enum door door;
    struct channel *channel;
};

struct core_test {
    char home[128];
    char teams[256];
    char agreements[256];
    char share[512];
    struct core_options options;
    struct loop *loop;
    struct core core;
    struct core_end ends[DOOR_COUNT];
    /* the answer that came last */
    uint16_t type;
    uint64_t tag;
    bool more;
    struct buf body;
    struct err refusal;
    uint32_t credit;     /* in all */
    uint64_t credit_tag; /* of the last */
    int file;            /* descriptor of FILE; -1: none */
    uint32_t waits;      /* LINK_WAITS, in all */
    uint32_t waits_team; /* of the last */
    uint32_t changed;    /* LINKS_CHANGED */
    int64_t at_us;       /* of the last LINK_AT */
    bool wants_any;      /* stop at whatever comes */
    bool gave_up;
    uint64_t next_tag;
};

static inline void
core_test_on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    struct core_end *end = ctx;
    struct core_test *t = end->test;

    (void)channel;
    if (message->type == MESSAGE_CREDIT) {
        struct wire_in in = wire_in(message->body);
        t->credit += wire_u32(&in);
        t->credit_tag = message->tag;
    } else if (message->type == MESSAGE_LINK_WAITS) {
        struct wire_in in = wire_in(message->body);
        t->waits_team = wire_u32(&in);
        t->waits++;
    } else if (message->type == MESSAGE_LINK_AT) {
        struct wire_in in = wire_in(message->body);
        (void)wire_bytes(&in, 5);
        t->at_us = wire_i64(&in);
    } else if (message->type == MESSAGE_LINKS_CHANGED) {
        t->changed++;
    } else {
        t->type = message->type;
        t->tag = message->tag;
        t->more = (message->flags & CHANNEL_MORE) != 0;
        buf_add_span(&t->body, message->body);
        if (message->type == MESSAGE_REFUSAL)
            refusal_take(message->body, &t->refusal);
        if (message->fd >= 0)
            t->file = message->fd;
    }
    bool unasked = message->type == MESSAGE_CREDIT || message->type == MESSAGE_LINK_WAITS
        || message->type == MESSAGE_LINKS_CHANGED || message->type == MESSAGE_LINK_AT;
    if (t->wants_any || !unasked)
        if (!t->more)
            loop_stop(t->loop);
}

static inline void
core_test_on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    struct core_end *end = ctx;

    (void)why;
    channel_free(channel);
    end->channel = NULL;
    loop_stop(end->test->loop);
}

static inline void
core_test_connect(struct core_test *t, enum door door)
{
    const struct channel_events events = {
        .ctx = &t->ends[door], .message = core_test_on_message, .closed = core_test_on_closed};
    struct err err;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    t->ends[door] = (struct core_end){.test = t, .door = door};
    assert_int_equal(core_connect(&t->core, door, fds[0], &err), 0);
    assert_int_equal(
        channel_new(t->loop, fds[1], 64 << 20, &events, &t->ends[door].channel, &err), 0);
}

static inline void
core_test_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char core_test_teams[] =
    "[{\"id\":\"north.test\",\"name\":\"N\",\"kind\":\"national\",\"economies\":[\"XN\"],"
    "\"constituency\":{\"prefixes\":[\"192.0.2.0/25\"]},\"source\":\"test\",\"verified\":true},"
    "{\"id\":\"south.test\",\"name\":\"S\",\"kind\":\"national\",\"economies\":[\"XS\"],"
    "\"constituency\":{\"prefixes\":[\"192.0.2.128/25\"]},\"source\":\"test\",\"verified\":true},"
    "{\"id\":\"east.test\",\"name\":\"E\",\"kind\":\"national\",\"economies\":[\"XE\"],"
    "\"constituency\":{\"prefixes\":[\"198.51.100.0/24\"]},\"source\":\"test\",\"verified\":true}]";
/* north tells south all but accounts, holds what is for east; CLEAR goes to everybody. South tells
 * north, who may pass it on under the clause's terms. */
static const char core_test_agreements[] =
    "[{\"id\":\"urn:uuid:00000000-0000-4000-8000-000000000001\",\"title\":\"t\","
    "\"kind\":\"multilateral\",\"parties\":[\"north.test\",\"south.test\",\"east.test\"],"
    "\"valid_from\":\"2020-01-01\",\"clauses\":["
    "{\"id\":\"south\",\"from\":\"north.test\",\"to\":\"south.test\",\"classification\":[\"*\"],"
    "\"tlp_max\":\"amber\",\"effect\":\"release\",\"treatment\":{\"account\":\"remove\"},"
    "\"onward\":\"party\",\"retention_days\":5},"
    "{\"id\":\"back\",\"from\":\"south.test\",\"to\":\"north.test\",\"classification\":[\"*\"],"
    "\"tlp_max\":\"amber\",\"effect\":\"release\",\"onward\":\"party\",\"retention_days\":30},"
    "{\"id\":\"on\",\"from\":\"south.test\",\"to\":\"east.test\",\"classification\":[\"*\"],"
    "\"tlp_max\":\"green\",\"effect\":\"release\",\"onward\":\"none\"},"
    "{\"id\":\"east\",\"from\":\"north.test\",\"to\":\"east.test\",\"classification\":[\"*\"],"
    "\"tlp_max\":\"amber\",\"effect\":\"hold\",\"onward\":\"none\"},"
    "{\"id\":\"all\",\"from\":\"north.test\",\"to\":\"community\",\"classification\":[\"*\"],"
    "\"tlp_max\":\"clear\",\"effect\":\"release\",\"treatment\":{\"account\":\"remove\"},"
    "\"onward\":\"tlp\"}]}]";

static inline void
core_test_open(struct core_test *t)
{
    struct err err = {0};

    assert_int_equal(loop_new(&t->loop, &err), 0);
    int rc = core_open(&t->core, t->loop, &t->options, &err);
    if (rc != 0)
        print_error("core does not open: %s\n", err.msg);
    assert_int_equal(rc, 0);
    core_test_connect(t, DOOR_LOCAL);
    core_test_connect(t, DOOR_OPERATORS);
    core_test_connect(t, DOOR_PARTNERS);
}

static inline void
core_test_start(struct core_test *t)
{
    const char *root = getenv("COMITY_TEST_ROOT");
    const char *temp = getenv("TMPDIR");

    *t = (struct core_test){.body = buf_new((size_t)64 << 20), .file = -1};
    (void)snprintf(t->home, sizeof t->home, "%s/comity-core-XXXXXX", temp != NULL ? temp : "/tmp");
    assert_non_null(mkdtemp(t->home));
    (void)snprintf(t->teams, sizeof t->teams, "%s/teams.json", t->home);
    core_test_write(t->teams, core_test_teams);
    (void)snprintf(t->agreements, sizeof t->agreements, "%s/agreed.json", t->home);
    core_test_write(t->agreements, core_test_agreements);
    (void)snprintf(t->share, sizeof t->share, "%s/share", root != NULL ? root : ".");
    t->options = (struct core_options){.home = t->home,
        .share_dir = t->share,
        .teams_path = t->teams,
        .agreements = t->agreements,
        .team = "north.test",
        .window = 100000,
        .outbox_max = 1000000,
        .batch_reports = 4096,
        .batch_us = 5000,
        .watch = true,
        .watch_interval_us = 10000000,
        .login_rate = 10,
        .session_us = INT64_C(3600000000),
        .session_idle_us = INT64_C(600000000)};
    core_test_open(t);
}

/* The end of the process, as far as core is concerned: nothing is told, nothing is committed. */
static inline void
core_test_close(struct core_test *t)
{
    for (int d = 0; d < DOOR_COUNT; d++) {
        channel_free(t->ends[d].channel);
        t->ends[d].channel = NULL;
    }
    core_close(&t->core);
    loop_free(t->loop);
}

static inline void
core_test_restart(struct core_test *t)
{
    core_test_close(t);
    core_test_open(t);
}

static inline void
core_test_end(struct core_test *t)
{
    char command[256];

    core_test_close(t);
    buf_free(&t->body);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", t->home);
    assert_int_equal(system(command), 0);
}

static inline void
core_test_give_up(void *ctx)
{
    struct core_test *t = ctx;

    t->gave_up = true;
    loop_stop(t->loop);
}

/* Until something comes, or for MS: then false. */
static inline bool
core_test_wait(struct core_test *t, int64_t ms)
{
    struct loop_timer timer = {.due = core_test_give_up, .ctx = t};
    struct err err;

    t->gave_up = false;
    t->more = false;
    assert_int_equal(loop_timer_set(t->loop, &timer, clock_ticks_us() + ms * 1000, &err), 0);
    assert_int_equal(loop_run(t->loop, &err), 0);
    loop_timer_stop(t->loop, &timer);
    return !t->gave_up;
}

static inline void
core_test_send(struct core_test *t, enum door door, uint16_t type, uint64_t tag,
    const struct caller *caller, struct span body)
{
    const struct channel_message message = {.type = type, .tag = tag, .fd = -1};
    struct buf head = buf_new(1 << 16);
    struct err err;

    caller_add(&head, caller);
    const struct span parts[2] = {buf_span(&head), body};
    assert_int_equal(channel_send(t->ends[door].channel, &message, parts, 2, &err), 0);
    buf_free(&head);
}

/* 0, or the code of the refusal; the answer is in body. */
static inline int
core_test_ask(struct core_test *t, enum door door, uint16_t type, const struct caller *caller,
    struct span body)
{
    uint64_t tag = ++t->next_tag;

    t->body.n = 0;
    t->refusal = (struct err){0};
    core_test_send(t, door, type, tag, caller, body);
    assert_true(core_test_wait(t, 60000));
    assert_int_equal(t->tag, tag);
    return t->type == MESSAGE_REFUSAL ? (int)t->refusal.code : 0;
}

#endif
