/* What a role hands on of its log is whole batches, also where its parent does not read for a
 * while. */
#include "sys/role_log.h"

#include "base/loglines.h"
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

enum { QUEUE = 4096, US = 400000, FIRST = 3, LATER = 900 };

static struct loop *loop;
static struct loglines *kept;
static uint64_t number;
static unsigned wrong;

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    const struct loglines_batch batch = {
        number += LOGLINES_BATCH_LINES, 0, {message->body.p, message->body.n}};
    struct err err;

    (void)ctx;
    (void)channel;
    if (message->body.n > 1 && loglines_add(kept, &batch, &err) != 0)
        wrong++;
}

static void
on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    (void)ctx;
    (void)channel;
    (void)why;
}

static void
stop_loop(void *ctx)
{
    loop_stop(ctx);
}

/* Timers of the log have their time. */
static void
run(void)
{
    struct loop_timer end = {.due = stop_loop, .ctx = loop};

    assert_int_equal(loop_timer_set(loop, &end, clock_ticks_us() + US, NULL), 0);
    assert_int_equal(loop_run(loop, NULL), 0);
}

static void
say(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        log_info("said", log_word("what", "short"));
}

static unsigned
count_of(struct span pairs)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%.*s", SPAN_ARGS(pairs));
    return (unsigned)atoi(text + sizeof "count=" - 1);
}

/* Lines that came, those that are counted as left out with them. */
static unsigned
lines(void)
{
    struct loglines_batch batch = {.number = 0};
    struct logline line;
    unsigned count = 0;

    while (loglines_next(kept, batch.number, &batch)) {
        struct wire_in in = wire_in(batch.body);
        (void)wire_u8(&in);
        while (logline_next(&in, &line)) {
            bool said = span_equal(line.event, SPAN("said"));
            count += said ? 1 : count_of(line.pairs);
        }
    }
    return count;
}

static void
nothing_is_lost_while_the_parent_is_behind(void **state)
{
    const struct channel_events events = {.message = on_message, .closed = on_closed};
    const struct channel_message fill = {.type = 1, .fd = -1};
    const struct span byte = SPAN("x");
    struct channel *ends[2];
    struct role_log log;
    struct err err;
    int fds[2];

    (void)state;
    kept = loglines_new();
    assert_int_equal(loop_new(&loop, NULL), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(channel_new(loop, fds[0], QUEUE, &events, &ends[0], NULL), 0);
    assert_int_equal(channel_new(loop, fds[1], QUEUE, &events, &ends[1], NULL), 0);
    channel_pause(ends[1], true);
    while (channel_send(ends[0], &fill, &byte, 1, &err) == 0)
        continue;
    log_start("role", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, clock_now_us);
    role_log_begin(&log, loop, ends[0]);
    say(FIRST);
    run(); /* it is refused, */
    say(LATER);
    run(); /* and again, with more than a batch holds, */
    channel_pause(ends[1], false);
    run(); /* and goes at last */
    role_log_end(&log);
    run();
    assert_int_equal(wrong, 0);
    assert_int_equal(lines(), FIRST + LATER);
    channel_free(ends[0]);
    channel_free(ends[1]);
    loop_free(loop);
    loglines_free(kept);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_while_the_parent_is_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
