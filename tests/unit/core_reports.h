/* core_reports.h: reports for a core under test, sent as a front does. */
#ifndef COMITY_TESTS_CORE_REPORTS_H
#define COMITY_TESTS_CORE_REPORTS_H

#include "core/intake.h"
#include "core_ask.h"

static const struct caller core_reports_nobody = {.scheme = CALLER_NOBODY};

struct maker {
    struct buf records;
    uint32_t count;
};

/* Report N for HOST of 192.0.2.0/24, labelled TLP. */
static inline void
core_reports_add(struct maker *m, const char *ip, unsigned n, const char *tlp)
{
    struct field fields[8];
    struct report report;
    struct err err;
    char text[32];

    (void)snprintf(text, sizeof text, "login%u", n);
    report_reset(&report, fields, 8);
    report.line = n;
    assert_int_equal(report_add_text(&report, FIELD_CLASSIFICATION_TYPE, SPAN("scanner"), &err), 0);
    assert_int_equal(report_add_text(&report, FIELD_SOURCE_IP, span_of(ip), &err), 0);
    assert_int_equal(
        report_add_text(&report, FIELD_TIME_SOURCE, SPAN("2026-01-02T03:04:05Z"), &err), 0);
    assert_int_equal(report_add_text(&report, FIELD_SOURCE_ACCOUNT, span_of(text), &err), 0);
    assert_int_equal(report_add_text(&report, FIELD_FEED_PROVIDER, SPAN("Test"), &err), 0);
    if (tlp != NULL)
        assert_int_equal(report_add_text(&report, FIELD_TLP, span_of(tlp), &err), 0);
    assert_int_equal(report_finish(&report, &err), 0);
    record_add(&m->records, &report);
    m->count++;
}

static inline uint64_t
core_reports_open_stream(struct core_test *t, enum door door, uint64_t file)
{
    struct buf body = buf_new(1024);
    uint64_t tag = ++t->next_tag;
    const struct intake_open open = {SPAN("test"), file, false};

    intake_open_add(&body, &open);
    t->credit = 0;
    t->refusal = (struct err){0};
    t->wants_any = true;
    core_test_send(t, door, MESSAGE_INTAKE_OPEN, tag, &core_reports_nobody, buf_span(&body));
    assert_true(core_test_wait(t, 60000));
    t->wants_any = false;
    buf_free(&body);
    return tag;
}

static inline void
core_reports_send_records(
    struct core_test *t, enum door door, uint64_t tag, const struct maker *m, uint32_t rejected)
{
    struct buf body = buf_new(4 << 20);

    wire_add_u32(&body, rejected);
    wire_add_u32(&body, m->count);
    buf_add_span(&body, buf_span(&m->records));
    core_test_send(t, door, MESSAGE_INTAKE_RECORDS, tag, &core_reports_nobody, buf_span(&body));
    buf_free(&body);
}

static inline int
core_reports_close_stream(
    struct core_test *t, enum door door, uint64_t tag, uint32_t rejected, struct totals *totals)
{
    struct buf body = buf_new(1024);

    t->body.n = 0;
    wire_add_u32(&body, rejected);
    wire_add_text(&body, SPAN(""));
    core_test_send(t, door, MESSAGE_INTAKE_CLOSE, tag, &core_reports_nobody, buf_span(&body));
    buf_free(&body);
    assert_true(core_test_wait(t, 60000));
    assert_int_equal(t->tag, tag);
    if (t->type == MESSAGE_REFUSAL)
        return (int)t->refusal.code;
    struct wire_in in = wire_in(buf_span(&t->body));
    totals_take(&in, totals);
    assert_int_equal(in.n, 0);
    return 0;
}

static inline struct totals
core_reports_take(struct core_test *t, const struct maker *m)
{
    struct totals totals;
    uint64_t tag = core_reports_open_stream(t, DOOR_LOCAL, 0);

    assert_int_equal(t->credit, INTAKE_CREDIT);
    core_reports_send_records(t, DOOR_LOCAL, tag, m, 0);
    assert_int_equal(core_reports_close_stream(t, DOOR_LOCAL, tag, 0, &totals), 0);
    return totals;
}

#endif
