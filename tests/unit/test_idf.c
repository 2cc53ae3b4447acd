/* Flat records are read without a tape (fmt/flat.h), all others with one: what comes out is the
 * same. In an array every record goes the second way, so a line and an array of it are compared. */
#include "fmt/json.h"
#include "fmt/reader.h"
#include "fmt/render.h"

#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { OUT_BYTES = 16 << 20 };

struct told {
    struct buf out;
    unsigned reports;
    unsigned rejects;
};

static int
on_report(void *ctx, const struct report *report, struct err *err)
{
    struct told *told = ctx;

    (void)err;
    told->reports++;
    render_idf(&told->out, report);
    return 0;
}

static int
on_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    struct told *told = ctx;

    (void)record;
    (void)err;
    told->rejects++;
    buf_format(&told->out, "%llu: %d %s\n", (unsigned long long)why->line, why->code, why->field);
    return 0;
}

static struct told
read_text(struct span text)
{
    struct told told = {.out = buf_new(OUT_BYTES)};
    const struct reader_sink sink = {.ctx = &told, .report = on_report, .reject = on_reject};
    const struct reader_options options = {.share_dir = "share"};
    struct input *input;
    struct err err = {0};

    assert_int_equal(input_open_bytes(text, "test", &input, &err), 0);
    assert_int_equal(idf_read(input, &options, &sink, &err), 0);
    input_close(input);
    return told;
}

/* LINE, twice, so that the second meets the keys of the first. */
static struct told
as_lines(struct span line)
{
    struct buf text = buf_new(OUT_BYTES);

    for (int i = 0; i < 2; i++) {
        buf_add_span(&text, line);
        buf_add_char(&text, '\n');
    }
    struct told told = read_text(buf_span(&text));
    buf_free(&text);
    return told;
}

static struct told
as_array(struct span line)
{
    struct buf text = buf_new(OUT_BYTES);

    buf_format(&text, "[%.*s,%.*s]", (int)line.n, line.p, (int)line.n, line.p);
    struct told told = read_text(buf_span(&text));
    buf_free(&text);
    return told;
}

static void
compare(struct json *json, struct span line)
{
    struct json_value root;

    if (line.p[0] == '[')
        return; /* that is the form of an array */
    struct told lines = as_lines(line);

    if (json_parse_copy(json, line, &root, NULL) != 0 || json_type(root) != JSON_OBJECT) {
        if (lines.reports != 0)
            fail_msg("no object, but taken: %.*s", (int)line.n, line.p);
        buf_free(&lines.out);
        return;
    }
    struct told array = as_array(line);
    if (lines.reports != array.reports || lines.rejects != array.rejects
        || !span_equal(buf_span(&lines.out), buf_span(&array.out)))
        fail_msg("%.*s\nas a line:  %.*sin an array: %.*s", (int)line.n, line.p, (int)lines.out.n,
            lines.out.p, (int)array.out.n, array.out.p);
    buf_free(&lines.out);
    buf_free(&array.out);
}

static const char usual[] =
    "{\"source.ip\":\"192.0.2.7\", \"source.port\": 80,\"extra.a\":\"x y\",\"tlp\":\"TLP:GREEN\"}";

static void
known_cases_agree(void **state)
{
    static const char *const lines[] = {usual, "{}", "{\"a\":1}", "{\"a\":\"b\",\"a\":\"c\"}",
        "{\"\":\"b\"}", "{\"a\":01}", "{\"a\":-1}", "{\"a\":0}", "{\"a\":999999999999999999}",
        "{\"a\":9999999999999999999}", "{\"a\":1 }", "{ \"a\" : 1 }", "{\"a\\u0062\":\"c\"}",
        "{\"a\\\\b\":\"c\"}", "{\"a\\b\":\"c\"}", "{\"a\":\"\\\"\"}", "{\"a\":true,\"b\":null}",
        "{\"a\":{\"b\":1}}", "{\"a\":[1,2]}", "{\"a\":\"b\"x}", "{\"a\" \"b\"}", "{\"a\":1,}",
        "{,\"a\":1}", "{\"a\":\"b\"", "{\"a\":\"b\"}}", "{\"a\":\"b\"}{\"a\":\"b\"}", "{a:1}",
        "{\"a\":\"b\"\"c\"}", "{\"a\":1 2}", "{\"a\"::1}", "{\"a\":,1}", "{\"a\":\"\"}",
        "{\"source.ip\":\"\"}", "{\"source.port\":70000}", "{\"source.ip\":7}",
        "{\"__type\":\"Event\",\"a\":1}", "{\"__type\":\"Event\"}", "{\"a\":\"\x7f\"}",
        "{\"a\":1.5}", "{\"a\":1e3}", "{\"a\":\"b\":\"c\"}", "{\"a\":\"b\",\"c\"}"};
    struct json *json = json_new(OUT_BYTES);

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        compare(json, span_of(lines[i]));
    json_free(json);
}

/* One character of a usual record changed, added or left out, at every place. */
static void
small_changes_agree(void **state)
{
    static const char put[] = "\"\\:,{}[] 0a-.\t\x7f\xc3";
    struct json *json = json_new(OUT_BYTES);
    char line[sizeof usual + 1];
    size_t n = sizeof usual - 1;

    (void)state;
    for (size_t at = 0; at < n; at++) {
        memcpy(line, usual, at);
        memcpy(line + at, usual + at + 1, n - at - 1);
        compare(json, (struct span){line, n - 1});
        for (size_t c = 0; c < sizeof put - 1; c++) {
            memcpy(line, usual, n);
            line[at] = put[c];
            compare(json, (struct span){line, n});
            memcpy(line + at + 1, usual + at, n - at);
            compare(json, (struct span){line, n + 1});
        }
    }
    json_free(json);
}

/* What a report borrows stays until it has been handed on, wherever the input's blocks end. */
static void
reports_survive_the_end_of_a_block(void **state)
{
    enum { LINES = 20000 };
    struct buf text = buf_new(16 << 20);
    struct told told;

    (void)state;
    for (unsigned i = 0; i < LINES; i++)
        buf_format(&text, "{\"extra.n\":%u,\"extra.fill\":\"%.*s\"}\n", i, (int)(i % 60) + 1,
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmn");
    told = read_text(buf_span(&text));
    assert_int_equal(told.reports, LINES);
    assert_true(span_equal(buf_span(&told.out), buf_span(&text)));
    buf_free(&told.out);
    buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_cases_agree),
        cmocka_unit_test(small_changes_agree),
        cmocka_unit_test(reports_survive_the_end_of_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
