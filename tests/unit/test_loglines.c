/* The newest lines of each role are kept, whoever else writes much; what is no batch is not. */
#include "base/loglines.h"

#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { STEP = LOGLINES_BATCH_LINES };

/* A batch of COUNT lines, each with PAIRS. */
static struct buf
batch_of(bool important, unsigned count, struct span pairs)
{
    struct buf out = buf_new(1024 * 1024);
    const struct logline line = {.at_us = 1764076058123456,
        .level = important ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
        .event = SPAN("it happened"),
        .pairs = pairs};

    wire_add_u8(&out, important);
    for (unsigned i = 0; i < count; i++)
        logline_add(&out, &line);
    assert_false(out.full);
    return out;
}

static int
add(struct loglines *kept, uint64_t number, unsigned row, const struct buf *body)
{
    const struct loglines_batch batch = {number, row, buf_span(body)};
    struct err err;

    return loglines_add(kept, &batch, &err);
}

static void
who_writes_much_pushes_out_its_own(void **state)
{
    char much[1000];
    struct loglines *kept = loglines_new();
    struct loglines_batch got;
    uint64_t number = STEP;
    size_t bytes = 0;

    (void)state;
    memset(much, 'x', sizeof much);
    struct buf warning = batch_of(true, 1, SPAN("why=\"first\""));
    struct buf line = batch_of(false, 1, SPAN("other role"));
    struct buf flood = batch_of(false, 8, (struct span){much, sizeof much});
    assert_int_equal(add(kept, number, 3, &warning), 0);
    assert_int_equal(add(kept, number += STEP, 0, &line), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(add(kept, number += STEP, 3, &flood), 0);
    assert_true(loglines_next(kept, 0, &got)); /* the oldest of all: the warning */
    assert_int_equal(got.number, STEP);
    assert_int_equal(got.row, 3);
    assert_true(loglines_next(kept, got.number, &got));
    assert_int_equal(got.row, 0);
    while (loglines_next(kept, got.number, &got))
        bytes += got.body.n;
    assert_int_equal(got.number, number);
    assert_true(bytes <= LOGLINES_KEPT_BYTES);
    assert_true(bytes > LOGLINES_KEPT_BYTES - flood.n);
    buf_free(&warning);
    buf_free(&line);
    buf_free(&flood);
    loglines_free(kept);
}

static void
lines_come_back_as_they_were(void **state)
{
    struct loglines *kept = loglines_new();
    struct buf three = batch_of(false, 3, SPAN("n=1"));
    struct loglines_batch got;
    struct logline line;
    unsigned count = 0;

    (void)state;
    assert_int_equal(add(kept, 7, 2, &three), 0);
    assert_false(loglines_next(kept, 7, &got));
    assert_true(loglines_next(kept, 6, &got));
    struct wire_in in = wire_in(got.body);
    assert_int_equal(wire_u8(&in), 0);
    for (; logline_next(&in, &line); count++) {
        assert_true(span_equal(line.event, SPAN("it happened")));
        assert_true(span_equal(line.pairs, SPAN("n=1")));
        assert_int_equal(line.level, LOG_LEVEL_INFO);
        assert_int_equal(line.at_us, 1764076058123456);
    }
    assert_int_equal(count, 3);
    buf_free(&three);
    loglines_free(kept);
}

static void
what_is_no_batch_is_refused(void **state)
{
    struct loglines *kept = loglines_new();
    struct buf good = batch_of(false, 2, SPAN("n=1"));
    struct buf many = batch_of(false, LOGLINES_BATCH_LINES + 1, SPAN(""));
    struct buf none = batch_of(false, 0, SPAN(""));
    struct loglines_batch got;

    (void)state;
    assert_int_equal(add(kept, 1, LOGLINES_ROLES, &good), ERR_INTERNAL); /* a role there is not */
    assert_int_equal(add(kept, 1, 0, &many), ERR_INTERNAL);
    assert_int_equal(add(kept, 1, 0, &none), ERR_INTERNAL);
    assert_int_equal(add(kept, 0, 0, &good), ERR_INTERNAL); /* numbers rise */
    for (size_t n = 0; n < good.n; n++) {                   /* cut off anywhere but behind a line */
        const struct loglines_batch batch = {1, 0, {good.p, n}};
        struct err err;
        if (n != 1 + (good.n - 1) / 2)
            assert_int_equal(loglines_add(kept, &batch, &err), ERR_INTERNAL);
    }
    good.p[0] = 2; /* neither important nor not */
    assert_int_equal(add(kept, 1, 0, &good), ERR_INTERNAL);
    good.p[0] = 0;
    good.p[1] = LOG_LEVELS; /* a level there is not */
    assert_int_equal(add(kept, 1, 0, &good), ERR_INTERNAL);
    assert_false(loglines_next(kept, 0, &got));
    buf_free(&good);
    buf_free(&many);
    buf_free(&none);
    loglines_free(kept);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_writes_much_pushes_out_its_own),
        cmocka_unit_test(lines_come_back_as_they_were),
        cmocka_unit_test(what_is_no_batch_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
