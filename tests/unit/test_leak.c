/* The leak property: what a recipient gets does not hang on what was removed.
 *
 * Two reports of one make that differ only in the values of removed classes: as fields, repeated in
 * free text (in other case, with "[.]"), in nested JSON, in URLs' logins, hosts, queries and paths.
 * Whatever is rendered of them, in any format, must be the same byte for byte: then no byte of a
 * removed value is in it. "--plant" has the text repeat values in a way that is not looked for,
 * and must fail. */
#include "flow/redact.h"
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

enum { PAIRS = 20000, FIELDS = 64, TEXT_BYTES = 4096, OUT_BYTES = 1 << 20, HELD = 32 };

/* The make of a report follows SHAPE; values of removed classes follow SALT. */
struct maker {
    uint64_t shape;
    uint64_t salt;
    const struct verdict *verdict;
    struct field fields[FIELDS];
    struct report report;
    char texts[FIELDS][TEXT_BYTES];
    char held[HELD][128]; /* values that texts may repeat */
    unsigned held_count;
};

static struct extra_fields *extras;
static bool plant;

static uint64_t
next_random(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15u;
    uint64_t x = (*seed ^ *seed >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static unsigned
below(struct maker *m, unsigned n)
{
    return (unsigned)(next_random(&m->shape) % n);
}

static void
letters(uint64_t *seed, char out[13])
{
    for (int i = 0; i < 12; i++)
        out[i] = (char)('g' + next_random(seed) % 20);
    out[12] = '\0';
}

/* A value of CLASS; always as long, so that the shape is the same. Both seeds move on alike. */
static void
value_of(struct maker *m, enum field_class class, char out[128])
{
    uint64_t shape = next_random(&m->shape);
    uint64_t salt = next_random(&m->salt);
    bool removed = verdict_treatment(m->verdict, class) == TREATMENT_REMOVE;
    uint64_t seed = removed ? salt : shape;
    char a[13];
    char b[13];

    letters(&seed, a);
    letters(&seed, b);
    unsigned n = (unsigned)next_random(&seed);
    switch (class) {
    case FIELD_CLASS_ADDRESS:
        if (shape % 3 == 0)
            (void)snprintf(out, 128, "2a0%u:%x:%x::%x", n % 10, 0x1000 + (n >> 4 & 0xfff),
                0x1000 + (n >> 8 & 0xfff), 0x1000 + (n >> 12 & 0xfff));
        else
            (void)snprintf(out, 128, "%u.%u.%u.%u", 100 + n % 124, 100 + (n >> 8) % 156,
                100 + (n >> 16) % 156, 100 + (n >> 20) % 156);
        break;
    case FIELD_CLASS_NAME:
        (void)snprintf(out, 128, "%s.%s.org", a, b);
        break;
    case FIELD_CLASS_ACCOUNT:
        (void)snprintf(out, 128, shape % 2 == 0 ? "%s" : "%s@%s.org", a, b);
        break;
    case FIELD_CLASS_DEVICE:
        (void)snprintf(out, 128, "%02x:%02x:%02x:%02x:%02x:%02x", n & 255, n >> 8 & 255,
            n >> 16 & 255, n >> 24 & 255, n >> 4 & 255, n >> 12 & 255);
        break;
    case FIELD_CLASS_TIME:
        (void)snprintf(out, 128, "20%02u-%02u-%02uT%02u:%02u:%02u+00:00", 10 + n % 16,
            1 + (n >> 8) % 12, 1 + (n >> 12) % 28, (n >> 16) % 24, (n >> 20) % 60, (n >> 24) % 60);
        break;
    default:
        (void)snprintf(out, 128, "%s", a);
    }
    if (m->held_count < HELD)
        (void)snprintf(m->held[m->held_count++], 128, "%s", out);
}

static size_t
add_percent(char *out, const char *value)
{
    size_t n = 0;

    for (size_t i = 0; value[i] != '\0'; i++)
        n += (size_t)sprintf(out + n, i % 2 == 0 ? "%%%02x" : "%c", (unsigned char)value[i]);
    return n;
}

/* VALUE as people write it: as it is, loud, defanged. */
static size_t
add_written(struct maker *m, char *out, const char *value)
{
    unsigned how = below(m, 4);
    size_t n = 0;

    for (size_t i = 0; value[i] != '\0'; i++) {
        char c = value[i];
        if (how == 1 && c >= 'a' && c <= 'z')
            c = (char)(c - 32);
        if (how > 1 && (c == '.' || c == '@'))
            n += (size_t)sprintf(out + n, "%s",
                how == 2       ? (c == '.' ? "[.]" : "[@]")
                    : c == '.' ? "(dot)"
                               : "(at)");
        else
            out[n++] = c;
    }
    out[n] = '\0';
    return n;
}

static const char *
a_held(struct maker *m)
{
    return m->held_count == 0 ? "nothing" : m->held[below(m, m->held_count)];
}

/* Free text with some of what fields hold in it. */
static void
sentence(struct maker *m, char *out)
{
    size_t n = (size_t)sprintf(out, "seen");

    for (unsigned i = below(m, 5); i > 0; i--) {
        n += (size_t)sprintf(out + n, below(m, 2) == 0 ? " by " : ",");
        n += add_written(m, out + n, a_held(m));
    }
    if (plant && m->held_count > 0) {
        const char *value = a_held(m);
        for (size_t i = strlen(value); i > 0; i--)
            out[n++] = value[i - 1];
    }
    (void)sprintf(out + n, "; then nothing");
}

static void
url(struct maker *m, char *out)
{
    static const struct {
        const char *name;
        enum field_class class;
    } named[] = {{"user", FIELD_CLASS_ACCOUNT}, {"email", FIELD_CLASS_ACCOUNT},
        {"client_ip", FIELD_CLASS_ADDRESS}, {"hostname", FIELD_CLASS_NAME},
        {"source.ip", FIELD_CLASS_ADDRESS}, {"q", FIELD_CLASS_URL}};
    char value[128];
    char host[128];
    size_t n;

    value_of(m, FIELD_CLASS_NAME, host);
    n = (size_t)sprintf(out, "https://");
    if (below(m, 3) == 0) {
        value_of(m, FIELD_CLASS_ACCOUNT, value);
        n += (size_t)sprintf(out + n, "%s:word@", value);
    }
    n += (size_t)sprintf(out + n, "%s/", host);
    if (below(m, 4) == 0)
        n += add_percent(out + n, a_held(m));
    for (unsigned i = 0, count = below(m, 4); i < count; i++) {
        unsigned which = below(m, sizeof named / sizeof named[0]);
        n += (size_t)sprintf(out + n, "%c%s=", i == 0 ? '?' : '&', named[which].name);
        if (below(m, 2) == 0) {
            n += add_percent(out + n, a_held(m));
        } else {
            value_of(m, named[which].class, value);
            n += add_percent(out + n, value);
        }
    }
    if (below(m, 3) == 0)
        (void)sprintf(out + n, "#%s", a_held(m));
}

static size_t
json(struct maker *m, char *out, int depth)
{
    static const struct {
        const char *name;
        enum field_class class;
    } named[] = {{"username", FIELD_CLASS_ACCOUNT}, {"mac_address", FIELD_CLASS_DEVICE},
        {"client_ip", FIELD_CLASS_ADDRESS}, {"hostname", FIELD_CLASS_NAME},
        {"time.source", FIELD_CLASS_TIME}};
    char value[TEXT_BYTES];
    size_t n = (size_t)sprintf(out, "{\"depth\":%d", depth);

    for (unsigned i = below(m, 4); i > 0; i--) {
        unsigned which = below(m, 5);
        value_of(m, named[which].class, value);
        n += (size_t)sprintf(out + n, ",\"%s\":\"%s\"", named[which].name, value);
    }
    sentence(m, value);
    n += (size_t)sprintf(out + n, ",\"note\":[\"%s\",null,1]", value);
    if (below(m, 3) == 0)
        n += (size_t)sprintf(out + n, ",\"%s\":true", a_held(m));
    if (depth < 3 && below(m, 2) == 0) {
        n += (size_t)sprintf(out + n, ",\"below\":");
        n += json(m, out + n, depth + 1);
    }
    return n + (size_t)sprintf(out + n, "}");
}

/* ---- reports ---- */

static void
add(struct maker *m, const char *name, enum value_type type, const char *text)
{
    struct field field = {.id = (uint16_t)field_find(span_of(name)),
        .type = (uint8_t)type,
        .class = FIELD_CLASS_TEXT,
        .name = span_of(name),
        .s = text};

    field.n = (uint32_t)strlen(text);
    assert_int_equal(report_add(&m->report, &field, NULL), 0);
}

static void
make(struct maker *m)
{
    static const struct {
        const char *name;
        enum field_class class;
    } simple[] = {{"source.ip", FIELD_CLASS_ADDRESS}, {"destination.ip", FIELD_CLASS_ADDRESS},
        {"extra.client_ip", FIELD_CLASS_ADDRESS}, {"source.fqdn", FIELD_CLASS_NAME},
        {"destination.fqdn", FIELD_CLASS_NAME}, {"extra.hostname", FIELD_CLASS_NAME},
        {"source.account", FIELD_CLASS_ACCOUNT}, {"destination.account", FIELD_CLASS_ACCOUNT},
        {"extra.email", FIELD_CLASS_ACCOUNT}, {"extra.mac_address", FIELD_CLASS_DEVICE},
        {"extra.device_serial", FIELD_CLASS_DEVICE}, {"time.source", FIELD_CLASS_TIME},
        {"time.observation", FIELD_CLASS_TIME}};
    static const char *const texts[] = {"comment", "event_description.text", "extra.note"};
    static const char *const urls[] = {"source.url", "destination.url", "extra.http_url"};
    struct err err = {0};
    unsigned t = 0;

    m->held_count = 0;
    report_reset(&m->report, m->fields, FIELDS);
    add(m, "classification.type", VALUE_TEXT, "scanner");
    for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++)
        if (below(m, 3) > 0) {
            value_of(m, simple[i].class, m->texts[t]);
            add(m, simple[i].name, VALUE_TEXT, m->texts[t++]);
        }
    for (size_t i = 0; i < 3; i++)
        if (below(m, 2) == 0) {
            url(m, m->texts[t]);
            add(m, urls[i], VALUE_TEXT, m->texts[t++]);
        }
    for (size_t i = 0; i < 3; i++)
        if (below(m, 2) == 0) {
            sentence(m, m->texts[t]);
            add(m, texts[i], VALUE_TEXT, m->texts[t++]);
        }
    (void)json(m, m->texts[t], 0);
    add(m, "extra.blob", VALUE_JSON, m->texts[t++]);
    if (report_finish(&m->report, &err) != 0)
        fail_msg("%s: %s", err.field, err.msg);
}

static void
render(struct arena *arena, struct maker *m, struct buf *idf, struct buf *stix)
{
    const struct release_note note = {.origin = SPAN("own"),
        .recipient = SPAN("their"),
        .asn = 64500,
        .rule = "prefix",
        .clauses = &SPAN("agreement#1"),
        .clause_count = 1,
        .made_us = 1767225600000000};
    const struct redact_means means = {.extras = extras};
    const struct redacted *left = NULL;

    arena_reset(arena);
    assert_int_equal(redact(arena, &means, &m->report, m->verdict, TLP_GREEN, &left, NULL), 0);
    idf->n = stix->n = 0;
    idf_write(idf, left);
    stix_write_head(stix, &note);
    stix_write(stix, left, &note);
    stix_write_tail(stix);
    assert_false(idf->full || stix->full);
}

/* Kept or removed; free text and URLs mostly kept, for what is removed whole tells nothing. */
static void
make_verdict(uint64_t *seed, struct verdict *verdict)
{
    *verdict = (struct verdict){.effect = EFFECT_RELEASE};
    for (int c = 0; c < FIELD_CLASS_COUNT; c++) {
        bool mostly = c == FIELD_CLASS_TEXT || c == FIELD_CLASS_URL || c == FIELD_CLASS_OPEN;
        bool keep = next_random(seed) % 10 < (mostly ? 9u : 4u);
        verdict_set_treatment(
            verdict, (enum field_class)c, keep ? TREATMENT_KEEP : TREATMENT_REMOVE);
    }
}

static void
what_was_removed_makes_no_difference(void **state)
{
    static struct maker makers[2];
    struct arena *arena = arena_new(1 << 22);
    struct buf idf[2] = {buf_new(OUT_BYTES), buf_new(OUT_BYTES)};
    struct buf stix[2] = {buf_new(OUT_BYTES), buf_new(OUT_BYTES)};
    uint64_t seed = 7;
    unsigned differed = 0;

    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        struct verdict verdict;
        make_verdict(&seed, &verdict);
        uint64_t shape = next_random(&seed);
        for (int k = 0; k < 2; k++) {
            makers[k].shape = shape;
            makers[k].salt = next_random(&seed);
            makers[k].verdict = &verdict;
            make(&makers[k]);
            render(arena, &makers[k], &idf[k], &stix[k]);
        }
        differed += memcmp(makers[0].held, makers[1].held, sizeof makers[0].held) != 0;
        if (!span_equal(buf_span(&idf[0]), buf_span(&idf[1])))
            fail_msg(
                "pair %d leaks:\n%.*s\n%.*s", i, (int)idf[0].n, idf[0].p, (int)idf[1].n, idf[1].p);
        if (!span_equal(buf_span(&stix[0]), buf_span(&stix[1])))
            fail_msg("pair %d leaks:\n%.*s\n%.*s", i, (int)stix[0].n, stix[0].p, (int)stix[1].n,
                stix[1].p);
    }
    assert_true(differed > PAIRS / 2);
    for (int k = 0; k < 2; k++) {
        buf_free(&idf[k]);
        buf_free(&stix[k]);
    }
    arena_free(arena);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_removed_makes_no_difference)};
    static const char list[] = "name,class\nextra.client_ip,address\nextra.hostname,name\n"
                               "extra.email,account\nextra.user,account\nextra.username,account\n"
                               "extra.mac_address,device\nextra.device_serial,device\n"
                               "extra.http_url,url\n";

    plant = argc > 1 && strcmp(argv[1], "--plant") == 0;
    if (extra_fields_parse(span_of(list), "list", &extras, NULL) != 0)
        return 2;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    extra_fields_free(extras);
    return failed;
}
