/* What is left when a verdict's treatments are applied: on random reports under random verdicts,
 * nothing that was taken away is in a partner's bytes. */
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

enum { OUT_BYTES = 1 << 22, FIELDS = 200, SECRETS = 600, SECRET_BYTES = 64, REPORTS = 3000 };

/* Something of a report that may not be in the output once its class is treated so. */
struct secret {
    char text[SECRET_BYTES];
    enum field_class class;
    bool other;  /* of a field that the table does not know: text as well */
    bool coarse; /* stays when generalised */
    bool whole;  /* in a field that holds the report in another coding */
};

static struct field fields[FIELDS];
static struct report report;
static struct secret secrets[SECRETS];
static size_t secret_count;
static char texts[FIELDS][256];
static struct extra_fields *extras;
static uint64_t seed;

static uint64_t
next_random(void)
{
    seed += 0x9e3779b97f4a7c15u;
    uint64_t x = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static unsigned
below(unsigned n)
{
    return (unsigned)(next_random() % n);
}

/* A new secret of CLASS: its text is returned. */
static const char *secret(const struct field *field, bool coarse, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static const char *
secret(const struct field *field, bool coarse, const char *format, ...)
{
    struct secret *s = &secrets[secret_count++];
    va_list args;

    assert_true(secret_count <= SECRETS);
    *s = (struct secret){.class = (enum field_class)field->class,
        .other = field->id == FIELD_OTHER,
        .coarse = coarse,
        .whole =
            field->id == FIELD_RAW || field->id == FIELD_OUTPUT || field->id == FIELD_EVENT_HASH};
    va_start(args, format);
    assert_in_range(vsnprintf(s->text, sizeof s->text, format, args), 1, SECRET_BYTES - 1);
    va_end(args);
    return s->text;
}

static const char *
letters(void)
{
    static char made[8][13];
    static unsigned at;
    char *text = made[at++ % 8];

    for (int i = 0; i < 12; i++)
        text[i] = (char)('g' + below(20)); /* none is a hexadecimal digit */
    return text;
}

/* Octets and groups of one width each, so that no address is a part of another. */
static void
address_text(const struct field *field, char text[256])
{
    if (below(2) == 0) {
        const char *net =
            secret(field, true, "%u.%u.%u.", 100 + below(124), 100 + below(156), 100 + below(156));
        (void)snprintf(text, 256, "%s%u", net, 100 + below(156));
        (void)secret(field, false, "%s", text);
        return;
    }
    const char *net = secret(
        field, true, "2a%02x:%x:%x", below(256), 0x1000 + below(0xefff), 0x1000 + below(0xefff));
    const char *host =
        secret(field, false, ":%x:%x:%x:%x:%x", 0x1000 + below(0xefff), 0x1000 + below(0xefff),
            0x1000 + below(0xefff), 0x1000 + below(0xefff), 0x1000 + below(0xefff));
    (void)snprintf(text, 256, "%s%s", net, host);
}

static void
network_text(const struct field *field, char text[256])
{
    const char *net =
        secret(field, true, "%u.%u.%u.", 100 + below(124), 100 + below(156), 100 + below(156));

    (void)snprintf(text, 256, "%s128/25", net);
    (void)secret(field, false, "%s128", net);
}

static void
name_text(const struct field *field, char text[256])
{
    const char *host = secret(field, false, "%s", letters());

    (void)snprintf(text, 256, "%s.%s.org", host, secret(field, true, "%s", letters()));
}

static void
url_text(const struct field *field, char text[256])
{
    const char *user = secret(field, false, "%s", letters());
    const char *host = secret(field, true, "%s", letters());
    const char *path = secret(field, false, "%s", letters());
    unsigned form = below(3);

    if (form == 0)
        (void)snprintf(text, 256, "https://%s:x@%s.org:8443/%s?u=http://a.org/", user, host, path);
    else if (form == 1)
        (void)snprintf(text, 256, "https://%s@%s.org?%s://", user, host, path);
    else
        (void)snprintf(text, 256, "http://%s:@%s.org#%s", user, host, path);
}

static void
account_text(const struct field *field, char text[256])
{
    const char *user = secret(field, false, "%s", letters());

    if (below(2) == 0)
        (void)snprintf(text, 256, "%s@%s.org", user, secret(field, true, "%s", letters()));
    else
        (void)snprintf(text, 256, "%s@a.org:%s", user, secret(field, false, "%s", letters()));
}

static void
time_text(const struct field *field, char text[256])
{
    const char *day = secret(field, true, "%u-%02u-%02uT%02u", 1980 + below(40), 1 + below(12),
        1 + below(28), below(24));
    const char *fine = secret(
        field, false, ":%02u:%02u.%u", 1 + below(59), 1 + below(59), 100001 + 10 * below(80000));

    (void)snprintf(text, 256, "%s%s+00:00", day, fine);
}

static void
device_text(const struct field *field, char text[256])
{
    const char *vendor = secret(field, true, "%02x:%02x:%02x", below(256), below(256), below(256));
    const char *own = secret(field, false, ":%02x:%02x:%02x", below(256), below(256), below(256));

    (void)snprintf(text, 256, "%s%s", vendor, own);
}

static void
plain_text(const struct field *field, char text[256])
{
    (void)snprintf(text, 256, "\"%s\\", secret(field, false, "%s", letters()));
}

static void
text_of_class(const struct field *field, char text[256])
{
    switch ((enum field_class)field->class) {
    case FIELD_CLASS_ADDRESS:
        address_text(field, text);
        break;
    case FIELD_CLASS_NAME:
        name_text(field, text);
        break;
    case FIELD_CLASS_URL:
        url_text(field, text);
        break;
    case FIELD_CLASS_ACCOUNT:
        account_text(field, text);
        break;
    case FIELD_CLASS_DEVICE:
        device_text(field, text);
        break;
    case FIELD_CLASS_TIME:
        time_text(field, text);
        break;
    default:
        plain_text(field, text);
    }
}

static void
number(struct field *field, int64_t value)
{
    field->type = VALUE_INT;
    field->i = value;
    (void)secret(field, false, ":%lld", (long long)value);
}

/* A value for a known field that is not a plain text of its class; false: it is. */
static bool
special_value(struct field *field, char text[256])
{
    static const char *const economies[] = {"FI", "SE", "NO"};
    static const char *const labels[] = {"TLP:CLEAR", "TLP:GREEN", "TLP:AMBER"};

    switch (field_type((enum field_id)field->id)) {
    case FIELD_TYPE_INT:
    case FIELD_TYPE_ASN:
        number(field, 3000000000 + below(1000000000));
        return true;
    case FIELD_TYPE_PORT:
        number(field, 10000 + below(50000));
        return true;
    case FIELD_TYPE_FLOAT:
        field->type = VALUE_FLOAT;
        field->d = (10100001 + 10 * below(80000)) / 1e6;
        (void)secret(field, false, "%.6f", field->d);
        return true;
    case FIELD_TYPE_BOOL:
        field->type = VALUE_BOOL;
        field->b = below(2) == 0;
        return true;
    case FIELD_TYPE_JSON:
        field->type = VALUE_JSON;
        (void)snprintf(text, 256, "[\"%s\"]", secret(field, false, "%s", letters()));
        break;
    case FIELD_TYPE_ECONOMY:
        (void)snprintf(text, 256, "%s", economies[below(3)]);
        break;
    case FIELD_TYPE_TLP:
        (void)snprintf(text, 256, "%s", labels[below(3)]);
        break;
    case FIELD_TYPE_PREFIX:
        network_text(field, text);
        break;
    case FIELD_TYPE_TIME:
        time_text(field, text);
        break;
    case FIELD_TYPE_NAME:
        name_text(field, text);
        break;
    default:
        return false;
    }
    field->s = text;
    field->n = (uint32_t)strlen(text);
    return true;
}

static void
add_known(enum field_id id)
{
    struct field field = {
        .id = (uint16_t)id, .class = (uint8_t)field_class(id), .name = field_name(id)};
    char *text = texts[report.count];

    if (id == FIELD_CLASSIFICATION_TYPE) {
        field.s = "infected-system";
        field.n = 15;
        (void)secret(&field, false, "infected-system");
    } else if (!special_value(&field, text)) {
        text_of_class(&field, text);
        field.s = text;
        field.n = (uint32_t)strlen(text);
    }
    assert_int_equal(report_add(&report, &field, NULL), 0);
}

/* extra.CLASS is listed as of that class; others are not. */
static void
add_extra(void)
{
    static char names[FIELDS][48];
    enum field_class class = (enum field_class)(1 + below(FIELD_CLASS_COUNT - 1));
    struct field field = {.id = FIELD_OTHER, .class = (uint8_t) class};
    char *name = names[report.count];

    if (class == FIELD_CLASS_TEXT || report.count % 4 == 0) {
        field.class = FIELD_CLASS_TEXT;
        (void)snprintf(name, 48, "extra.%s", secret(&field, false, "%s", letters()));
    } else
        (void)snprintf(name, 48, "extra.%s%u", field_class_word(class), below(4));
    field.name = span_of(name);
    for (uint32_t i = 0; i < report.count; i++)
        if (span_equal(report.fields[i].name, field.name))
            return;
    text_of_class(&field, texts[report.count]);
    field.s = texts[report.count];
    field.n = (uint32_t)strlen(field.s);
    assert_int_equal(report_add(&report, &field, NULL), 0);
}

static void
make_report(void)
{
    struct err err = {0};

    report_reset(&report, fields, FIELDS);
    secret_count = 0;
    for (int id = 0; id < FIELD_COUNT; id++)
        if (below(3) > 0)
            add_known((enum field_id)id);
    for (unsigned i = below(30); i > 0; i--)
        add_extra();
    if (report_finish(&report, &err) != 0)
        fail_msg("%s: %s", err.field, err.msg);
}

static bool
keeps_all(const struct verdict *verdict)
{
    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        if (verdict_treatment(verdict, (enum field_class)c) != TREATMENT_KEEP)
            return false;
    return true;
}

static bool
must_be_gone(const struct secret *s, const struct verdict *verdict)
{
    enum treatment treatment = verdict_treatment(verdict, s->class);

    if (s->other && verdict_treatment(verdict, FIELD_CLASS_TEXT) != TREATMENT_KEEP)
        return true;
    if (s->whole)
        return !keeps_all(verdict);
    if (treatment == TREATMENT_KEEP)
        return false;
    bool coarser = (treatment == TREATMENT_GENERALISE || treatment == TREATMENT_PSEUDONYMISE)
        && s->class != FIELD_CLASS_OPEN && s->class != FIELD_CLASS_TEXT;
    return !coarser || !s->coarse;
}

static bool
is_in(struct span text, const struct secret *s)
{
    size_t n = strlen(s->text);
    const char *at = text.p;

    while ((at = memmem(at, text.n - (size_t)(at - text.p), s->text, n)) != NULL) {
        /* A number is only itself when no digit follows. */
        if (s->text[0] != ':' || at + n == text.p + text.n || at[n] < '0' || at[n] > '9')
            return true;
        at++;
    }
    return false;
}

static void
look(const char *writer, struct span text, const struct verdict *verdict)
{
    for (size_t i = 0; i < secret_count; i++)
        if (must_be_gone(&secrets[i], verdict) && is_in(text, &secrets[i]))
            fail_msg("%s: \"%s\" of class %s leaks under %s:\n%.*s", writer, secrets[i].text,
                field_class_word(secrets[i].class),
                treatment_word(verdict_treatment(verdict, secrets[i].class)), (int)text.n, text.p);
}

/* A URL stays whole only where all that it may hold stays. */
static bool
is_kept(enum field_class class, const struct verdict *verdict)
{
    static const enum field_class in_url[] = {
        FIELD_CLASS_NAME, FIELD_CLASS_ADDRESS, FIELD_CLASS_ACCOUNT, FIELD_CLASS_TEXT};
    bool kept = verdict_treatment(verdict, class) == TREATMENT_KEEP;

    for (size_t i = 0; class == FIELD_CLASS_URL && i < sizeof in_url / sizeof in_url[0]; i++)
        kept = kept && verdict_treatment(verdict, in_url[i]) == TREATMENT_KEEP;
    return kept;
}

/* Whatever is kept is there: else the search above would find nothing in anything. */
static void
look_for_kept(struct span text, const struct verdict *verdict)
{
    for (size_t i = 0; i < secret_count; i++)
        if (is_kept(secrets[i].class, verdict) && !must_be_gone(&secrets[i], verdict)
            && !is_in(text, &secrets[i]))
            fail_msg("\"%s\" of class %s is lost:\n%.*s", secrets[i].text,
                field_class_word(secrets[i].class), (int)text.n, text.p);
}

static void
write_and_look(struct arena *arena, struct buf *out, const struct verdict *verdict)
{
    const struct release_note note = {.origin = SPAN("own"),
        .recipient = SPAN("their"),
        .asn = 64500,
        .rule = "prefix",
        .clauses = &SPAN("agreement#1"),
        .clause_count = 1,
        .made_us = 1767225600000000};
    const struct redacted *redacted = NULL;

    arena_reset(arena);
    assert_int_equal(redact(arena, &(struct redact_means){.extras = extras}, &report, verdict,
                         TLP_GREEN, &redacted, NULL),
        0);
    out->n = 0;
    idf_write(out, redacted);
    look("idf", buf_span(out), verdict);
    look_for_kept(buf_span(out), verdict);
    out->n = 0;
    stix_write_head(out, &note);
    stix_write(out, redacted, &note);
    stix_write_tail(out);
    look("stix", buf_span(out), verdict);
    assert_false(out->full);
}

static void
open_extras(void)
{
    struct buf list = buf_new(4096);

    buf_add_text(&list, "name,class\n");
    for (int class = 1; class < FIELD_CLASS_COUNT; class ++)
        for (int i = 0; i < 4; i++)
            buf_format(&list, "extra.%s%d,%s\n", field_class_word((enum field_class) class), i,
                field_class_word((enum field_class) class));
    assert_int_equal(extra_fields_parse(buf_span(&list), "list", &extras, NULL), 0);
    buf_free(&list);
}

static void
nothing_that_was_taken_away_leaves(void **state)
{
    struct arena *arena = arena_new(1 << 22);
    struct buf out = buf_new(OUT_BYTES);

    (void)state;
    seed = 1;
    open_extras();
    for (int i = 0; i < REPORTS; i++) {
        struct verdict verdict = {.effect = EFFECT_RELEASE};
        make_report();
        for (int c = 0; c < FIELD_CLASS_COUNT; c++)
            verdict_set_treatment(&verdict, (enum field_class)c, (enum treatment)below(4));
        write_and_look(arena, &out, &verdict);
    }
    extra_fields_free(extras);
    buf_free(&out);
    arena_free(arena);
}

/* A treatment that is none removes. */
static void
damaged_treatments_remove(void **state)
{
    struct arena *arena = arena_new(1 << 22);
    struct verdict verdict = {.effect = EFFECT_RELEASE};
    const struct redacted *redacted = NULL;

    (void)state;
    open_extras();
    make_report();
    for (int laxity = TREATMENT_REMOVE + 1; laxity <= UINT8_MAX; laxity++) {
        memset(verdict.laxity, laxity, sizeof verdict.laxity);
        assert_int_equal(redact(arena, &(struct redact_means){.extras = extras}, &report, &verdict,
                             TLP_GREEN, &redacted, NULL),
            0);
        assert_int_equal(redacted_count(redacted), 0);
        assert_int_equal(redacted_removed(redacted), report.count);
        arena_reset(arena);
    }
    extra_fields_free(extras);
    arena_free(arena);
}

static void
without_a_release_there_is_nothing(void **state)
{
    struct arena *arena = arena_new(1 << 22);
    const struct verdict none = {0};
    const struct verdict held = {.effect = EFFECT_HOLD};
    const struct redacted *redacted = NULL;
    struct err err = {0};

    (void)state;
    make_report();
    assert_int_equal(
        redact(arena, &(struct redact_means){0}, &report, &none, TLP_CLEAR, &redacted, &err),
        ERR_INTERNAL);
    assert_int_equal(
        redact(arena, &(struct redact_means){0}, &report, &held, TLP_CLEAR, &redacted, &err),
        ERR_INTERNAL);
    assert_null(redacted);
    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        assert_int_equal(verdict_treatment(&none, (enum field_class)c), TREATMENT_REMOVE);
    arena_free(arena);
}

/* Released, but everything else as zero-initialised: an empty report. */
static void
zeroed_treatments_remove_all(void **state)
{
    struct arena *arena = arena_new(1 << 22);
    const struct verdict bare = {.effect = EFFECT_RELEASE};
    const struct redacted *redacted = NULL;
    struct buf out = buf_new(OUT_BYTES);

    (void)state;
    make_report();
    assert_int_equal(
        redact(arena, &(struct redact_means){0}, &report, &bare, TLP_AMBER, &redacted, NULL), 0);
    assert_int_equal(redacted_count(redacted), 0);
    assert_int_equal(redacted_time_us(redacted), 0);
    idf_write(&out, redacted);
    assert_true(span_equal(buf_span(&out), SPAN("{\"tlp\":\"TLP:AMBER\"}\n")));
    buf_free(&out);
    arena_free(arena);
}

static void
a_full_arena_releases_nothing_more(void **state)
{
    struct verdict verdict = {.effect = EFFECT_RELEASE};
    struct err err = {0};

    (void)state;
    make_report();
    memset(verdict.laxity, TREATMENT_REMOVE - TREATMENT_GENERALISE, sizeof verdict.laxity);
    for (size_t size = 64; size < 20000; size += 64) {
        struct arena *arena = arena_new(size);
        const struct redacted *redacted = NULL;
        int rc =
            redact(arena, &(struct redact_means){0}, &report, &verdict, TLP_GREEN, &redacted, &err);
        assert_true(rc == 0 || rc == ERR_LIMIT);
        for (size_t i = 0; rc == 0 && i < redacted_count(redacted); i++)
            assert_true(redacted_field(redacted, i) < fields
                || redacted_field(redacted, i) >= fields + FIELDS);
        arena_free(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_was_taken_away_leaves),
        cmocka_unit_test(damaged_treatments_remove),
        cmocka_unit_test(without_a_release_there_is_nothing),
        cmocka_unit_test(zeroed_treatments_remove_all),
        cmocka_unit_test(a_full_arena_releases_nothing_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
