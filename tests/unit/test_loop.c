#include "sys/clock.h"
#include "sys/loop.h"

#include <signal.h>
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

static struct loop *loop;
static int ends[2];

static int
set_up(void **state)
{
    (void)state;
    return loop_new(&loop, NULL) + socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
}

static int
tear_down(void **state)
{
    (void)state;
    loop_free(loop);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

static void
run(void)
{
    assert_int_equal(loop_run(loop, NULL), 0);
}

enum { TIMERS = 500 };
static struct loop_timer timers[TIMERS];
static int64_t last_us;
static unsigned fired;

static void
in_order(void *ctx)
{
    struct loop_timer *timer = ctx;

    assert_true(timer->at_ticks_us >= last_us);
    assert_true(clock_ticks_us() >= timer->at_ticks_us);
    assert_int_equal(timer->place, 0);
    last_us = timer->at_ticks_us;
    fired++;
}

static void
stop(void *ctx)
{
    loop_stop(ctx);
}

static void
timers_come_in_their_order(void **state)
{
    int64_t now = clock_ticks_us();
    struct loop_timer end = {.due = stop, .ctx = loop};

    (void)state;
    last_us = 0;
    fired = 0;
    srandom(7);
    for (size_t i = 0; i < TIMERS; i++) {
        timers[i] = (struct loop_timer){.due = in_order, .ctx = &timers[i]};
        assert_int_equal(loop_timer_set(loop, &timers[i], now + random() % 5000, NULL), 0);
    }
    for (size_t i = 0; i < TIMERS; i += 2) /* moved */
        assert_int_equal(loop_timer_set(loop, &timers[i], now + random() % 5000, NULL), 0);
    for (size_t i = 0; i < TIMERS; i += 5) {
        loop_timer_stop(loop, &timers[i]);
        loop_timer_stop(loop, &timers[i]); /* fine */
    }
    assert_int_equal(loop_timer_set(loop, &end, now + 5001, NULL), 0);
    run();
    assert_int_equal(fired, TIMERS - TIMERS / 5);
}

static unsigned rounds;

static void
again(void *ctx)
{
    assert_int_equal(loop_timer_set(loop, ctx, 0, NULL), 0);
}

static void
one_byte(void *ctx, unsigned events)
{
    char byte;

    (void)ctx;
    assert_int_equal(events & LOOP_READ, LOOP_READ);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    if (byte == 'z')
        loop_stop(loop);
}

static void
count_round(void *ctx)
{
    (void)ctx;
    rounds++;
}

static void
a_timer_that_is_always_due_keeps_nobody_waiting(void **state)
{
    struct loop_timer busy = {.due = again, .ctx = &busy};

    (void)state;
    rounds = 0;
    loop_after(loop, count_round, NULL);
    assert_int_equal(loop_timer_set(loop, &busy, 0, NULL), 0);
    assert_int_equal(loop_watch(loop, ends[0], LOOP_READ, one_byte, NULL, NULL), 0);
    assert_int_equal(write(ends[1], "az", 2), 2);
    run();
    assert_int_equal(rounds, 2);
}

static void
never(void *ctx, unsigned events)
{
    (void)ctx;
    (void)events;
    fail_msg("a descriptor that was forgotten was told of");
}

static int other[2];

static void
forget_other(void *ctx, unsigned events)
{
    int mine = *(int *)ctx;
    char byte;

    (void)events;
    assert_int_equal(read(mine, &byte, 1), 1);
    loop_forget(loop, mine == ends[0] ? other[0] : ends[0]);
    loop_stop(loop);
}

/* Two are ready in one round; the first to be told forgets the other. */
static void
what_is_forgotten_is_not_told(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
    assert_int_equal(loop_watch(loop, ends[0], LOOP_READ, forget_other, &ends[0], NULL), 0);
    assert_int_equal(loop_watch(loop, other[0], LOOP_READ, forget_other, &other[0], NULL), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(write(other[1], "x", 1), 1);
    run();
    char byte;
    assert_int_equal(recv(ends[0], &byte, 1, MSG_DONTWAIT) + recv(other[0], &byte, 1, MSG_DONTWAIT),
        0); /* one has it (1), the other had it taken (-1) */
    (void)close(other[0]);
    (void)close(other[1]);
}

static unsigned told;

static void
closed(void *ctx, unsigned events)
{
    (void)ctx;
    told |= events;
    loop_stop(loop);
}

static void
leaving_is_told(void **state)
{
    (void)state;
    told = 0;
    assert_int_equal(loop_watch(loop, ends[0], LOOP_WRITE, never, NULL, NULL), 0);
    assert_int_equal(loop_watch(loop, ends[0], LOOP_READ, closed, NULL, NULL), 0); /* changed */
    (void)shutdown(ends[1], SHUT_RDWR);
    run();
    assert_true((told & LOOP_CLOSED) != 0);
    loop_forget(loop, ends[0]);
    loop_forget(loop, ends[0]); /* fine */
    assert_int_equal(loop_watch(loop, -1, LOOP_READ, never, NULL, NULL), ERR_LIMIT);
}

static int signals[3];
static size_t signal_count;

static void
came(void *ctx, int number)
{
    (void)ctx;
    signals[signal_count++] = number;
    if (signal_count == 2)
        loop_stop(loop);
}

static void
signals_are_told_and_interrupt_nothing(void **state)
{
    (void)state;
    signal_count = 0;
    assert_int_equal(loop_signal(loop, SIGUSR1, came, NULL, NULL), 0);
    assert_int_equal(loop_signal(loop, SIGTERM, came, NULL, NULL), 0);
    assert_int_equal(loop_signal(loop, 0, came, NULL, NULL), ERR_INTERNAL);
    (void)kill(getpid(), SIGTERM);
    (void)kill(getpid(), SIGUSR1);
    assert_int_equal(signal_count, 0);
    run();
    assert_int_equal(signals[0] + signals[1], SIGTERM + SIGUSR1);
}

static unsigned works;

static bool
work(void *ctx)
{
    (void)ctx;
    if (++works == 5)
        assert_int_equal(write(ends[1], "z", 1), 1);
    return works < 5;
}

/* Idle work is done only when nothing is ready, as long as there is more of it, and not again
 * before something happened. */
static void
idle_work_waits_for_all_else(void **state)
{
    (void)state;
    works = 0;
    loop_idle(loop, work, NULL);
    assert_int_equal(loop_watch(loop, ends[0], LOOP_READ, one_byte, NULL, NULL), 0);
    assert_int_equal(write(ends[1], "ab", 2), 2);
    run();
    assert_int_equal(works, 5);
}

static unsigned soon_runs;
static struct loop_task soon_task;

static void
run_soon_again(void *ctx)
{
    if (++soon_runs < 10)
        assert_true(loop_soon(ctx, &soon_task));
    else
        loop_stop(ctx);
}

static void
set_soon(void *ctx)
{
    assert_true(loop_soon(ctx, &soon_task));
    assert_true(loop_soon(ctx, &soon_task)); /* once, however often it is set */
    assert_int_equal(soon_runs, 0);
}

/* Before the loop waits; and one that sets itself again neither waits nor keeps others waiting. */
static void
what_is_to_be_soon_is_before_waiting(void **state)
{
    struct loop_timer first = {.due = set_soon, .ctx = loop};
    struct loop_timer late = {.due = stop, .ctx = loop};

    (void)state;
    soon_task = (struct loop_task){.run = run_soon_again, .ctx = loop};
    assert_false(loop_soon(loop, &soon_task)); /* it does not run yet */
    assert_int_equal(loop_timer_set(loop, &first, clock_ticks_us(), NULL), 0);
    assert_int_equal(loop_timer_set(loop, &late, clock_ticks_us() + 60000000, NULL), 0);
    run();
    assert_int_equal(soon_runs, 10);
    assert_int_not_equal(late.place, 0);
    loop_timer_stop(loop, &late);
    assert_false(soon_task.set);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_come_in_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_timer_that_is_always_due_keeps_nobody_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_forgotten_is_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaving_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(signals_are_told_and_interrupt_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_to_be_soon_is_before_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(idle_work_waits_for_all_else, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
