/* What the node's ledger records goes with what it records: both are kept, or neither. */
#include "core/logbook.h"

#include "core/delivery.h"
#include "core/release.h"
#include "core_ask.h"
#include "core_reports.h"
#include "flow/ledger_audit.h"

static void
found(void *ctx, const struct ledger_finding *finding)
{
    (void)ctx;
    print_error("%s\n", finding->text);
}

/* The log as the store has it: sound, and what is in it. */
static struct ledger_audit_answer
audit(struct core_test *t)
{
    static struct ledger_audit_answer answer;
    struct resources resources = resources_store_view(t->core.store);
    const struct ledger_audit_question question = {.resources = &resources, .found = found};
    struct err err;

    assert_int_equal(ledger_audit_run(&question, &answer, &err), 0);
    buf_free(&answer.bytes);
    assert_true(answer.whole);
    for (int i = 0; i < LEDGER_FINDING_TYPES; i++)
        assert_int_equal(answer.findings[i], 0);
    return answer;
}

static void
take(struct core_test *t, unsigned from, unsigned count)
{
    struct maker m = {.records = buf_new(1 << 22)};

    release_pause(t->core.release, true);
    for (unsigned i = from; i < from + count; i++)
        core_reports_add(&m, "192.0.2.200", i, "green");
    core_reports_add(&m, "198.51.100.7", from + count, "amber");  /* east: held */
    core_reports_add(&m, "192.0.2.1", from + count + 1, "green"); /* our own */
    (void)core_reports_take(t, &m);
    buf_free(&m.records);
}

static void
a_lost_transaction_leaves_no_entry(void **state)
{
    struct core_test t;
    struct err err = {.code = ERR_IO, .msg = "the device is full"};
    bool more;

    (void)state;
    core_test_start(&t);
    take(&t, 0, 10);
    assert_int_equal(audit(&t).entries, 0);
    assert_int_equal(release_batch(&t.core, &more, &err), 0);
    core_lose(&t.core, &err);
    assert_int_equal(audit(&t).entries, 0);
    assert_int_equal(release_batch(&t.core, &more, &err), 0);
    assert_int_equal(core_commit(&t.core, &err), 0);
    assert_int_equal(audit(&t).kinds[LEDGER_KIND_DELIVERY], 1); /* ours is no delivery */
    take(&t, 100, 3);
    assert_int_equal(release_batch(&t.core, &more, &err), 0);
    core_test_restart(&t); /* the end of the process before the commit */
    assert_int_equal(audit(&t).entries, 1);
    release_pause(t.core.release, true);
    assert_int_equal(release_batch(&t.core, &more, &err), 0);
    assert_int_equal(core_commit(&t.core, &err), 0);
    assert_int_equal(audit(&t).entries, 2);
    core_test_end(&t);
}

static void
decisions_are_recorded(void **state)
{
    static const struct caller nobody = {.scheme = CALLER_NOBODY};
    struct core_test t;
    struct buf body = buf_new(1024);

    (void)state;
    core_test_start(&t);
    take(&t, 0, 1);
    take(&t, 100, 1);
    for (uint8_t release = 0; release < 2; release++) {
        body.n = 0;
        wire_add_u8(&body, release);
        wire_add_u32(&body, 1);
        wire_add_u64(&body, release + 1u);
        wire_add_text(&body, SPAN("asked by phone"));
        assert_int_equal(
            core_test_ask(&t, DOOR_LOCAL, MESSAGE_HELD_DECIDE, &nobody, buf_span(&body)), 0);
        assert_int_equal(audit(&t).kinds[LEDGER_KIND_DECISION], release + 1);
    }
    buf_free(&body);
    core_test_end(&t);
}

/* Only what is durable is shown, and to everybody. */
static void
what_is_shown(void **state)
{
    static const struct caller nobody = {.scheme = CALLER_NOBODY};
    static const struct {
        const char *path;
        int code;
    } cases[] = {{"checkpoint", 0}, {"tile/0/000.p/1", 0}, {"tile/entries/000.p/1", 0},
        {"tile/0/000.p/2", ERR_NOT_FOUND}, {"tile/0/000", ERR_NOT_FOUND},
        {"tile/0/001.p/1", ERR_NOT_FOUND}, {"../node.key", ERR_NOT_FOUND}, {"", ERR_NOT_FOUND}};
    struct core_test t;
    struct buf body = buf_new(1024);
    struct err err;
    bool more;

    (void)state;
    core_test_start(&t);
    take(&t, 0, 5);
    assert_int_equal(release_batch(&t.core, &more, &err), 0);
    assert_int_equal(core_commit(&t.core, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        body.n = 0;
        wire_add_text(&body, span_of(cases[i].path));
        assert_int_equal(
            core_test_ask(&t, DOOR_PARTNERS, MESSAGE_LOG, &nobody, buf_span(&body)), cases[i].code);
    }
    buf_free(&body);
    core_test_end(&t);
}

/* Whatever the clauses are called, an entry can be written, and none is left out. */
static void
many_clauses_are_several_entries(void **state)
{
    struct core_test t;
    struct outcome_verdict verdict = {.clause_count = 2};
    char names[2][400];
    unsigned entries = 0;
    struct err err;

    (void)state;
    core_test_start(&t);
    struct delivery *delivery = delivery_new();
    assert_non_null(delivery);
    delivery_begin(delivery, 1, 1);
    static char kept[300][2][400];
    for (unsigned i = 0; i < 300; i++) {
        for (int k = 0; k < 2; k++) {
            memset(names[k], i % 2 == 0 ? '\x01' : 'x', sizeof names[k]);
            (void)snprintf(names[k], 16, "%u-%d", i, k);
            names[k][strlen(names[k])] = '-';
            memcpy(kept[i][k], names[k], sizeof names[k]);
            verdict.clauses[k] = (struct outcome_clause){{kept[i][k], 10 + i}, {kept[i][k], i}};
        }
        if (!delivery_fits(delivery, &verdict)) {
            assert_int_equal(delivery_record(&t.core, delivery, LEDGER_KIND_DELIVERY,
                                 LEDGER_DECISION_REFUSED, NULL, &err),
                0);
            entries++;
            delivery_begin(delivery, 1, 1);
        }
        assert_true(delivery_fits(delivery, &verdict));
        delivery_count(delivery, &verdict, EFFECT_RELEASE, 1u << TREATMENT_REMOVE);
    }
    assert_int_equal(delivery_record(&t.core, delivery, LEDGER_KIND_DELIVERY,
                         LEDGER_DECISION_REFUSED, NULL, &err),
        0);
    assert_int_equal(core_commit(&t.core, &err), 0);
    assert_true(entries > 2);
    assert_int_equal(audit(&t).kinds[LEDGER_KIND_DELIVERY], entries + 1);
    delivery_free(delivery);
    core_test_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_transaction_leaves_no_entry),
        cmocka_unit_test(decisions_are_recorded),
        cmocka_unit_test(what_is_shown),
        cmocka_unit_test(many_clauses_are_several_entries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
