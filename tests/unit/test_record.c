/* Records: every report survives the way through one, and no bytes make a reader go astray. */
#include "model/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { REPORTS = 20000, MOST_FIELDS = 60, TEXTS_BYTES = 1 << 18, RECORD_BYTES = 1 << 20 };

struct maker {
    uint64_t seed;
    struct field fields[MOST_FIELDS];
    struct report report;
    char texts[TEXTS_BYTES];
    size_t used;
};

static uint64_t
next_random(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15u;
    uint64_t x = (*seed ^ *seed >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint32_t
below(struct maker *m, uint32_t n)
{
    return (uint32_t)(next_random(&m->seed) % n);
}

/* Lengths on both sides of every way to write one. */
static struct span
some_text(struct maker *m)
{
    static const uint32_t lengths[] = {1, 2, 3, 4, 7, 8, 15, 16, 17, 63, 253, 254, 255, 256, 3000};
    uint32_t n = lengths[below(m, sizeof lengths / sizeof lengths[0])];
    char *at = m->texts + m->used;

    assert_true(m->used + n <= sizeof m->texts);
    for (uint32_t i = 0; i < n; i++)
        at[i] = (char)(' ' + below(m, 95));
    m->used += n;
    return (struct span){at, n};
}

__attribute__((format(printf, 2, 3))) static struct span
printed(struct maker *m, const char *format, ...)
{
    char *at = m->texts + m->used;
    va_list args;

    va_start(args, format);
    m->used += (size_t)vsnprintf(at, sizeof m->texts - m->used, format, args);
    va_end(args);
    return span_of(at);
}

static void
set_text(struct field *field, struct span text)
{
    field->type = VALUE_TEXT;
    field->s = text.p;
    field->n = (uint32_t)text.n;
}

/* A value that report_finish lets through. */
static bool
fill_known(struct maker *m, struct field *field)
{
    unsigned a = below(m, 256);
    unsigned b = below(m, 256);

    switch (field_type((enum field_id)field->id)) {
    case FIELD_TYPE_IP:
        set_text(field, printed(m, "192.0.%u.%u", a, b));
        return true;
    case FIELD_TYPE_PREFIX:
        set_text(field, printed(m, "10.%u.%u.0/24", a, b));
        return true;
    case FIELD_TYPE_NAME:
        set_text(field, printed(m, "h%u.x%u.example", a, b));
        return true;
    case FIELD_TYPE_TIME:
        set_text(field, printed(m, "2026-03-04T05:%02u:%02u+00:00", a % 60, b % 60));
        return true;
    case FIELD_TYPE_ECONOMY:
        set_text(field, SPAN("NL"));
        return true;
    case FIELD_TYPE_PORT:
    case FIELD_TYPE_INT:
    case FIELD_TYPE_ASN:
        field->type = VALUE_INT;
        field->i = a * 100;
        return true;
    case FIELD_TYPE_FLOAT:
        field->type = VALUE_FLOAT;
        field->d = (double)a / 7 - b;
        return true;
    case FIELD_TYPE_BOOL:
        field->type = VALUE_BOOL;
        field->b = a % 2 == 0;
        return true;
    case FIELD_TYPE_JSON:
        set_text(field, SPAN("[1,{\"a\":null}]"));
        field->type = VALUE_JSON;
        return true;
    default:
        set_text(field, some_text(m));
        return true;
    }
}

static void
fill_other(struct maker *m, struct field *field)
{
    field->n = 0;
    switch (below(m, 6)) {
    case 0:
        field->type = VALUE_INT;
        field->i = (int64_t)next_random(&m->seed);
        break;
    case 1:
        field->type = VALUE_UINT;
        field->u = next_random(&m->seed) | (uint64_t)1 << 63;
        break;
    case 2:
        field->type = VALUE_FLOAT;
        field->d = ldexp((double)next_random(&m->seed), (int)below(m, 200) - 100);
        break;
    case 3:
        field->type = VALUE_BOOL;
        field->u = 0;
        field->b = below(m, 2) == 0;
        break;
    case 4:
        set_text(field, SPAN("{\"k\":[]}"));
        field->type = VALUE_JSON;
        break;
    default:
        set_text(field, some_text(m));
        field->n = below(m, 8) == 0 ? 0 : field->n; /* empty ones are allowed here */
    }
}

static void
make(struct maker *m, uint64_t seed)
{
    uint32_t count = 1;
    struct err err;

    m->seed = seed;
    m->used = 0;
    count += below(m, MOST_FIELDS - 1);
    report_reset(&m->report, m->fields, MOST_FIELDS);
    m->report.line = below(m, UINT32_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct field field = {.id = (uint16_t)below(m, FIELD_COUNT + 20)};
        if (field.id >= FIELD_COUNT) {
            field.id = FIELD_OTHER;
            field.name = printed(m, "extra.f%u_%u", i, below(m, 256));
            field.class = FIELD_CLASS_TEXT;
            fill_other(m, &field);
        } else if (report_get(&m->report, (enum field_id)field.id) != NULL
            || !fill_known(m, &field)) {
            continue;
        }
        assert_int_equal(report_add(&m->report, &field, &err), 0);
    }
    assert_int_equal(report_finish(&m->report, &err), 0);
}

static void
must_equal(const struct report *a, const struct report *b)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        const struct field *x = &a->fields[i];
        const struct field *y = &b->fields[i];
        assert_int_equal(x->id, y->id);
        assert_int_equal(x->type, y->type);
        assert_int_equal(x->class, y->class);
        assert_true(span_equal(x->name, y->name));
        if (x->type == VALUE_TEXT || x->type == VALUE_JSON)
            assert_true(span_equal((struct span){x->s, x->n}, (struct span){y->s, y->n}));
        else if (x->type == VALUE_BOOL)
            assert_int_equal(x->b, y->b);
        else
            assert_true(x->u == y->u);
    }
    assert_int_equal(a->line, b->line);
    assert_true(a->time_us == b->time_us);
    assert_int_equal(a->classification, b->classification);
    assert_true(span_equal(a->provider, b->provider));
    assert_memory_equal(&a->source.ip, &b->source.ip, sizeof a->source.ip);
    assert_true(span_equal(a->destination.name, b->destination.name));
    assert_true(report_digest(a) == report_digest(b));
}

static void
reports_survive(void **state)
{
    struct maker *m = malloc(sizeof *m);
    struct buf out = buf_new(RECORD_BYTES);
    struct field fields[MOST_FIELDS];
    struct report back;
    struct err err;

    (void)state;
    assert_non_null(m);
    for (uint64_t i = 0; i < REPORTS; i++) {
        make(m, i);
        out.n = 0;
        record_add(&out, &m->report);
        assert_false(out.full);
        struct wire_in in = wire_in(buf_span(&out));
        assert_int_equal(record_next(&in, &back, fields, MOST_FIELDS, &err), 0);
        assert_int_equal(in.n, 0);
        must_equal(&m->report, &back);
    }
    buf_free(&out);
    free(m);
}

/* The store outlives a build: these bytes must be read by every later one. */
static void
the_bytes_are_for_life(void **state)
{
    static const unsigned char want[] = {47, 0, 0, 0, 2, 0, 7, 's', 'c', 'a', 'n', 'n', 'e', 'r',
        72, 0, 9, '1', '9', '2', '.', '0', '.', '2', '.', '1', 76, 1, 80, 0, 0, 0, 0, 0, 0, 0, 255,
        4, 7, 'e', 'x', 't', 'r', 'a', '.', 'a', 1, 9, 0, 0, 0};
    struct field fields[4];
    struct report report;
    struct buf out = buf_new(1024);
    struct err err;

    (void)state;
    report_reset(&report, fields, 4);
    report.line = 9;
    assert_int_equal(report_add_text(&report, FIELD_CLASSIFICATION_TYPE, SPAN("scanner"), &err), 0);
    assert_int_equal(report_add_text(&report, FIELD_SOURCE_IP, SPAN("192.0.2.1"), &err), 0);
    assert_int_equal(report_add_int(&report, FIELD_SOURCE_PORT, 80, &err), 0);
    struct field other = {
        .id = FIELD_OTHER, .type = VALUE_BOOL, .b = true, .name = SPAN("extra.a")};
    assert_int_equal(report_add(&report, &other, &err), 0);
    record_add(&out, &report);
    assert_int_equal(out.n, sizeof want);
    assert_memory_equal(out.p, want, sizeof want);
    buf_free(&out);
}

/* Every field's place, by the names in their order. */
static void
the_table_of_fields_only_grows(void **state)
{
    enum { KNOWN = 86 };
    uint64_t all = 0;

    (void)state;
    assert_true((int)FIELD_COUNT >= (int)KNOWN);
    for (int i = 0; i < KNOWN; i++)
        for (size_t k = 0; k < field_name((enum field_id)i).n; k++)
            all = all * 1099511628211u + (unsigned char)field_name((enum field_id)i).p[k];
    assert_true(all == 0x1868efe060f00feeu);
}

static int
take(const char *bytes, size_t n, struct report *report, struct field *fields, uint32_t room)
{
    struct wire_in in = wire_in((struct span){bytes, n});
    struct err err;

    return record_next(&in, report, fields, room, &err);
}

static void
what_is_no_record_is_told(void **state)
{
    struct maker *m = malloc(sizeof *m);
    struct buf out = buf_new(RECORD_BYTES);
    struct field fields[MOST_FIELDS];
    struct report back;

    (void)state;
    assert_non_null(m);
    make(m, 77);
    record_add(&out, &m->report);
    for (size_t n = 0; n < out.n; n++) {
        char *cut = malloc(n + 1); /* so that a sanitizer sees what lies behind */
        assert_non_null(cut);
        memcpy(cut, out.p, n);
        assert_int_equal(take(cut, n, &back, fields, MOST_FIELDS), ERR_INTERNAL);
        free(cut);
    }
    out.p[4] = (char)(FIELD_COUNT + 3);
    assert_int_equal(take(out.p, out.n, &back, fields, MOST_FIELDS), ERR_INTERNAL);
    out.p[4] = 0;
    out.p[5] = VALUE_JSON + 1;
    assert_int_equal(take(out.p, out.n, &back, fields, MOST_FIELDS), ERR_INTERNAL);
    buf_free(&out);
    free(m);
}

/* A report that cannot be is passed over, and the next one is read. */
static void
reading_goes_on_behind_a_bad_report(void **state)
{
    struct field fields[MOST_FIELDS];
    struct report report;
    struct buf out = buf_new(4096);
    struct err err;

    (void)state;
    report_reset(&report, fields, MOST_FIELDS);
    assert_int_equal(report_add_text(&report, FIELD_SOURCE_IP, SPAN("192.0.2.1"), &err), 0);
    record_add(&out, &report);
    size_t first = out.n;
    record_add(&out, &report);
    memcpy(memchr(out.p, '9', first), "x", 1);
    struct wire_in in = wire_in(buf_span(&out));
    assert_int_equal(record_next(&in, &report, fields, MOST_FIELDS, &err), ERR_BAD_ADDRESS);
    assert_int_equal(record_next(&in, &report, fields, 0, &err), ERR_LIMIT);
    assert_int_equal(in.n, 0);
    assert_false(in.bad);
    buf_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_survive),
        cmocka_unit_test(the_bytes_are_for_life),
        cmocka_unit_test(the_table_of_fields_only_grows),
        cmocka_unit_test(what_is_no_record_is_told),
        cmocka_unit_test(reading_goes_on_behind_a_bad_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
