/* The outbox: each recipient gets what was decided for it, once, and nothing else. */
#include "core/collections.h"
#include "core/feedback.h"
#include "core/release.h"
#include "core_ask.h"
#include "core_reports.h"
#include "flow/secretfile.h"

#include <zstd.h>

static void
write_out(struct core_test *t)
{
    struct err err;
    bool more = true;

    while (more)
        assert_int_equal(release_batch(&t->core, &more, &err), 0);
    assert_int_equal(core_commit(&t->core, &err), 0);
    assert_int_equal(intake_due(t->core.intake), 0);
}

/* Everything in TEAM's collection, behind its first piece. */
static void
read_all(struct core_test *t, const char *team, struct buf *out)
{
    struct arena *arena = arena_new((size_t)256 << 20);
    struct store_page_query query = {
        .after_us = INT64_MIN, .limit = 1000, .versions = VERSIONS_ALL};
    struct store_page page;
    uint32_t number;
    struct err err;

    out->n = 0;
    assert_int_equal(store_team(t->core.store, span_of(team), &number, &err), 0);
    assert_int_equal(
        collections_of_team(t->core.collections, number, clock_now_us(), &query.collection, &err),
        0);
    do {
        assert_int_equal(store_page(t->core.store, arena, &query, &page, &err), 0);
        for (size_t i = 0; i < page.run_count; i++) {
            const struct store_run *run = &page.runs[i];
            char *raw = malloc(run->raw_bytes);
            assert_non_null(raw);
            assert_int_equal(
                ZSTD_decompress(raw, run->raw_bytes, run->packed.p, run->packed.n), run->raw_bytes);
            buf_add(out, raw + run->begin, run->end - run->begin);
            buf_add_char(out, '\n');
            free(raw);
        }
        if (page.row_count > 0)
            query.after_us = page.rows[page.row_count - 1].added_us;
    } while (page.more);
    arena_free(arena);
}

static size_t
times(const struct buf *text, const char *what)
{
    const char *at = text->p;
    size_t n = 0;

    while (at != NULL
        && (at = memmem(at, (size_t)(text->p + text->n - at), what, strlen(what))) != NULL) {
        n++;
        at++;
    }
    return n;
}

#define REPORTS "\"id\":\"observed-data--"

static void
recipients_get_what_is_theirs(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct buf text = buf_new((size_t)64 << 20);

    (void)state;
    core_test_start(&t);
    core_reports_add(&m, "192.0.2.200", 1, "amber");  /* south */
    core_reports_add(&m, "198.51.100.7", 2, "amber"); /* east: held */
    core_reports_add(&m, "192.0.2.200", 4, "red");    /* withheld */
    core_reports_add(&m, "192.0.2.1", 5, "green");    /* our own */
    core_reports_add(&m, "192.0.2.201", 6, "clear");  /* south and everybody */
    (void)core_reports_take(&t, &m);
    write_out(&t);
    read_all(&t, "south.test", &text);
    assert_int_equal(times(&text, REPORTS), 2);
    assert_int_equal(times(&text, "192.0.2.200"), 1);
    assert_int_equal(times(&text, "login"), 0); /* accounts are removed */
    assert_int_equal(times(&text, "00000001#south"), 2);
    read_all(&t, "community", &text);
    assert_int_equal(times(&text, REPORTS), 1);
    assert_int_equal(times(&text, "192.0.2.201"), 1);
    assert_int_equal(times(&text, "login"), 0);
    read_all(&t, "north.test", &text);
    assert_int_equal(times(&text, REPORTS), 1);
    assert_int_equal(times(&text, "login5"), 1);
    read_all(&t, "east.test", &text);
    assert_int_equal(times(&text, REPORTS), 0);
    buf_free(&text);
    buf_free(&m.records);
    core_test_end(&t);
}

/* A person lets it go: then it goes as the clause has it, and once. */
static void
held_ones_go_when_a_person_says_so(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct buf text = buf_new((size_t)64 << 20);
    struct buf body = buf_new(1024);
    const struct caller nobody = {.scheme = CALLER_NOBODY};

    (void)state;
    core_test_start(&t);
    core_reports_add(&m, "198.51.100.7", 2, "amber");
    core_reports_add(&m, "198.51.100.8", 3, "amber");
    assert_int_equal(core_reports_take(&t, &m).held, 2);
    wire_add_u8(&body, 1);
    wire_add_u32(&body, 1);
    wire_add_u64(&body, 2);
    wire_add_text(&body, SPAN("asked by phone"));
    assert_int_equal(
        core_test_ask(&t, DOOR_LOCAL, MESSAGE_HELD_DECIDE, &nobody, buf_span(&body)), 0);
    read_all(&t, "east.test", &text);
    assert_int_equal(times(&text, REPORTS), 1);
    assert_int_equal(times(&text, "198.51.100.8"), 1);
    assert_int_equal(
        core_test_ask(&t, DOOR_LOCAL, MESSAGE_HELD_DECIDE, &nobody, buf_span(&body)), ERR_CONFLICT);
    read_all(&t, "east.test", &text);
    assert_int_equal(times(&text, REPORTS), 1);
    buf_free(&text);
    buf_free(&body);
    buf_free(&m.records);
    core_test_end(&t);
}

/* Killed between writing and commit: it is done again, and nothing is there twice. */
static void
what_was_not_committed_is_done_again(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 22)};
    struct buf text = buf_new((size_t)64 << 20);
    struct err err = {.code = ERR_IO, .msg = "the device is full"};
    bool more;

    (void)state;
    core_test_start(&t);
    release_pause(t.core.release, true);
    for (unsigned i = 0; i < 1000; i++)
        core_reports_add(&m, "192.0.2.200", i, "green");
    (void)core_reports_take(&t, &m);
    assert_int_equal(release_batch(&t.core, &more, &err), 0);
    core_lose(&t.core, &err);
    assert_int_equal(intake_due(t.core.intake), 1000);
    core_test_restart(&t);
    write_out(&t);
    read_all(&t, "south.test", &text);
    assert_int_equal(times(&text, REPORTS), 1000);
    core_test_restart(&t);
    write_out(&t);
    read_all(&t, "south.test", &text);
    assert_int_equal(times(&text, REPORTS), 1000);
    buf_free(&text);
    buf_free(&m.records);
    core_test_end(&t);
}

/* What is decided is decided: agreements that changed since do not change what goes out. */
static void
the_verdict_of_then_counts(void **state)
{
    static const char others[] =
        "[{\"id\":\"urn:uuid:00000000-0000-4000-8000-000000000002\",\"title\":\"t\","
        "\"kind\":\"bilateral\",\"parties\":[\"north.test\",\"east.test\"],"
        "\"valid_from\":\"2020-01-01\",\"clauses\":[{\"id\":\"1\",\"from\":\"north.test\","
        "\"to\":\"east.test\",\"classification\":[\"*\"],\"tlp_max\":\"green\","
        "\"effect\":\"release\"}]}]";
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct buf text = buf_new((size_t)64 << 20);
    struct err err;

    (void)state;
    core_test_start(&t);
    release_pause(t.core.release, true);
    core_reports_add(&m, "192.0.2.200", 1, "amber");
    (void)core_reports_take(&t, &m);
    core_test_write(t.agreements, others);
    assert_int_equal(core_settings(&t.core, &err), 0);
    m.records.n = m.count = 0;
    core_reports_add(&m, "192.0.2.200", 2, "amber");
    assert_int_equal(core_reports_take(&t, &m).withheld, 1);
    release_pause(t.core.release, false);
    write_out(&t);
    read_all(&t, "south.test", &text);
    assert_int_equal(times(&text, REPORTS), 1);
    assert_int_equal(times(&text, "login"), 0);
    buf_free(&text);
    buf_free(&m.records);
    core_test_end(&t);
}

/* A green report about IP that says TEXT of NAME. */
static void
add_with(struct maker *m, struct span name, const char *text, const char *ip)
{
    struct field fields[8];
    struct report report;
    struct err err;

    report_reset(&report, fields, 8);
    const struct field more = {.id = FIELD_OTHER,
        .type = VALUE_TEXT,
        .name = name,
        .s = text,
        .n = (uint32_t)strlen(text)};
    assert_int_equal(report_add(&report, &more, &err), 0);
    assert_int_equal(report_add_text(&report, FIELD_CLASSIFICATION_TYPE, SPAN("scanner"), &err), 0);
    assert_int_equal(report_add_text(&report, FIELD_SOURCE_IP, span_of(ip), &err), 0);
    assert_int_equal(report_add_text(&report, FIELD_TLP, SPAN("green"), &err), 0);
    assert_int_equal(report_finish(&report, &err), 0);
    record_add(&m->records, &report);
    m->count++;
}

#define FOREIGN "1b4e28ba-2fa1-8d52-883f-0016d3cca427"

/* Each has one id, and a report that came with one keeps it; STIX says version 4 where the node
 * says 8. */
static void
ids_are_for_life(void **state)
{
    static const char shown[] = "observed-data--1b4e28ba-2fa1-4d52-883f-0016d3cca427";
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct buf text = buf_new((size_t)64 << 20);

    (void)state;
    core_test_start(&t);
    add_with(&m, SPAN(REPORT_ID_NAME), FOREIGN, "192.0.2.200");
    core_reports_add(&m, "192.0.2.200", 2, "green");
    assert_int_equal(core_reports_take(&t, &m).released, 2);
    write_out(&t);
    read_all(&t, "south.test", &text);
    assert_int_equal(times(&text, REPORTS), 2);
    assert_int_equal(times(&text, shown), 1);
    assert_int_equal(times(&text, "comity_id"), 0);
    buf_free(&text);
    buf_free(&m.records);
    core_test_end(&t);
}

static struct store_queue
queue_of(struct core_test *t, const char *team)
{
    struct arena *arena = arena_new(1 << 20);
    struct store_queue found = {.team = 0};
    struct store_queue *queues;
    uint32_t number;
    size_t count;
    struct err err;

    assert_int_equal(store_team(t->core.store, span_of(team), &number, &err), 0);
    assert_int_equal(store_queues(t->core.store, arena, &queues, &count, &err), 0);
    for (size_t i = 0; i < count; i++)
        if (queues[i].team == number)
            found = queues[i];
    arena_free(arena);
    return found;
}

/* Control characters take six bytes each as JSON has them: what comes in may be larger than what
 * any node takes when it is written. It keeps nothing else back, whatever it grows to. */
static void
what_is_too_large_holds_nothing_up(void **state)
{
    static const size_t sizes[] = {150 * 1024, 200 * 1024, 3 * 1024 * 1024};
    char *text = calloc(1, sizes[2] + 1);
    struct maker m = {.records = buf_new(16 << 20)};
    struct buf got = buf_new((size_t)64 << 20);
    struct core_test t;

    (void)state;
    assert_non_null(text);
    core_test_start(&t);
    for (size_t i = 0; i < 3; i++) {
        m.records.n = m.count = 0;
        memset(text, 1, sizes[i]);
        add_with(&m, SPAN("extra.dump"), text, "192.0.2.201");
        assert_int_equal(core_reports_take(&t, &m).released, 1);
    }
    m.records.n = m.count = 0;
    core_reports_add(&m, "192.0.2.200", 1, "green");
    assert_int_equal(core_reports_take(&t, &m).released, 1);
    write_out(&t);
    read_all(&t, "south.test", &got);
    assert_int_equal(times(&got, REPORTS), 2); /* the smallest of the large ones, and the other */
    struct store_queue queue = queue_of(&t, "south.test");
    assert_int_equal(queue.due, 0);
    assert_int_equal(queue.waiting, 2);
    assert_int_equal(queue.failed, 2);
    buf_free(&got);
    buf_free(&m.records);
    free(text);
    core_test_end(&t);
}

/* The node's word on taking FOREIGN back. */
static const char *
recall(struct core_test *t)
{
    struct buf body = buf_new(1024);

    wire_add_text(&body, SPAN(FOREIGN));
    wire_add_text(&body, SPAN("a scanner of our own"));
    assert_int_equal(
        core_test_ask(t, DOOR_LOCAL, MESSAGE_REPORT_RECALL, &core_reports_nobody, buf_span(&body)),
        0);
    buf_free(&body);
    buf_add_char(&t->body, '\0');
    return t->body.p;
}

/* What core says to south.test's opinion of FOREIGN, in a transaction of its own. */
static int
opinion(struct core_test *t)
{
    static const char text[] =
        "{\"type\":\"opinion\",\"spec_version\":\"2.1\",\"opinion\":\"agree\","
        "\"id\":\"opinion--1b4e28ba-2fa1-4d52-883f-0016d3cca427\","
        "\"created\":\"2026-01-01T00:00:00Z\",\"modified\":\"2026-01-01T00:00:00Z\","
        "\"object_refs\":[\"observed-data--" FOREIGN "\"]}";
    struct json *parser = json_new(sizeof text);
    const struct page_object page = {.version_us = 1};
    struct exchange_object object = {
        .team = SPAN("south.test"), .page = &page, .now_us = clock_now_us()};
    struct err err;

    object.arena = arena_new(1 << 20);
    assert_int_equal(json_parse_copy(parser, SPAN(text), &object.json, &err), 0);
    assert_int_equal(core_begin(&t->core, &err), 0);
    int rc = exchange_feedback(&t->core, &object, &err);
    assert_int_equal(core_commit(&t->core, &err), 0);
    arena_free(object.arena);
    json_free(parser);
    return rc;
}

/* It was decided, and is not yet written out: nobody gets it, and nobody is told of it. */
static void
what_is_recalled_while_it_is_due_does_not_go(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct buf text = buf_new((size_t)64 << 20);

    (void)state;
    core_test_start(&t);
    release_pause(t.core.release, true);
    add_with(&m, SPAN(REPORT_ID_NAME), FOREIGN, "192.0.2.200");
    core_reports_add(&m, "192.0.2.201", 2, "green");
    assert_int_equal(core_reports_take(&t, &m).released, 2);
    const char *told = recall(&t);
    assert_non_null(strstr(told, "\"told\":[],\"dropped\":[\"south.test\"],"));
    core_test_restart(&t); /* that is remembered */
    write_out(&t);
    read_all(&t, "south.test", &text);
    assert_int_equal(times(&text, REPORTS), 1);
    assert_int_equal(times(&text, "192.0.2.200"), 0);
    assert_int_equal(times(&text, "revoked"), 0);
    assert_int_equal(opinion(&t), ERR_NOT_ALLOWED); /* who did not get it has none */
    assert_int_equal(
        times(&text, "\"items\":1,"), 1); /* of the delivery that the other one is in */
    buf_free(&text);
    buf_free(&m.records);
    core_test_end(&t);
}

/* Nothing else was in its batch: then there is no delivery. */
static void
a_batch_of_what_is_recalled_delivers_nothing(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct buf text = buf_new((size_t)64 << 20);

    (void)state;
    core_test_start(&t);
    release_pause(t.core.release, true);
    add_with(&m, SPAN(REPORT_ID_NAME), FOREIGN, "192.0.2.200");
    assert_int_equal(core_reports_take(&t, &m).released, 1);
    (void)recall(&t);
    release_pause(t.core.release, false);
    write_out(&t);
    read_all(&t, "south.test", &text);
    assert_int_equal(times(&text, REPORTS), 0);
    assert_int_equal(times(&text, "\"id\":\"comity-batch--"), 0);
    buf_free(&text);
    buf_free(&m.records);
    core_test_end(&t);
}

/* It was written out in the very transaction in which it is recalled: who has it is told. */
static void
what_was_written_out_just_now_is_recalled(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct buf text = buf_new((size_t)64 << 20);
    struct err err;
    bool more;

    (void)state;
    core_test_start(&t);
    release_pause(t.core.release, true);
    add_with(&m, SPAN(REPORT_ID_NAME), FOREIGN, "192.0.2.200");
    assert_int_equal(core_reports_take(&t, &m).released, 1);
    assert_int_equal(release_batch(&t.core, &more, &err), 0);
    const char *told = recall(&t);
    assert_non_null(strstr(told, "\"told\":[\"south.test\"],\"dropped\":[],"));
    write_out(&t);
    read_all(&t, "south.test", &text);
    assert_int_equal(times(&text, REPORTS), 2);
    assert_int_equal(times(&text, "\"revoked\":true"), 1);
    assert_int_equal(opinion(&t), 1);
    assert_int_equal(times(&text, "\"id\":\"comity-batch--"), 2);
    buf_free(&text);
    buf_free(&m.records);
    core_test_end(&t);
}

/* What a clause gives five days is out of the collection then, by itself. */
static void
terms_end(void **state)
{
    const int64_t day_us = (int64_t)24 * 3600 * 1000000;
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct buf text = buf_new((size_t)64 << 20);
    int64_t begun_us = clock_now_us();
    uint32_t removed;
    struct err err;

    (void)state;
    core_test_start(&t);
    core_reports_add(&m, "192.0.2.200", 1, "clear"); /* for south five days, for all without end */
    assert_int_equal(core_reports_take(&t, &m).released, 2);
    write_out(&t);
    assert_int_equal(
        store_expire(t.core.store, 0, 0, begun_us + 5 * day_us - 1, 100, &removed, &err), 0);
    assert_int_equal(removed, 0);
    assert_int_equal(
        store_expire(t.core.store, 0, 0, clock_now_us() + 5 * day_us, 100, &removed, &err), 0);
    assert_int_equal(removed, 1);
    read_all(&t, "south.test", &text);
    assert_int_equal(times(&text, REPORTS), 0);
    read_all(&t, "community", &text);
    assert_int_equal(times(&text, REPORTS), 1);
    buf_free(&text);
    buf_free(&m.records);
    core_test_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipients_get_what_is_theirs),
        cmocka_unit_test(held_ones_go_when_a_person_says_so),
        cmocka_unit_test(what_was_not_committed_is_done_again),
        cmocka_unit_test(the_verdict_of_then_counts),
        cmocka_unit_test(ids_are_for_life),
        cmocka_unit_test(what_is_too_large_holds_nothing_up),
        cmocka_unit_test(what_is_recalled_while_it_is_due_does_not_go),
        cmocka_unit_test(a_batch_of_what_is_recalled_delivers_nothing),
        cmocka_unit_test(what_was_written_out_just_now_is_recalled),
        cmocka_unit_test(terms_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
