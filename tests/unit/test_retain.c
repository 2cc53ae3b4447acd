/* What is old goes, a little at a time, and a clock that jumps takes nothing with it. */
#include "core/retain.h"
#include "store_ask.h"

static const int64_t day_us = (int64_t)24 * 3600 * 1000000;

static void
take_in(struct fixture *f, int64_t received_us)
{
    struct store_batch batch = {.received_us = received_us,
        .count = 1,
        .records = SPAN("\4\0\0\0abcd"),
        .outcomes = SPAN("o")};

    OK(f, store_batch_add(f->store, &batch, NULL, 0, &f->err));
}

static uint32_t
step(struct fixture *f, struct retain *retain, int64_t clock_us, int64_t ticks_us, int64_t kept_us)
{
    const struct retain_now now = {clock_us, ticks_us, kept_us, kept_us};
    struct retain_done done;

    assert_true(retain_due(retain, ticks_us));
    OK(f, retain_step(retain, f->store, &now, &done, &f->err));
    OK(f, store_commit(f->store, &f->err));
    return done.pieces + done.receipts;
}

static void
a_start_with_a_wrong_clock_takes_nothing(void **state)
{
    struct fixture *f = *state;
    struct retain retain = {.begun = false};
    int64_t ahead_us = 10 * 365 * day_us;

    take_in(f, 10 * day_us);
    assert_int_equal(step(f, &retain, ahead_us, 5, 100 * day_us), 0);
    assert_false(retain_due(&retain, day_us));
    retain = (struct retain){.begun = false}; /* started again */
    assert_int_equal(step(f, &retain, 11 * day_us, 5, 100 * day_us), 0);
    retain = (struct retain){.begun = false}; /* it is right, and a day has shown it */
    assert_int_equal(step(f, &retain, ahead_us, 5, 100 * day_us), 0);
    assert_int_equal(step(f, &retain, ahead_us + day_us, day_us + 5, 100 * day_us), 1);
}

static void
old_goes_a_little_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct retain retain = {.begun = false};
    int64_t now_us = 100 * day_us;

    for (int i = 0; i < 300; i++)
        take_in(f, 10 * day_us + i);
    take_in(f, 95 * day_us);
    assert_int_equal(step(f, &retain, now_us, 0, 0), 0); /* for ever */
    assert_false(retain_due(&retain, 1000000));
    int64_t ticks_us = retain.next_us;
    assert_int_equal(step(f, &retain, now_us + ticks_us, ticks_us, 10 * day_us), 256);
    ticks_us = retain.next_us;
    assert_int_equal(step(f, &retain, now_us + ticks_us, ticks_us, 10 * day_us), 44);
    ticks_us = retain.next_us;
    assert_int_equal(step(f, &retain, now_us + ticks_us, ticks_us, 10 * day_us), 0);
}

static void
jump_removes_nothing(void **state)
{
    struct fixture *f = *state;
    struct retain retain = {.begun = false};
    int64_t now_us = 100 * day_us;
    int64_t far_us = 5000 * day_us;

    take_in(f, now_us);
    assert_int_equal(step(f, &retain, now_us, 0, 10 * day_us), 0);
    int64_t ticks_us = retain.next_us;
    assert_int_equal(step(f, &retain, far_us + ticks_us, ticks_us, 10 * day_us), 0);
    assert_false(retain_due(&retain, ticks_us + day_us - 1));
    ticks_us = retain.next_us; /* it was set right meanwhile */
    assert_int_equal(step(f, &retain, now_us + ticks_us, ticks_us, 10 * day_us), 0);
    ticks_us = retain.next_us;
    assert_int_equal(step(f, &retain, now_us + ticks_us, ticks_us, 10 * day_us), 0);
    ticks_us += 20 * day_us; /* time goes by */
    assert_int_equal(step(f, &retain, now_us + ticks_us, ticks_us, 10 * day_us), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(old_goes_a_little_at_a_time),
        ASK_TEST(a_start_with_a_wrong_clock_takes_nothing),
        ASK_TEST(jump_removes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
