/* What core tells the courier of other teams' nodes, and what it believes of it. */
#include "core/auth.h"
#include "core/collections.h"
#include "core/links_private.h"
#include "core/release.h"
#include "core_ask.h"
#include "core_reports.h"

static const struct caller nobody = {.scheme = CALLER_NOBODY};
#define PIN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- what the courier does ---- */

static uint32_t
number_of(struct core_test *t, const char *team)
{
    uint32_t number;
    struct err err;

    assert_int_equal(store_team(t->core.store, span_of(team), &number, &err), 0);
    return number;
}

/* As an operator adds one; its account is `principal`. */
static uint32_t
add_link(struct core_test *t, const char *team, uint8_t flags)
{
    struct store_principal account = {.name = span_of(team),
        .kind = PRINCIPAL_PARTNER,
        .team = span_of(team),
        .certificate = SPAN(PIN)};
    struct store_link link = {.team = number_of(t, team),
        .flags = flags,
        .url = SPAN("https://192.0.2.1:8444"),
        .pin = SPAN(PIN),
        .polled_us = {INT64_MIN, INT64_MIN},
        .added_us = 1,
        .added_by = SPAN("operator")};
    struct err err;

    assert_int_equal(core_begin(&t->core, &err), 0);
    assert_int_equal(people_put(auth_people(t->core.auth), &account, &err), 0);
    link.principal = account.number;
    assert_int_equal(store_link_put(t->core.store, &link, &err), 0);
    assert_int_equal(links_again(&t->core, &err), 0);
    t->core.links->changed = t->core.links->look = true;
    assert_int_equal(core_commit(&t->core, &err), 0);
    return link.team;
}

static int
ask_number(struct core_test *t, uint16_t type, uint32_t team)
{
    struct buf body = buf_new(64);

    wire_add_u32(&body, team);
    int rc = core_test_ask(t, DOOR_COURIER, type, &nobody, buf_span(&body));
    buf_free(&body);
    return rc;
}

static int
take(struct core_test *t, uint32_t team, struct link_parcel *parcel)
{
    struct err err;
    int rc = ask_number(t, MESSAGE_LINK_TAKE, team);

    if (rc == 0)
        assert_int_equal(link_parcel_take(buf_span(&t->body), parcel, &err), 0);
    return rc;
}

static int
sent(struct core_test *t, uint32_t team, int64_t through_us)
{
    struct buf body = buf_new(64);

    wire_add_u32(&body, team);
    wire_add_i64(&body, through_us);
    int rc = core_test_ask(t, DOOR_COURIER, MESSAGE_LINK_SENT, &nobody, buf_span(&body));
    buf_free(&body);
    return rc;
}

static int
polled(struct core_test *t, uint32_t team, uint8_t what, int64_t through_us)
{
    struct buf body = buf_new(64);

    wire_add_u32(&body, team);
    wire_add_u8(&body, what);
    wire_add_i64(&body, through_us);
    int rc = core_test_ask(t, DOOR_COURIER, MESSAGE_LINK_POLLED, &nobody, buf_span(&body));
    buf_free(&body);
    return rc;
}

static int
failed(struct core_test *t, const struct link_failure *failure)
{
    struct buf body = buf_new(4096);

    link_failure_add(&body, failure);
    int rc = core_test_ask(t, DOOR_COURIER, MESSAGE_LINK_FAILED, &nobody, buf_span(&body));
    buf_free(&body);
    return rc;
}

static size_t
links(struct core_test *t, struct arena *arena, struct link **list)
{
    size_t count;
    struct err err;

    assert_int_equal(core_test_ask(t, DOOR_COURIER, MESSAGE_LINKS, &nobody, SPAN("")), 0);
    assert_int_equal(links_take(arena, buf_span(&t->body), list, &count, &err), 0);
    return count;
}

static void
start(struct core_test *t)
{
    core_test_start(t);
    t->core.options.link_give_up_us = INT64_C(3600000000);
    core_test_connect(t, DOOR_COURIER);
}

static void
write_out(struct core_test *t)
{
    struct err err;
    bool more = true;

    while (more)
        assert_int_equal(release_batch(&t->core, &more, &err), 0);
    assert_int_equal(core_commit(&t->core, &err), 0);
}

/* All in one stream, and so in one batch. */
static void
reports_for_south(struct core_test *t, unsigned first, unsigned count)
{
    struct maker m = {.records = buf_new(4 << 20)};
    struct totals totals;
    uint64_t tag = core_reports_open_stream(t, DOOR_LOCAL, 0);

    assert_true(count <= INTAKE_CREDIT * 1000);
    for (unsigned i = 0; i < count; i++) {
        core_reports_add(&m, "192.0.2.200", first + i, "amber");
        if (m.count < 1000 && i + 1 < count)
            continue;
        core_reports_send_records(t, DOOR_LOCAL, tag, &m, 0);
        m.records.n = 0;
        m.count = 0;
    }
    assert_int_equal(core_reports_close_stream(t, DOOR_LOCAL, tag, 0, &totals), 0);
    assert_int_equal(totals.stored, count);
    write_out(t);
    buf_free(&m.records);
}

static size_t
times(struct span text, const char *what)
{
    size_t n = 0;

    for (const char *at = text.p;
         (at = memmem(at, (size_t)(text.p + text.n - at), what, strlen(what))) != NULL; at++)
        n++;
    return n;
}

/* Until nothing is left, as the courier does. */
static void
send_all(struct core_test *t, uint32_t team)
{
    struct link_parcel parcel;

    do {
        assert_int_equal(take(t, team, &parcel), 0);
        if (parcel.objects > 0)
            assert_int_equal(sent(t, team, parcel.through_us), 0);
    } while (parcel.objects > 0);
}

#define REPORTS "\"id\":\"observed-data--"
#define BATCHES "\"type\":\"comity-batch\""

/* Is the last object of an envelope a comity-batch? */
static bool
is_whole(struct span envelope)
{
    const char *last = NULL;

    for (const char *at = envelope.p;
         (at = memmem(at, (size_t)(envelope.p + envelope.n - at), "{\"type\":", 8)) != NULL; at++)
        last = at + 1;
    return last != NULL
        && span_starts(
            (struct span){last, (size_t)(envelope.p + envelope.n - last)}, SPAN(BATCHES));
}

/* One with a text of N bytes that are escaped; all of a core_test's go into one batch. */
static void
report_of(struct core_test *t, unsigned number, size_t n)
{
    struct maker m = {.records = buf_new(4 << 20)};
    struct field fields[8];
    struct report report;
    struct err err;
    char *text = malloc(n);

    assert_non_null(text);
    memset(text, '"', n);
    report_reset(&report, fields, 8);
    report.line = number;
    assert_int_equal(report_add_text(&report, FIELD_CLASSIFICATION_TYPE, SPAN("scanner"), &err), 0);
    assert_int_equal(report_add_text(&report, FIELD_SOURCE_IP, SPAN("192.0.2.200"), &err), 0);
    assert_int_equal(report_add_text(&report, FIELD_EVENT_TEXT, (struct span){text, n}, &err), 0);
    assert_int_equal(report_finish(&report, &err), 0);
    record_add(&m.records, &report);
    m.count = 1;
    (void)core_reports_take(t, &m);
    buf_free(&m.records);
    free(text);
}

/* ---- tests ---- */

static void
a_link_is_believed_at_the_couriers_door_alone(void **state)
{
    const struct caller south = {.scheme = CALLER_LINK, .user = SPAN("south.test")};
    const struct caller east = {.scheme = CALLER_LINK, .user = SPAN("east.test")};
    const struct caller none = {.scheme = CALLER_LINK};
    const struct caller shown = {.scheme = CALLER_CERTIFICATE, .secret = SPAN(PIN)};
    const struct buf body = {.p = (char[4]){0}, .n = 4};
    struct core_test t;

    (void)state;
    start(&t);
    (void)add_link(&t, "south.test", LINK_PUSH);
    const uint16_t type = MESSAGE_COLLECTIONS;
    assert_int_equal(core_test_ask(&t, DOOR_COURIER, type, &south, buf_span(&body)), 0);
    static const enum door others[] = {DOOR_LOCAL, DOOR_OPERATORS, DOOR_PARTNERS};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(
            core_test_ask(&t, others[i], type, &south, buf_span(&body)), ERR_NOT_ALLOWED);
    assert_int_equal(
        core_test_ask(&t, DOOR_COURIER, type, &east, buf_span(&body)), ERR_NOT_SIGNED_IN);
    assert_int_equal(
        core_test_ask(&t, DOOR_COURIER, type, &none, buf_span(&body)), ERR_NOT_SIGNED_IN);
    assert_int_equal(
        core_test_ask(&t, DOOR_COURIER, type, &nobody, buf_span(&body)), ERR_NOT_SIGNED_IN);
    assert_int_equal(
        core_test_ask(&t, DOOR_COURIER, type, &shown, buf_span(&body)), ERR_NOT_ALLOWED);
    core_test_end(&t);
}

/* The operator's own questions are none of the courier's, whoever it says it is. */
static void
the_courier_asks_what_is_its_own(void **state)
{
    static const uint16_t types[] = {MESSAGE_PRINCIPALS, MESSAGE_REPORTS, MESSAGE_WHO,
        MESSAGE_OBJECTS, MESSAGE_SIGN_IN, MESSAGE_HELD_DECIDE};
    const struct caller south = {.scheme = CALLER_LINK, .user = SPAN("south.test")};
    struct core_test t;

    (void)state;
    start(&t);
    (void)add_link(&t, "south.test", LINK_PUSH);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(
            core_test_ask(&t, DOOR_COURIER, types[i], &south, SPAN("")), ERR_NOT_ALLOWED);
    assert_int_equal(
        core_test_ask(&t, DOOR_LOCAL, MESSAGE_LINKS, &nobody, SPAN("")), ERR_NOT_ALLOWED);
    assert_int_equal(
        core_test_ask(&t, DOOR_PARTNERS, MESSAGE_LINK_TAKE, &nobody, SPAN("")), ERR_NOT_ALLOWED);
    core_test_end(&t);
}

static void
what_waits_is_sent_once(void **state)
{
    struct core_test t;
    struct link_parcel parcel;

    (void)state;
    start(&t);
    uint32_t south = add_link(&t, "south.test", LINK_PUSH);
    send_all(&t, south);
    uint32_t waits = t.waits;
    reports_for_south(&t, 1, 3);
    assert_int_equal(take(&t, south, &parcel), 0);
    assert_int_equal(t.waits, waits + 1);
    assert_int_equal(t.waits_team, south);
    assert_int_equal(times(parcel.envelope, REPORTS), 3);
    assert_int_equal(times(parcel.envelope, BATCHES), 1);
    int64_t through_us = parcel.through_us;
    reports_for_south(&t, 4, 2); /* the same comes again until it is said that it has come */
    assert_int_equal(take(&t, south, &parcel), 0);
    assert_int_equal(times(parcel.envelope, REPORTS), 5);
    assert_int_equal(t.waits, waits + 1); /* it knows already */
    assert_int_equal(sent(&t, south, through_us), 0);
    assert_int_equal(take(&t, south, &parcel), 0);
    assert_int_equal(times(parcel.envelope, REPORTS), 2);
    assert_int_equal(sent(&t, south, parcel.through_us), 0);
    assert_int_equal(take(&t, south, &parcel), 0);
    assert_int_equal(parcel.objects, 0);
    assert_int_equal(parcel.envelope.n, 0);
    core_test_end(&t);
}

/* A batch of more than fits into one envelope is several deliveries, and each goes whole. */
static void
large_batches_are_several_deliveries(void **state)
{
    struct core_test t;
    struct link_parcel parcel;
    size_t reports = 0;
    size_t deliveries = 0;
    size_t envelopes = 0;

    (void)state;
    start(&t);
    uint32_t south = add_link(&t, "south.test", LINK_PUSH);
    send_all(&t, south);
    reports_for_south(&t, 1, 4000); /* about 1 KiB each */
    reports_for_south(&t, 4001, 4000);
    for (;; envelopes++) {
        assert_int_equal(take(&t, south, &parcel), 0);
        if (parcel.objects == 0)
            break;
        assert_true(parcel.envelope.n <= LINK_ENVELOPE_MAX);
        deliveries += times(parcel.envelope, BATCHES);
        reports += times(parcel.envelope, REPORTS);
        /* Behind the last report stands what it is checked by. */
        assert_true(is_whole(parcel.envelope));
        assert_int_equal(sent(&t, south, parcel.through_us), 0);
    }
    assert_int_equal(reports, 8000);
    assert_true(envelopes >= 2 && deliveries >= 4);
    core_test_end(&t);
}

/* Many that may be large are many deliveries; one that never fits keeps nothing else back. */
static void
large_reports_are_alone(void **state)
{
    struct core_test t;
    struct link_parcel parcel;
    struct store_queue *queues;
    size_t count;
    struct err err;

    (void)state;
    start(&t);
    uint32_t south = add_link(&t, "south.test", LINK_PUSH);
    send_all(&t, south);
    report_of(&t, 1, 200 * 1024);
    report_of(&t, 2, 3 * 1024 * 1024); /* its quotes are escaped: twice as much */
    report_of(&t, 3, 10);
    write_out(&t);
    size_t reports = 0;
    for (;;) {
        assert_int_equal(take(&t, south, &parcel), 0);
        if (parcel.objects == 0)
            break;
        reports += times(parcel.envelope, REPORTS);
        assert_int_equal(sent(&t, south, parcel.through_us), 0);
    }
    assert_int_equal(reports, 2);
    assert_int_equal(store_queues(t.core.store, t.core.arena, &queues, &count, &err), 0);
    for (size_t i = 0; i < count; i++)
        if (queues[i].team == south)
            assert_true(
                queues[i].failed == 1 && queues[i].delivered == 2 && queues[i].waiting == 0);
    core_test_end(&t);
}

/* Only what is a link, and is to be pushed. */
static void
nothing_goes_where_there_is_no_link(void **state)
{
    struct core_test t;
    struct link_parcel parcel;

    (void)state;
    start(&t);
    uint32_t south = number_of(&t, "south.test");
    reports_for_south(&t, 1, 1);
    assert_int_equal(take(&t, south, &parcel), ERR_NOT_FOUND);
    assert_int_equal(sent(&t, south, INT64_MAX), ERR_NOT_FOUND);
    assert_int_equal(polled(&t, south, LINK_RELEASED, 1), ERR_NOT_FOUND);
    uint32_t east = add_link(&t, "east.test", LINK_POLL);
    assert_int_equal(take(&t, east, &parcel), ERR_NOT_FOUND);
    assert_int_equal(take(&t, 999, &parcel), ERR_NOT_FOUND);
    assert_int_equal(ask_number(&t, MESSAGE_LINKS, 1), ERR_INTERNAL);
    core_test_end(&t);
}

static int
got(struct core_test *t, const struct caller *caller, int64_t from_us, int64_t through_us)
{
    const struct link_dates dates = {from_us, through_us};
    struct buf body = buf_new(64);

    link_dates_add(&body, &dates);
    int rc = core_test_ask(t, DOOR_PARTNERS, MESSAGE_LINK_GOT, caller, buf_span(&body));
    buf_free(&body);
    return rc;
}

/* What was pushed is not polled again; but where something is missing before it, it is. */
static void
what_was_pushed_is_not_polled(void **state)
{
    const struct caller node = {.scheme = CALLER_CERTIFICATE, .secret = SPAN(PIN)};
    struct core_test t;
    struct err err;

    (void)state;
    start(&t);
    uint32_t south = add_link(&t, "south.test", LINK_POLL | LINK_PUSH);
    const int64_t *at = links_find(t.core.links, south)->polled_us;
    assert_int_equal(got(&t, &node, 5, 1000), 0); /* something before it never came */
    assert_true(at[LINK_RELEASED] == INT64_MIN && t.at_us == 0);
    assert_int_equal(got(&t, &node, 0, 1000), 0);
    assert_true(at[LINK_RELEASED] == 1000);
    assert_int_equal(got(&t, &node, 1001, 2000), 0);
    assert_int_equal(got(&t, &node, 0, 900), 0);
    assert_int_equal(got(&t, &node, 0, clock_now_us() + INT64_C(3600000000)), 0);
    assert_int_equal(got(&t, &node, 0, INT64_MAX), 0);
    assert_true(at[LINK_RELEASED] == 1000);
    assert_int_equal(got(&t, &node, 1000, 2000), 0);
    assert_true(at[LINK_RELEASED] == 2000 && at[LINK_DIRECTORY] == INT64_MIN);
    assert_int_equal(got(&t, &nobody, 2000, 3000), ERR_NOT_SIGNED_IN);
    /* Another program of that team's says nothing about its node. */
    struct store_principal other = {.name = SPAN("other"),
        .kind = PRINCIPAL_PARTNER,
        .team = SPAN("south.test"),
        .certificate = SPAN("00")};
    const struct caller program = {.scheme = CALLER_CERTIFICATE, .secret = SPAN("00")};
    assert_int_equal(core_begin(&t.core, &err), 0);
    assert_int_equal(people_put(auth_people(t.core.auth), &other, &err), 0);
    assert_int_equal(got(&t, &program, 0, 3000), 0);
    assert_true(links_find(t.core.links, south)->polled_us[LINK_RELEASED] == 2000);
    assert_int_equal(polled(&t, south, LINK_RELEASED, 1500), 0);
    assert_true(links_find(t.core.links, south)->polled_us[LINK_RELEASED] == 2000);
    assert_true(t.at_us == 2000); /* the courier was told */
    core_test_end(&t);
}

static void
how_far_it_was_polled_is_kept(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    struct core_test t;
    struct link *list;

    (void)state;
    start(&t);
    uint32_t south = add_link(&t, "south.test", LINK_POLL | LINK_PUSH);
    assert_int_equal(links(&t, arena, &list), 1);
    assert_true(list[0].polled_us[LINK_RELEASED] == INT64_MIN);
    assert_true(span_equal(list[0].id, SPAN("south.test")));
    assert_true(span_equal(list[0].pin, SPAN(PIN)));
    assert_int_equal(list[0].flags, LINK_POLL | LINK_PUSH);
    assert_int_equal(polled(&t, south, LINK_RELEASED, 1000), 0);
    assert_int_equal(polled(&t, south, LINK_RELEASED, 900), 0); /* never backwards */
    assert_int_equal(polled(&t, south, LINK_DIRECTORY, 7), 0);
    assert_int_equal(polled(&t, south, LINK_WHAT_COUNT, 7), ERR_INTERNAL);
    core_test_restart(&t);
    core_test_connect(&t, DOOR_COURIER);
    assert_int_equal(links(&t, arena, &list), 1);
    assert_true(list[0].polled_us[LINK_RELEASED] == 1000);
    assert_true(list[0].polled_us[LINK_DIRECTORY] == 7);
    arena_free(arena);
    core_test_end(&t);
}

/* Who listens hears of it, once when it is lost and once when it is back. */
static void
listeners_hear_of_lost_links(void **state)
{
    struct link_failure failure = {.flag = LINK_POLL, .why = SPAN("no route")};
    struct core_test t;
    struct err err;

    (void)state;
    start(&t);
    failure.team = add_link(&t, "south.test", LINK_POLL);
    t.core.options.link_give_up_us = 0;
    core_test_send(&t, DOOR_LOCAL, MESSAGE_EVENTS, 900, &nobody, SPAN(""));
    assert_int_equal(
        core_test_ask(&t, DOOR_LOCAL, MESSAGE_STATUS, &nobody, (struct span){"\0", 1}), 0);
    const struct store_link *link = links_find(t.core.links, failure.team);
    assert_int_equal(core_begin(&t.core, &err), 0);
    for (int i = 0; i < 3; i++) {
        link = links_find(t.core.links, failure.team);
        assert_int_equal(links_failed(&t.core, link, &failure, &err), 0);
    }
    link = links_find(t.core.links, failure.team);
    assert_int_equal(links_worked(&t.core, link, LINK_POLL, &err), 0);
    link = links_find(t.core.links, failure.team);
    assert_int_equal(links_worked(&t.core, link, LINK_POLL, &err), 0);
    assert_int_equal(core_commit(&t.core, &err), 0);
    /* An answer to something else ends the wait; what was told before stands in the body. */
    t.body.n = 0;
    core_test_send(&t, DOOR_LOCAL, MESSAGE_STATUS, 902, &nobody, (struct span){"\0", 1});
    assert_true(core_test_wait(&t, 60000));
    assert_int_equal(t.tag, 902);
    assert_int_equal(times(buf_span(&t.body), "\"state\":\"lost\""), 1);
    assert_int_equal(times(buf_span(&t.body), "\"state\":\"back\""), 1);
    assert_int_equal(times(buf_span(&t.body), "\"why\":\"no route\""), 1);
    assert_int_equal(times(buf_span(&t.body), "\"team\":\"south.test\",\"way\":\"poll\""), 2);
    core_test_end(&t);
}

static void
a_link_that_fails_for_long_is_lost_and_comes_back(void **state)
{
    struct link_failure failure = {
        .flag = LINK_PUSH, .status = 503, .again_us = 77, .why = SPAN("busy")};
    struct core_test t;

    (void)state;
    start(&t);
    failure.team = add_link(&t, "south.test", LINK_PUSH);
    assert_int_equal(failed(&t, &failure), 0);
    const struct store_link_way *way = &t.core.links->list[0].ways[0];
    assert_true(way->failures == 1 && !way->lost && way->again_us == 77 && way->status == 503);
    assert_true(way->failing_us > 0 && span_equal(way->why, SPAN("busy")));
    t.core.options.link_give_up_us = 0;
    failure.why = SPAN("\xff");
    failure.refused = true;
    assert_int_equal(failed(&t, &failure), 0);
    core_test_restart(&t);
    core_test_connect(&t, DOOR_COURIER);
    way = &t.core.links->list[0].ways[0];
    assert_true(way->failures == 2 && way->lost && way->refused);
    assert_true(span_equal(way->why, SPAN("(not UTF-8)")));
    assert_int_equal(sent(&t, failure.team, INT64_MIN), 0);
    way = &t.core.links->list[0].ways[0];
    assert_true(way->failures == 0 && !way->lost && way->ok_us > 0 && way->failing_us == 0);
    failure.flag = LINK_PUSH | LINK_POLL;
    assert_int_equal(failed(&t, &failure), ERR_INTERNAL);
    core_test_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_is_believed_at_the_couriers_door_alone),
        cmocka_unit_test(the_courier_asks_what_is_its_own),
        cmocka_unit_test(what_waits_is_sent_once),
        cmocka_unit_test(large_batches_are_several_deliveries),
        cmocka_unit_test(large_reports_are_alone),
        cmocka_unit_test(nothing_goes_where_there_is_no_link),
        cmocka_unit_test(what_was_pushed_is_not_polled),
        cmocka_unit_test(how_far_it_was_polled_is_kept),
        cmocka_unit_test(listeners_hear_of_lost_links),
        cmocka_unit_test(a_link_that_fails_for_long_is_lost_and_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
