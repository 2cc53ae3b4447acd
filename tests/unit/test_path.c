/* Paths: what is one, what is none, and that it is taken out of a report without a trace. */
#include "model/path.h"

#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

struct made {
    struct field fields[8];
    struct report report;
    struct path path;
    struct err err;
};

static int
read_text(struct made *m, const char *text, enum value_type type)
{
    const struct field path = {.id = FIELD_OTHER,
        .type = (uint8_t)type,
        .name = SPAN(REPORT_PATH_NAME),
        .s = text,
        .n = (uint32_t)strlen(text)};

    report_reset(&m->report, m->fields, 8);
    assert_int_equal(report_add_text(&m->report, FIELD_SOURCE_IP, SPAN("192.0.2.1"), &m->err), 0);
    assert_int_equal(report_add(&m->report, &path, &m->err), 0);
    assert_int_equal(report_add_text(&m->report, FIELD_TLP, SPAN("green"), &m->err), 0);
    assert_int_equal(report_finish(&m->report, &m->err), 0);
    return path_read(&m->report, &m->path, &m->err);
}

static void
sound_ones_are_read(void **state)
{
    struct made m;
    struct buf out = buf_new(PATH_TEXT_BYTES);

    (void)state;
    assert_int_equal(read_text(&m, "[\"a\"]", VALUE_JSON), 0);
    assert_int_equal(m.path.count, 1);
    assert_int_equal(read_text(&m, "[ \"a.b-c_9\" , \"B\" ]", VALUE_JSON), 0);
    assert_int_equal(m.path.count, 2);
    assert_true(path_has(&m.path, SPAN("B")) && !path_has(&m.path, SPAN("b")));
    assert_int_equal(path_add(&m.path, SPAN("B"), &m.err), 0);
    assert_int_equal(m.path.count, 2);
    assert_int_equal(path_add(&m.path, SPAN("c"), &m.err), 0);
    path_write(&out, &m.path);
    assert_true(span_equal(buf_span(&out), SPAN("[\"a.b-c_9\",\"B\",\"c\"]")));
    buf_free(&out);
    report_reset(&m.report, m.fields, 8);
    assert_int_equal(path_read(&m.report, &m.path, &m.err), 0);
    assert_int_equal(m.path.count, 0);
}

static void
others_are_refused(void **state)
{
    static const char *const none[] = {"", "[", "[]", "[\"a\"", "[\"a\",]", "[\"a\"]]",
        "[\"a\" \"b\"]", "{}", "null", "[1]", "[\"\"]", "[\"a\",\"a\"]", "[\"a\\u0062\"]",
        "[\"a b\"]", "[\"a]", "[\"\xc3\xa4\"]",
        "[\"01234567890123456789012345678901234567890123456789012345678901234\"]"};
    struct made m;

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(read_text(&m, none[i], VALUE_JSON), ERR_BAD_VALUE);
    assert_int_equal(read_text(&m, "[\"a\"]", VALUE_TEXT), ERR_BAD_VALUE);
}

static void
length_is_bounded(void **state)
{
    struct made m;
    struct buf text = buf_new(4096);

    (void)state;
    for (int i = 0; i < PATH_TEAMS_MAX + 1; i++)
        buf_format(&text, "%s\"t%d\"", i == 0 ? "[" : ",", i);
    buf_add(&text, "]", 2);
    assert_int_equal(read_text(&m, text.p, VALUE_JSON), ERR_LIMIT);
    assert_int_equal(m.path.count, PATH_TEAMS_MAX);
    assert_int_equal(path_add(&m.path, SPAN("one.more"), &m.err), ERR_LIMIT);
    buf_free(&text);
}

static void
taken_out_nothing_stays(void **state)
{
    struct made m;
    struct field was;

    (void)state;
    assert_int_equal(read_text(&m, "[\"a\"]", VALUE_JSON), 0);
    assert_true(path_any(&m.report));
    assert_false(path_take_out(&m.report, SPAN(REPORT_ID_NAME), &was));
    assert_true(path_take_out(&m.report, SPAN(REPORT_PATH_NAME), &was));
    assert_int_equal(was.n, 5);
    assert_false(path_any(&m.report));
    assert_int_equal(m.report.count, 2);
    assert_true(span_equal(report_text(&m.report, FIELD_TLP), SPAN("green")));
    assert_true(span_equal(report_text(&m.report, FIELD_SOURCE_IP), SPAN("192.0.2.1")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_ones_are_read),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(taken_out_nothing_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
