/* Streams of reports: what is answered is durable, counted, and not there twice. */
#include "core/counts.h"
#include "core/intake.h"
#include "core/outcome.h"
#include "core/release.h"
#include "core/window.h"
#include "core_ask.h"
#include "core_reports.h"

static void
must_balance(const struct totals *t)
{
    assert_int_equal(t->received, t->stored + t->rejected + t->duplicate);
    assert_int_equal(t->outcomes, t->released + t->held + t->withheld + t->unattributed);
}

/* ---- */

static void
every_report_has_its_outcome(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct arena *arena = arena_new((size_t)64 << 20);
    struct store_batch batch;
    struct outcomes outcomes;
    struct outcome_report out;
    struct err err;

    (void)state;
    core_test_start(&t);
    core_reports_add(&m, "192.0.2.200", 1, "amber");  /* south: released */
    core_reports_add(&m, "198.51.100.7", 2, "amber"); /* east: held */
    core_reports_add(&m, "203.0.113.1", 3, "amber");  /* nobody's */
    core_reports_add(&m, "192.0.2.200", 4, "red");    /* south: no clause */
    core_reports_add(&m, "192.0.2.1", 5, "green");    /* our own */
    core_reports_add(&m, "192.0.2.200", 6, "clear");  /* south and everybody */
    core_reports_add(&m, "192.0.2.200", 1, "amber");  /* again */
    struct totals totals = core_reports_take(&t, &m);
    must_balance(&totals);
    assert_int_equal(totals.received, 7);
    assert_int_equal(totals.stored, 6);
    assert_int_equal(totals.duplicate, 1);
    assert_int_equal(totals.released, 4);
    assert_int_equal(totals.held, 1);
    assert_int_equal(totals.withheld, 1);
    assert_int_equal(totals.unattributed, 1);

    assert_int_equal(store_batch_get(t.core.store, arena, 1, &batch, &err), 0);
    assert_int_equal(batch.count, 6);
    assert_int_equal(outcome_read(arena, batch.outcomes, &outcomes, &err), 0);
    assert_int_equal(outcomes.count, 6);
    outcome_get(&outcomes, 0, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.sides[0].rule, ATTRIBUTION_RULE_PREFIX);
    assert_true(span_equal(store_team_id(t.core.store, out.ones[0].team), SPAN("south.test")));
    const struct outcome_verdict *v = &outcomes.verdicts[out.ones[0].verdict];
    assert_int_equal(v->verdict.effect, EFFECT_RELEASE);
    assert_int_equal(verdict_treatment(&v->verdict, FIELD_CLASS_ACCOUNT), TREATMENT_REMOVE);
    assert_int_equal(v->clause_count, 1);
    assert_true(span_equal(v->clauses[0].clause, SPAN("south")));
    outcome_get(&outcomes, 5, &out);
    assert_int_equal(out.count, 2);
    assert_true(span_equal(store_team_id(t.core.store, out.ones[1].team), SPAN("community")));
    buf_free(&m.records);
    arena_free(arena);
    core_test_end(&t);
}

static void
sent_again_it_is_there_already(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 22)};

    (void)state;
    core_test_start(&t);
    for (unsigned i = 0; i < 1000; i++)
        core_reports_add(&m, "192.0.2.200", i, "green");
    assert_int_equal(core_reports_take(&t, &m).stored, 1000);
    assert_int_equal(core_reports_take(&t, &m).duplicate, 1000);
    core_test_restart(&t);
    struct totals totals = core_reports_take(&t, &m);
    assert_int_equal(totals.duplicate, 1000);
    assert_int_equal(totals.stored, 0);
    buf_free(&m.records);
    core_test_end(&t);
}

/* A report that brings ID, with what it says beside that; RAW may be NULL. */
static void
make_known(struct report *report, struct field fields[8], const char *id, const char *account,
    const char *raw)
{
    const struct field given = {.id = FIELD_OTHER,
        .type = VALUE_TEXT,
        .name = SPAN(REPORT_ID_NAME),
        .s = id,
        .n = (uint32_t)strlen(id)};
    struct err err;

    report_reset(report, fields, 8);
    assert_int_equal(report_add_text(report, FIELD_SOURCE_IP, SPAN("192.0.2.200"), &err), 0);
    assert_int_equal(report_add_text(report, FIELD_SOURCE_ACCOUNT, span_of(account), &err), 0);
    assert_int_equal(report_add(report, &given, &err), 0);
    if (raw != NULL) {
        assert_int_equal(report_add_text(report, FIELD_RAW, span_of(raw), &err), 0);
        assert_int_equal(
            report_add_text(report, FIELD_TIME_OBSERVATION, SPAN("2026-01-02T03:04:05Z"), &err), 0);
    }
    assert_int_equal(report_finish(report, &err), 0);
}

static struct totals
take_known(struct core_test *t, const char *id, const char *account, const char *raw)
{
    struct maker m = {.records = buf_new(1 << 20), .count = 1};
    struct field fields[8];
    struct report report;

    make_known(&report, fields, id, account, raw);
    record_add(&m.records, &report);
    struct totals totals = core_reports_take(t, &m);
    buf_free(&m.records);
    return totals;
}

static void
known_by_its_id_it_is_there_already(void **state)
{
    static const char id[] = "1b4e28ba-2fa1-8d52-883f-0016d3cca427";
    struct core_test t;

    (void)state;
    core_test_start(&t);
    assert_int_equal(take_known(&t, id, "a", NULL).stored, 1);
    assert_int_equal(take_known(&t, id, "a", NULL).duplicate, 1);
    assert_int_equal(take_known(&t, id, "a", "line 7").duplicate, 1);
    assert_int_equal(take_known(&t, id, "b", NULL).duplicate, 1);
    /* As STIX writes it, and in capitals. */
    assert_int_equal(
        take_known(&t, "1b4e28ba-2fa1-4d52-883f-0016d3cca427", "a", NULL).duplicate, 1);
    assert_int_equal(
        take_known(&t, "1B4E28BA-2FA1-8D52-883F-0016D3CCA427", "a", NULL).duplicate, 1);
    core_test_restart(&t);
    assert_int_equal(take_known(&t, id, "a", "line 8").duplicate, 1);
    assert_int_equal(take_known(&t, "1b4e28ba-2fa1-8d52-883f-0016d3cca428", "a", NULL).stored, 1);
    core_test_end(&t);
}

/* What is no id counts as what it says; and what two senders say alike are two reports. */
static void
only_an_id_of_the_same_sender_counts(void **state)
{
    static const char id[] = "1b4e28ba-2fa1-8d52-883f-0016d3cca427";
    static const char *const none[] = {
        "", "7", "1b4e28ba-2fa1-5d52-883f-0016d3cca427", "1b4e28ba-2fa1-8d52-083f-0016d3cca427"};
    struct field fields[2][8];
    struct report a;
    struct report b;

    (void)state;
    make_known(&a, fields[0], id, "a", NULL);
    make_known(&b, fields[1], id, "b", "line 7");
    assert_true(window_digest(&a, 0) == window_digest(&b, 0));
    assert_true(window_digest(&a, 5) == window_digest(&b, 5));
    assert_true(window_digest(&a, 0) != window_digest(&a, 5));
    assert_true(window_digest(&a, 6) != window_digest(&a, 5));
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        make_known(&a, fields[0], none[i], "a", NULL);
        make_known(&b, fields[1], none[i], "b", NULL);
        assert_true(window_digest(&a, 0) != window_digest(&b, 0));
        assert_true(window_digest(&a, 0) == report_digest(&a));
    }
}

/* Many messages, more than a batch, and nothing is answered before it is there for good. */
static void
what_was_answered_outlives_the_process(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 22)};
    struct totals totals;
    struct arena *arena = arena_new((size_t)64 << 20);
    struct store_batch batch;
    struct err err;

    (void)state;
    core_test_start(&t);
    uint64_t tag = core_reports_open_stream(&t, DOOR_LOCAL, 0);
    for (unsigned k = 0; k < 10; k++) {
        m.records.n = m.count = 0;
        for (unsigned i = 0; i < 1000; i++)
            core_reports_add(&m, "192.0.2.200", k * 1000 + i, "green");
        core_reports_send_records(&t, DOOR_LOCAL, tag, &m, k);
    }
    assert_int_equal(core_reports_close_stream(&t, DOOR_LOCAL, tag, 5, &totals), 0);
    must_balance(&totals);
    assert_int_equal(totals.stored, 10000);
    assert_int_equal(totals.rejected, 50);
    core_test_restart(&t);
    uint32_t stored = 0;
    for (uint64_t n = 1; store_batch_get(t.core.store, arena, n, &batch, &err) == 0; n++) {
        stored += batch.count;
        arena_reset(arena);
    }
    assert_int_equal(stored, 10000);
    assert_int_equal(intake_due(t.core.intake), 10000);
    buf_free(&m.records);
    arena_free(arena);
    core_test_end(&t);
}

static uint64_t
counted(struct core_test *t, enum stat stat)
{
    struct arena *arena = arena_new((size_t)16 << 20);
    struct store_count *rows;
    uint64_t sum = 0;
    size_t count;
    struct err err;

    assert_int_equal(store_count_list(t->core.store, arena, 0, UINT32_MAX, &rows, &count, &err), 0);
    for (size_t i = 0; i < count; i++)
        sum += rows[i].name == (uint16_t)stat ? rows[i].value : 0;
    arena_free(arena);
    return sum;
}

static void
counts_balance(void **state)
{
    static const char *const ips[] = {
        "192.0.2.200", "192.0.2.3", "198.51.100.9", "203.0.113.5", "192.0.2.130"};
    static const char *const tlps[] = {"clear", "green", "amber", "red", "nonsense"};
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 22)};
    struct totals totals;

    (void)state;
    core_test_start(&t);
    for (unsigned i = 0; i < 900; i++)
        core_reports_add(&m, ips[i % 5], i % 500, tlps[i % 500 / 7 % 5]);
    uint64_t tag = core_reports_open_stream(&t, DOOR_LOCAL, 0);
    core_reports_send_records(&t, DOOR_LOCAL, tag, &m, 3);
    assert_int_equal(core_reports_close_stream(&t, DOOR_LOCAL, tag, 0, &totals), 0);
    must_balance(&totals);
    assert_true(totals.duplicate > 0 && totals.held > 0 && totals.unattributed > 0);
    assert_int_equal(counted(&t, STAT_RECEIVED), totals.received);
    assert_int_equal(counted(&t, STAT_STORED), totals.stored);
    assert_int_equal(counted(&t, STAT_REJECTED), totals.rejected);
    assert_int_equal(counted(&t, STAT_DUPLICATE), totals.duplicate);
    assert_int_equal(counted(&t, STAT_OUTCOMES), totals.outcomes);
    assert_int_equal(counted(&t, STAT_RELEASED), totals.released);
    assert_int_equal(counted(&t, STAT_HELD), totals.held);
    assert_int_equal(counted(&t, STAT_WITHHELD), totals.withheld);
    assert_int_equal(counted(&t, STAT_UNATTRIBUTED), totals.unattributed);
    uint64_t waiting;
    struct err err;
    assert_int_equal(store_held_count(t.core.store, &waiting, &err), 0);
    assert_int_equal(waiting, totals.held);
    buf_free(&m.records);
    core_test_end(&t);
}

/* A front that was broken into: what it sends is looked at again, and only its stream suffers. */
static void
a_broken_front_is_found_out(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct totals totals;

    (void)state;
    core_test_start(&t);
    core_reports_add(&m, "192.0.2.200", 1, "green");
    core_reports_add(&m, "192.0.2.200", 2, "green");
    char *login = memmem(m.records.p, m.records.n, "login1", 6);
    assert_non_null(login);
    login[2] = (char)0xff;
    totals = core_reports_take(&t, &m);
    assert_int_equal(totals.rejected, 1);
    assert_int_equal(totals.stored, 1);

    uint64_t tag = core_reports_open_stream(&t, DOOR_LOCAL, 0);
    m.count = 7; /* more than there are */
    core_reports_send_records(&t, DOOR_LOCAL, tag, &m, 0);
    assert_true(core_test_wait(&t, 60000));
    assert_int_equal(t.type, MESSAGE_REFUSAL);
    assert_int_equal(t.refusal.code, ERR_INTERNAL);
    m.count = 2;
    totals =
        core_reports_take(&t, &m); /* what had been taken before the fault was found is not lost */
    assert_int_equal(totals.stored + totals.duplicate, 1);
    buf_free(&m.records);
    core_test_end(&t);
}

/* Nobody may begin, and who has begun gets no further credit, until enough was written out. */
static void
a_full_outbox_holds_back(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct totals totals;
    struct err err;
    bool more = true;

    (void)state;
    core_test_start(&t);
    release_pause(t.core.release, true);
    t.core.options.outbox_max = 10;
    t.core.options.batch_reports = 20;
    for (unsigned i = 0; i < 50; i++)
        core_reports_add(&m, "192.0.2.200", i, "green");
    uint64_t tag = core_reports_open_stream(&t, DOOR_LOCAL, 0);
    assert_int_equal(t.credit, INTAKE_CREDIT);
    core_reports_send_records(&t, DOOR_LOCAL, tag, &m, 0);
    t.credit = 0;
    (void)core_reports_open_stream(&t, DOOR_LOCAL, 0);
    assert_int_equal(t.refusal.code, ERR_BUSY);
    assert_int_equal(t.credit, 0);
    assert_int_equal(intake_streams(t.core.intake), 1);
    while (more)
        assert_int_equal(release_batch(&t.core, &more, &err), 0);
    t.wants_any = true;
    assert_true(core_test_wait(&t, 60000));
    t.wants_any = false;
    assert_int_equal(t.credit, 1);
    assert_int_equal(core_reports_close_stream(&t, DOOR_LOCAL, tag, 0, &totals), 0);
    assert_int_equal(totals.stored, 50);
    buf_free(&m.records);
    core_test_end(&t);
}

/* The register cannot be read: nothing is taken in, the node says that it is not ready, and who
 * sees the machine's insides is told why. When it can be read again, all of that is over. */
static void
not_ready_while_the_register_cannot_be_read(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    char path[256];

    (void)state;
    core_test_start(&t);
    t.options.agreements = NULL; /* the register is judged by */
    core_test_restart(&t);
    core_reports_add(&m, "192.0.2.200", 1, "green");
    assert_int_equal(
        core_test_ask(&t, DOOR_OPERATORS, MESSAGE_STATUS, &core_reports_nobody, SPAN("")), 0);
    (void)snprintf(path, sizeof path, "%s/journal.jsonl", t.home);
    core_test_write(path, "no journal\n");
    (void)core_reports_open_stream(&t, DOOR_LOCAL, 0);
    assert_int_equal(t.refusal.code, ERR_BUSY);
    assert_non_null(strstr(t.refusal.msg, "journal"));
    assert_int_equal(
        core_test_ask(&t, DOOR_OPERATORS, MESSAGE_STATUS, &core_reports_nobody, SPAN("")),
        ERR_BUSY);
    assert_null(strstr(t.refusal.msg, "journal"));
    assert_int_equal(
        core_test_ask(&t, DOOR_OPERATORS, MESSAGE_STATUS, &core_reports_nobody, SPAN("\1")), 0);
    assert_non_null(memmem(t.body.p, t.body.n, "\"ok\":false", 10));
    assert_null(memmem(t.body.p, t.body.n, "journal", 7));
    assert_int_equal(
        core_test_ask(&t, DOOR_LOCAL, MESSAGE_STATUS, &core_reports_nobody, SPAN("\1")), 0);
    assert_non_null(memmem(t.body.p, t.body.n, "\"ok\":false", 10));
    assert_non_null(memmem(t.body.p, t.body.n, "\"why\":\"the agreements cannot", 28));
    assert_non_null(memmem(t.body.p, t.body.n, "journal", 7));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(core_reports_take(&t, &m).stored, 1);
    assert_int_equal(
        core_test_ask(&t, DOOR_LOCAL, MESSAGE_STATUS, &core_reports_nobody, SPAN("\1")), 0);
    assert_non_null(memmem(t.body.p, t.body.n, "\"ok\":true,", 10));
    assert_non_null(memmem(t.body.p, t.body.n, "\"why\":null", 10));
    buf_free(&m.records);
    core_test_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_report_has_its_outcome),
        cmocka_unit_test(sent_again_it_is_there_already),
        cmocka_unit_test(known_by_its_id_it_is_there_already),
        cmocka_unit_test(only_an_id_of_the_same_sender_counts),
        cmocka_unit_test(what_was_answered_outlives_the_process),
        cmocka_unit_test(counts_balance),
        cmocka_unit_test(a_broken_front_is_found_out),
        cmocka_unit_test(a_full_outbox_holds_back),
        cmocka_unit_test(not_ready_while_the_register_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
