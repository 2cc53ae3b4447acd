#include "base/log.h"
#include "fmt/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static int64_t
then(void)
{
    return 1764076058123456;
}

static void
start(enum log_format format)
{
    log_start("core", format, LOG_LEVEL_INFO, then);
}

static void
lines_are_for_people_or_programs(void **state)
{
    const struct log_pair pairs[] = {
        log_word("door", "partners"), log_number("port", -1), log_text("none", SPAN(""))};
    char line[LOG_LINE_BYTES];

    (void)state;
    start(LOG_FORMAT_TEXT);
    size_t n = log_line(line, LOG_LEVEL_WARNING, "door opened", pairs, 3);
    static const char text[] = "2025-11-25T13:07:38.123Z warning core: door opened "
                               "door=\"partners\" port=-1 none=\"\"\n";
    assert_int_equal(n, sizeof text - 1);
    assert_memory_equal(line, text, n);
    start(LOG_FORMAT_JSON);
    n = log_line(line, LOG_LEVEL_ERROR, "door opened", pairs, 3);
    static const char json[] =
        "{\"time\":\"2025-11-25T13:07:38.123Z\",\"level\":\"error\",\"role\":\"core\","
        "\"event\":\"door opened\",\"door\":\"partners\",\"port\":-1,\"none\":\"\"}\n";
    assert_int_equal(n, sizeof json - 1);
    assert_memory_equal(line, json, n);
}

static void
control_bytes_do_not_reach_the_terminal(void **state)
{
    static const char evil[] = "\x1b[2J\r\nfake: line\x7f\xc2\x9b\xff\0\"\\\xc3\xa9";
    const struct log_pair pair = log_text("v", (struct span){evil, sizeof evil - 1});
    char line[LOG_LINE_BYTES];

    (void)state;
    start(LOG_FORMAT_TEXT);
    size_t n = log_line(line, LOG_LEVEL_INFO, "x", &pair, 1);
    line[n] = '\0';
    assert_string_equal(strstr(line, "v="),
        "v=\"\\u001b[2J\\u000d\\u000afake: "
        "line\\u007f\\ufffd\\ufffd\\ufffd\\u0000\\\"\\\\\xc3\xa9\"\n");
}

static void
nothing_turns_the_direction_of_a_line(void **state)
{
    static const char *const turns[] = {"\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069"};
    static const char *const others[] = {
        "\u200d", "\u2029", "\u2065", "\u206a", "\u05d0", "\u4e2d"};
    char line[LOG_LINE_BYTES];

    (void)state;
    start(LOG_FORMAT_TEXT);
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        const struct log_pair pair = log_word("v", turns[i]);
        line[log_line(line, LOG_LEVEL_INFO, "x", &pair, 1)] = '\0';
        assert_non_null(strstr(line, "v=\"\\ufffd\\ufffd\\ufffd\""));
        const struct log_pair fine = log_word("v", others[i]);
        line[log_line(line, LOG_LEVEL_INFO, "x", &fine, 1)] = '\0';
        assert_non_null(strstr(line, others[i]));
    }
}

struct heard {
    unsigned count;
    char text[200];
};

static void
hear(void *ctx, enum log_level level, int64_t now_us, struct span what, struct span pairs)
{
    struct heard *heard = ctx;

    heard->count++;
    (void)snprintf(heard->text, sizeof heard->text, "%d %lld %.*s|%.*s", (int)level,
        (long long)now_us, SPAN_ARGS(what), SPAN_ARGS(pairs));
}

static void
who_listens_hears_what_is_written(void **state)
{
    struct heard heard = {0};

    (void)state;
    start(LOG_FORMAT_JSON);
    log_listen(hear, &heard);
    log_debug("not said");
    assert_int_equal(heard.count, 0);
    log_info("a\nb", log_number("n", 1), log_word("v", "x\x1b\"y"));
    assert_string_equal(heard.text, "1 1764076058123456 a\\u000ab|n=1 v=\"x\\u001b\\\"y\"");
    log_warning("alone");
    assert_string_equal(heard.text, "2 1764076058123456 alone|");
    log_listen(NULL, NULL);
    log_info("nobody");
    assert_int_equal(heard.count, 2);
}

/* Random values of all lengths: each line is one line, and one JSON object. */
static void
every_line_is_one_line(void **state)
{
    struct json *json = json_new(LOG_LINE_BYTES);
    struct log_pair pairs[8];
    static char bytes[5000];
    char line[LOG_LINE_BYTES];

    (void)state;
    srandom(5);
    start(LOG_FORMAT_JSON);
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)(round % 2 == 0 ? random() : (random() % 3 == 0 ? '"' : 'a'));
        size_t count = (size_t)random() % 9;
        for (size_t i = 0; i < count; i++) {
            size_t at = (size_t)random() % sizeof bytes;
            pairs[i] =
                log_text("key", (struct span){bytes + at, (size_t)random() % (sizeof bytes - at)});
            pairs[i].key = &"abcdefgh"[i];
        }
        size_t n = log_line(line, LOG_LEVEL_INFO, "event", pairs, count);
        assert_true(n <= LOG_LINE_BYTES && line[n - 1] == '\n');
        assert_null(memchr(line, '\n', n - 1));
        struct json_value root;
        struct err err;
        if (json_parse_copy(json, (struct span){line, n}, &root, &err) != 0)
            fail_msg("%s: %.*s", err.msg, (int)n, line);
    }
    json_free(json);
}

static void
what_is_below_the_level_is_not_said(void **state)
{
    struct err why = {.code = ERR_IO, .line = 3, .field = "f", .msg = "broken"};
    char said[1000];
    int ends[2];

    (void)state;
    start(LOG_FORMAT_TEXT);
    assert_int_equal(pipe(ends), 0);
    int before = dup(STDERR_FILENO);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    log_debug("not said");
    log_info("said");
    log_error_of("failed", &why, log_number("n", 1));
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    (void)close(ends[1]);
    ssize_t n = read(ends[0], said, sizeof said - 1);
    assert_true(n > 0);
    said[n] = '\0';
    (void)close(ends[0]);
    (void)close(before);
    assert_string_equal(said,
        "2025-11-25T13:07:38.123Z info core: said\n"
        "2025-11-25T13:07:38.123Z error core: failed n=1 error=\"io\" field=\"f\" line=3 "
        "message=\"broken\"\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_for_people_or_programs),
        cmocka_unit_test(control_bytes_do_not_reach_the_terminal),
        cmocka_unit_test(nothing_turns_the_direction_of_a_line),
        cmocka_unit_test(who_listens_hears_what_is_written),
        cmocka_unit_test(every_line_is_one_line),
        cmocka_unit_test(what_is_below_the_level_is_not_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
