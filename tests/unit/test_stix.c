#include "flow/redact.h"
#include "fmt/json.h"
#include "fmt/pattern.h"
#include "fmt/reader.h"
#include "fmt/render.h"
#include "fmt/stix_id.h"
#include "fmt/writer.h"

#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

/* What a reader handed on, as IDF lines, and its rejections' codes. */
struct got {
    struct buf lines;
    size_t reports;
    size_t rejects;
    enum err_code codes[8];
};

static int
on_report(void *ctx, const struct report *report, struct err *err)
{
    struct got *got = ctx;

    (void)err;
    render_idf(&got->lines, report);
    got->reports++;
    return 0;
}

static int
on_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    struct got *got = ctx;

    (void)err;
    (void)record;
    assert_true(why->msg[0] != '\0');
    if (got->rejects < 8)
        got->codes[got->rejects] = why->code;
    got->rejects++;
    return 0;
}

static struct got
read_stix(struct span text)
{
    struct got got = {.lines = buf_new((size_t)64 << 20)};
    const struct reader_options options = {.share_dir = "share"};
    const struct reader_sink sink = {.ctx = &got, .report = on_report, .reject = on_reject};
    struct input *input;

    assert_int_equal(input_open_bytes(text, "test", &input, NULL), 0);
    assert_int_equal(stix_read(input, &options, &sink, NULL), 0);
    input_close(input);
    buf_add_char(&got.lines, '\0');
    return got;
}

#define IP "{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--1\",\"value\":\"192.0.2.1\"}"
#define IP2 "{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--2\",\"value\":\"192.0.2.2\"}"
#define TRAFFIC                                                                                    \
    "{\"type\":\"network-traffic\",\"id\":\"network-traffic--1\",\"src_ref\":\"ipv4-addr--1\","    \
    "\"dst_ref\":\"ipv4-addr--2\",\"dst_port\":80,\"protocols\":[\"ipv4\",\"tcp\",\"http\"]}"
#define OBSERVED(refs, more)                                                                       \
    "{\"type\":\"observed-data\",\"id\":\"observed-data--1\",\"first_observed\":"                  \
    "\"2026-01-01T00:00:00Z\",\"last_observed\":\"2026-01-01T00:00:00Z\",\"number_observed\":1,"   \
    "\"labels\":[\"scanner\"],"                                                                    \
    "\"object_refs\":[" refs "]" more "}"
#define INDICATOR(pattern, more)                                                                   \
    "{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern\":\"" pattern "\"" more "}"
#define BUNDLE(objects) "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[" objects "]}"
#define ALL_REFS "\"ipv4-addr--1\",\"ipv4-addr--2\",\"network-traffic--1\""
#define AMBER_LATER                                                                                \
    "{\"type\":\"marking-definition\",\"id\":\"marking-definition--1\",\"definition_type\":"       \
    "\"tlp\","                                                                                     \
    "\"definition\":{\"tlp\":\"amber\"}}"

/* Every object is accounted for, and what is not understood carries no classification. */
static void
objects_become_reports(void **state)
{
    static const struct {
        const char *text;
        size_t reports, rejects;
        const char *has, *has_not;
    } cases[] = {{BUNDLE(IP "," IP2 "," TRAFFIC "," OBSERVED(ALL_REFS, "")), 1, 0,
                     "\"destination.ip\":\"192.0.2.2\"", "extra.stix\""},
        {BUNDLE(OBSERVED(ALL_REFS, "") "," TRAFFIC "," IP "," IP2), 1, 0,
            "\"source.ip\":\"192.0.2.1\"", "extra.stix\""},
        {BUNDLE(IP "," IP2 "," OBSERVED("\"ipv4-addr--1\",\"ipv4-addr--2\"", "")), 1, 0,
            "extra.stix_objects", "\"classification"},
        {BUNDLE(IP "," OBSERVED("\"ipv4-addr--1\",\"ipv4-addr--9\"", "")), 1, 0, "extra.stix\"",
            "\"classification"},
        {BUNDLE(IP), 1, 0, "\"extra.stix_type\":\"ipv4-addr\"", "\"source.ip"},
        {BUNDLE(INDICATOR("[url:value = 'http://a/' OR url:value = 'http://b/']", "")), 2, 0,
            "http://b/", "extra.stix\""},
        {BUNDLE(INDICATOR("[url:value LIKE 'x%']", ",\"labels\":[\"phishing\"]")), 1, 0,
            "extra.stix\"", "\"classification"},
        {BUNDLE(INDICATOR("[url:value = 'x']", ",\"revoked\":true,\"labels\":[\"phishing\"]")), 1,
            0, "extra.stix\"", "\"classification"},
        {BUNDLE(INDICATOR("[url:value = 'x'", "")), 0, 1, "", "url"},
        {BUNDLE(INDICATOR("[url:value = 'x']",
             ",\"object_marking_refs\":[\"marking-definition--1\"]") "," AMBER_LATER),
            2, 0, "\"tlp\":\"TLP:AMBER\"", "marking-definition--1\",\"source"},
        {BUNDLE(INDICATOR(
             "[url:value = 'x']", ",\"object_marking_refs\":[\"marking-definition--7\"]")),
            1, 0, "\"tlp\":\"marking-definition--7\"", "TLP:"},
        {"{\"more\":false,\"objects\":[" INDICATOR("[ipv4-addr:value = '192.0.2.0/24']", "") "]}",
            1, 0, "\"source.network\":\"192.0.2.0/24\"", "source.ip"},
        {"{}", 0, 0, "", "x"}, {"", 0, 0, "", "x"},
        {"{\"objects\":[,{\"type\":\"x\"}{\"type\":\"y\"},3,{\"type\":1}]}", 2, 4, "\"y\"",
            "\"z\""},
        {BUNDLE("{\"type\":\"a\",\"type\":\"b\"},{\"type\":\"c\"}"), 1, 1, "\"c\"", "\"b\""},
        {"{\"objects\":[{\"type\":\"a\"},{\"type\":\"b", 1, 1, "\"a\"", "\"b\""},
        {"junk\n" BUNDLE("{\"type\":\"a\"}"), 1, 1, "\"a\"", "junk"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct got got = read_stix(span_of(cases[i].text));
        if (got.reports != cases[i].reports || got.rejects != cases[i].rejects
            || strstr(got.lines.p, cases[i].has) == NULL
            || strstr(got.lines.p, cases[i].has_not) != NULL)
            fail_msg("case %zu: %zu reports, %zu rejections: %s", i, got.reports, got.rejects,
                got.lines.p);
        buf_free(&got.lines);
    }
}

static void
hostile_objects_leave_others_alone(void **state)
{
    struct buf text = buf_new((size_t)64 << 20);

    (void)state;
    buf_add_text(&text, "{\"objects\":[{\"type\":\"first\"},");
    for (int i = 0; i < 200000; i++)
        buf_add_char(&text, '[');
    for (int i = 0; i < 200000; i++)
        buf_add_char(&text, ']');
    buf_add_text(&text, ",{\"type\":\"big\",\"x\":\"");
    for (int i = 0; i < INPUT_LINE_MAX; i++)
        buf_add_char(&text, 'x');
    buf_add_text(
        &text, "\"}," INDICATOR("[", "") ",{\"type\":\"n\",\"x\":123456789012345678901234567890},");
    buf_add_text(&text, "{\"type\":\"u\",\"x\":\"\xc0\x80\"},{\"type\":\"last\"}]}");
    struct got got = read_stix(buf_span(&text));
    assert_int_equal(got.reports, 2);
    assert_int_equal(got.rejects, 5);
    assert_int_equal(got.codes[0], ERR_LIMIT);
    assert_int_equal(got.codes[1], ERR_LIMIT);
    assert_int_equal(got.codes[2], ERR_BAD_PATTERN);
    assert_int_equal(got.codes[3], ERR_BAD_NUMBER);
    assert_int_equal(got.codes[4], ERR_BAD_UTF8);
    assert_non_null(strstr(got.lines.p, "\"last\""));
    buf_free(&got.lines);
    buf_free(&text);
}

/* Vectors made with OASIS' python-stix2. */
static void
ids_are_the_standards(void **state)
{
    struct stix_id id;

    (void)state;
    stix_id_make(&id, "ipv4-addr", STIX_ID_OBSERVABLE, SPAN("{\"value\":\"198.51.100.3\"}"));
    assert_string_equal(id.text, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
    stix_id_make(&id, "autonomous-system", STIX_ID_OBSERVABLE, SPAN("{\"number\":64496}"));
    assert_string_equal(id.text, "autonomous-system--9ad79ee3-2fde-5015-b0cc-7a96404effca");
}

static int
write_one(void *ctx, const struct report *report, struct err *err)
{
    struct buf *out = ctx;
    struct arena *arena = arena_new((size_t)1 << 20);
    struct verdict verdict = {.effect = EFFECT_RELEASE};
    const struct release_note note = {.origin = SPAN("aa-team"),
        .recipient = SPAN("bb-team"),
        .rule = "prefix",
        .made_us = 1800000000000000};
    const struct redacted *redacted;

    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        verdict_set_treatment(&verdict, (enum field_class)c, TREATMENT_KEEP);
    assert_int_equal(redact(arena, &(struct redact_means){0}, report, &verdict,
                         (enum tlp)report->tlp, &redacted, err),
        0);
    if (out->n == 0)
        stix_write_head(out, &note);
    stix_write(out, redacted, &note);
    arena_free(arena);
    return 0;
}

static void
write_stix(const char *idf, struct buf *out)
{
    const struct reader_options options = {.share_dir = "share"};
    const struct reader_sink sink = {.ctx = out, .report = write_one, .reject = on_reject};
    struct input *input;

    *out = buf_new((size_t)1 << 20);
    assert_int_equal(input_open_bytes(span_of(idf), "test", &input, NULL), 0);
    assert_int_equal(idf_read(input, &options, &sink, NULL), 0);
    input_close(input);
    stix_write_tail(out);
}

/* All that a report says survives the way through STIX, and twice the same comes out twice. */
static void
reports_come_back(void **state)
{
    static const char idf[] =
        "{\"classification.type\":\"infected-system\",\"classification.taxonomy\":\"malicious-"
        "code\",\"feed.provider\":\"F\","
        "\"tlp\":\"TLP:AMBER+STRICT\",\"time.source\":\"2026-11-20T08:15:00.123456Z\",\"source."
        "ip\":\"192.0.2.1\","
        "\"source.asn\":64496,\"source.fqdn\":\"a.example\",\"source.url\":\"http://a.example/"
        "x\",\"source.port\":1,"
        "\"source.account\":\"root\",\"destination.ip\":\"2001:db8::1\",\"destination.asn\":64496,"
        "\"destination.fqdn\":\"b.example\",\"destination.url\":\"http://b/"
        "\\\"\",\"destination.port\":443,"
        "\"protocol.transport\":\"tcp\",\"protocol.application\":\"HTTP\",\"malware.name\":\"x\","
        "\"malware.hash.md5\":\"cead3f77f6cda6ec00f57d76c9a6879f\",\"malware.hash.sha1\":\"not "
        "one\","
        "\"extra.a\":[1,{\"b\":null}],\"extra.c\":1.5,\"extra.d\":true,\"extra.e\":"
        "18446744073709551615}\n";
    struct buf first;
    struct buf second;
    struct json *json = json_new(1 << 16);
    struct json_value was;
    struct json_value v;
    struct json_value w;
    struct span key;

    (void)state;
    write_stix(idf, &first);
    write_stix(idf, &second);
    assert_true(span_equal(buf_span(&first), buf_span(&second)));
    struct got got = read_stix(buf_span(&first));
    /* The sender is part of the frame and no report. */
    assert_int_equal(got.reports, 1);
    assert_int_equal(got.rejects, 0);
    char *line = strstr(got.lines.p, "\"classification.type\"");
    assert_non_null(line);
    while (line > got.lines.p && line[-1] != '\n')
        line--;
    struct json *json2 = json_new(1 << 16);
    assert_int_equal(json_parse_copy(json, span_of(idf), &was, NULL), 0);
    assert_int_equal(json_parse_copy(json2, (struct span){line, strcspn(line, "\n")}, &w, NULL), 0);
    for (struct json_iter it = json_iter(was); json_next(&it, &key, &v);) {
        char name[64];
        struct json_value again;
        struct buf a = buf_new(4096);
        struct buf b = buf_new(4096);
        (void)snprintf(name, sizeof name, "%.*s", SPAN_ARGS(key));
        if (!json_get(w, name, &again))
            fail_msg("%s is lost", name);
        json_add_value(&a, v);
        json_add_value(&b, again);
        assert_true(span_equal(buf_span(&a), buf_span(&b)));
        buf_free(&a);
        buf_free(&b);
    }
    json_free(json);
    json_free(json2);
    buf_free(&got.lines);
    buf_free(&first);
    buf_free(&second);
}

static void
patterns_are_read(void **state)
{
    static const struct {
        const char *text;
        int rc;
        size_t choices;
    } cases[] = {{"[a:b = 1]", 0, 1}, {"[a:b = 1 OR a:c = 'x'] OR [a:d = 2]", 0, 3},
        {"[a:b = 1 AND a:c = 2] AND [a:d = 3]", 0, 1},
        {"[(a:b = 1 OR a:c = 2) AND (a:d = 3 OR a:e = 4)]", 0, 4}, {"[a:b > 1]", 0, 0},
        {"[a:b IN (1,2)]", 0, 0}, {"[a:b = 1] FOLLOWEDBY [a:b = 2]", 0, 0},
        {"[a:b = 1] WITHIN 5 SECONDS", 0, 0}, {"[a:b NOT = 1]", 0, 0},
        {"a:b = 1", ERR_BAD_PATTERN, 0}, {"[a:b = 1", ERR_BAD_PATTERN, 0},
        {"[a:b = 1] x", ERR_BAD_PATTERN, 0},
        {"[a:b = t'2026-13-01T00:00:00Z']", ERR_BAD_PATTERN, 0},
        {"[file:hashes.MD5 = 'f00']", ERR_BAD_PATTERN, 0},
        {"[a:b = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS", ERR_BAD_PATTERN, 0},
        {"", ERR_BAD_PATTERN, 0}};
    struct arena *arena = arena_new((size_t)32 << 20);
    struct pattern pattern;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = pattern_parse(arena, span_of(cases[i].text), &pattern, NULL);
        if (rc != cases[i].rc || (rc == 0 && pattern.count != cases[i].choices))
            fail_msg("%s: %d, %zu choices", cases[i].text, rc, pattern.count);
    }
    char deep[200];
    memset(deep, '(', sizeof deep);
    assert_int_equal(
        pattern_parse(arena, (struct span){deep, sizeof deep}, &pattern, NULL), ERR_LIMIT);
    arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_become_reports),
        cmocka_unit_test(hostile_objects_leave_others_alone),
        cmocka_unit_test(ids_are_the_standards),
        cmocka_unit_test(reports_come_back),
        cmocka_unit_test(patterns_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
