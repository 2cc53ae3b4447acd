/* What core answers the API: searches page over everything once, one report and its explanation,
 * held items decided once, counts that balance, events. */
#include "base/hash.h"
#include "core/node.h"
#include "core_ask.h"
#include "fmt/json.h"

static const struct caller nobody = {.scheme = CALLER_NOBODY};

struct asked {
    struct core_test t;
    struct json *json;
    struct json_value root;
    struct buf q;
};

/* ---- reports ---- */

static void
add(struct buf *records, unsigned n, const char *ip, const char *name, const char *tlp)
{
    struct field fields[10];
    struct report report;
    char text[32];
    struct err err;

    (void)snprintf(text, sizeof text, "login%u", n);
    report_reset(&report, fields, 10);
    report.line = n;
    const struct {
        enum field_id id;
        const char *text;
    } all[] = {{FIELD_CLASSIFICATION_TYPE, n % 2 ? "scanner" : "spam"}, {FIELD_SOURCE_IP, ip},
        {FIELD_SOURCE_FQDN, name}, {FIELD_TIME_SOURCE, "2026-01-02T03:04:05Z"},
        {FIELD_SOURCE_ACCOUNT, text}, {FIELD_FEED_PROVIDER, "Test"}, {FIELD_TLP, tlp}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].text != NULL)
            assert_int_equal(report_add_text(&report, all[i].id, span_of(all[i].text), &err), 0);
    assert_int_equal(report_finish(&report, &err), 0);
    record_add(records, &report);
}

static void
take(struct core_test *t, const struct buf *records, uint32_t count)
{
    struct buf body = buf_new(16 << 20);
    const struct intake_open open = {SPAN("test"), 0, false};
    uint64_t tag = ++t->next_tag;

    intake_open_add(&body, &open);
    t->wants_any = true;
    core_test_send(t, DOOR_LOCAL, MESSAGE_INTAKE_OPEN, tag, &nobody, buf_span(&body));
    assert_true(core_test_wait(t, 60000));
    t->wants_any = false;
    body.n = 0;
    wire_add_u32(&body, 0);
    wire_add_u32(&body, count);
    buf_add_span(&body, buf_span(records));
    core_test_send(t, DOOR_LOCAL, MESSAGE_INTAKE_RECORDS, tag, &nobody, buf_span(&body));
    body.n = 0;
    wire_add_u32(&body, 0);
    wire_add_text(&body, SPAN(""));
    core_test_send(t, DOOR_LOCAL, MESSAGE_INTAKE_CLOSE, tag, &nobody, buf_span(&body));
    assert_true(core_test_wait(t, 60000));
    assert_int_equal(t->type, MESSAGE_ANSWER);
    buf_free(&body);
}

enum { BATCHES = 5, A_BATCH = 1000 };

/* Some thousand in several batches: each tenth is for east, so held; each third has a name. */
static void
start(struct asked *a)
{
    struct buf records = buf_new(16 << 20);

    core_test_start(&a->t);
    a->json = json_new(64 << 20);
    a->q = buf_new(1 << 16);
    for (unsigned b = 0; b < BATCHES; b++) {
        records.n = 0;
        for (unsigned i = 0; i < A_BATCH; i++) {
            unsigned n = b * A_BATCH + i;
            char ip[32];
            char name[64];
            (void)snprintf(ip, sizeof ip, n % 10 == 0 ? "198.51.100.%u" : "192.0.2.%u",
                n % 10 == 0 ? n % 250 : 128 + n % 100);
            (void)snprintf(name, sizeof name, "h%u.d%u.example", n % 7, b);
            add(&records, n, ip, n % 3 == 0 ? name : NULL, "amber");
        }
        take(&a->t, &records, A_BATCH);
    }
    buf_free(&records);
}

static void
end(struct asked *a)
{
    json_free(a->json);
    buf_free(&a->q);
    core_test_end(&a->t);
}

/* ---- questions ---- */

static int
ask(struct asked *a, uint16_t type)
{
    struct err err;
    int rc = core_test_ask(&a->t, DOOR_LOCAL, type, &nobody, buf_span(&a->q));

    if (rc == 0)
        assert_int_equal(json_parse_copy(a->json, buf_span(&a->t.body), &a->root, &err), 0);
    a->q.n = 0;
    return rc;
}

struct query {
    struct address address;
    const char *name;
    const char *team;
    const char *classification;
    bool unattributed;
    const char *sender;
    const char *delivery;
    uint32_t limit;
};

static int
search(struct asked *a, const struct query *q, struct span next)
{
    char text[200];

    assert_true(next.n < sizeof text);
    memcpy(text, next.p, next.n);
    wire_add_u8(&a->q, q->address.family);
    wire_add_u8(&a->q, q->address.bits);
    wire_add_u64(&a->q, q->address.high);
    wire_add_u64(&a->q, q->address.low);
    wire_add_text(&a->q, q->name ? span_of(q->name) : SPAN(""));
    wire_add_text(&a->q, q->team ? span_of(q->team) : SPAN(""));
    wire_add_u16(&a->q, 0);
    wire_add_u32(&a->q, 0);
    wire_add_u16(
        &a->q, (uint16_t)(q->classification ? classification_find(span_of(q->classification)) : 0));
    wire_add_u8(&a->q, 0);
    wire_add_text(&a->q, SPAN(""));
    wire_add_u8(&a->q, q->unattributed ? 1 : 2);
    wire_add_text(&a->q, q->sender ? span_of(q->sender) : SPAN(""));
    wire_add_text(&a->q, q->delivery ? span_of(q->delivery) : SPAN(""));
    wire_add_i64(&a->q, 0);
    wire_add_i64(&a->q, 0);
    wire_add_u32(&a->q, q->limit);
    wire_add_text(&a->q, (struct span){text, next.n});
    return ask(a, MESSAGE_REPORTS);
}

static struct span
text_of(struct json_value v, const char *name)
{
    struct json_value value;

    assert_true(json_get(v, name, &value));
    return json_type(value) == JSON_STRING ? json_string(value) : SPAN("");
}

static int64_t
number_of(struct json_value v, const char *name)
{
    struct json_value value;

    assert_true(json_get(v, name, &value));
    assert_int_equal(json_type(value), JSON_INT);
    return json_int(value);
}

static struct json_value
item(struct json_value root, const char *list, size_t i)
{
    struct json_value value;
    struct json_value at = {0};
    struct span key;

    assert_true(json_get(root, list, &value));
    struct json_iter it = json_iter(value);
    for (size_t k = 0; k <= i; k++)
        assert_true(json_next(&it, &key, &at));
    return at;
}

static size_t
items(struct json_value root, const char *list)
{
    struct json_value value;
    struct json_value at;
    struct span key;
    size_t n = 0;

    assert_true(json_get(root, list, &value));
    for (struct json_iter it = json_iter(value); json_next(&it, &key, &at);)
        n++;
    return n;
}

/* Page through all that Q finds; every id once, and newest first. */
static size_t
page_all(struct asked *a, const struct query *q)
{
    struct table *ids = table_new(100000);
    struct arena *arena = arena_new(64 << 20);
    char next[200] = "";
    char before[64] = "9";
    size_t n = 0;
    uint32_t index;
    struct err err;

    for (bool more = true; more;) {
        assert_int_equal(search(a, q, span_of(next)), 0);
        size_t count = items(a->root, "items");
        assert_true(count <= q->limit);
        for (size_t i = 0; i < count; i++) {
            struct json_value one = item(a->root, "items", i);
            struct span id = text_of(one, "id");
            struct span received = text_of(one, "received");
            assert_true(strncmp(received.p, before, received.n) <= 0);
            (void)snprintf(before, sizeof before, "%.*s", SPAN_ARGS(received));
            struct span copy = {arena_copy(arena, id.p, id.n), id.n};
            assert_int_equal(table_add(ids, copy, &index, &err), 0);
            assert_int_equal(index, n++);
        }
        struct span said = text_of(a->root, "next");
        more = said.n > 0;
        (void)snprintf(next, sizeof next, "%.*s", SPAN_ARGS(said));
    }
    table_free(ids);
    arena_free(arena);
    return n;
}

/* ---- */

static void
pages_hold_everything_once(void **state)
{
    struct asked a;
    struct query q = {.limit = 333};

    (void)state;
    start(&a);
    assert_int_equal(page_all(&a, &q), BATCHES * A_BATCH);
    q = (struct query){.limit = 7, .name = "d3.example"};
    assert_int_equal(page_all(&a, &q), 334);
    q = (struct query){.limit = 1000, .team = "east.test"};
    assert_int_equal(page_all(&a, &q), BATCHES * A_BATCH / 10);
    q = (struct query){.limit = 100, .classification = "spam", .team = "south.test"};
    assert_int_equal(page_all(&a, &q), BATCHES * A_BATCH * 4 / 10);
    q = (struct query){.limit = 100};
    assert_int_equal(prefix_parse(SPAN("192.0.2.131"), &q.address, NULL), 0);
    assert_int_equal(page_all(&a, &q), BATCHES * A_BATCH / 100);
    assert_int_equal(prefix_parse(SPAN("198.51.0.0/16"), &q.address, NULL), 0);
    assert_int_equal(page_all(&a, &q), BATCHES * A_BATCH / 10);
    q = (struct query){.limit = 100, .unattributed = true};
    assert_int_equal(page_all(&a, &q), 0);
    end(&a);
}

static void
cursors_belong_to_their_query(void **state)
{
    struct asked a;
    struct query q = {.limit = 10};
    char next[200];

    (void)state;
    start(&a);
    assert_int_equal(search(&a, &q, SPAN("")), 0);
    (void)snprintf(next, sizeof next, "%.*s", SPAN_ARGS(text_of(a.root, "next")));
    q.team = "east.test";
    assert_int_equal(search(&a, &q, span_of(next)), ERR_BAD_VALUE);
    assert_string_equal(a.t.refusal.field, "next");
    q.team = NULL;
    assert_int_equal(search(&a, &q, span_of(next)), 0);
    next[3] = next[3] == 'a' ? 'b' : 'a';
    (void)search(&a, &q, span_of(next)); /* another place, or none: never a crash */
    next[40] = next[40] == 'a' ? 'b' : 'a';
    assert_int_equal(search(&a, &q, span_of(next)), ERR_BAD_VALUE);
    assert_int_equal(search(&a, &q, SPAN("x")), ERR_BAD_VALUE);
    q.unattributed = true;
    q.team = "east.test";
    assert_int_equal(search(&a, &q, SPAN("")), ERR_BAD_VALUE);
    end(&a);
}

static void
one_report_and_why(void **state)
{
    struct asked a;
    struct query q = {.limit = 1, .team = "south.test"};
    struct json_value value;
    char id[40];

    (void)state;
    start(&a);
    assert_int_equal(search(&a, &q, SPAN("")), 0);
    (void)snprintf(id, sizeof id, "%.*s", SPAN_ARGS(text_of(item(a.root, "items", 0), "id")));
    wire_add_text(&a.q, span_of(id));
    assert_int_equal(ask(&a, MESSAGE_REPORT), 0);
    assert_true(json_get(a.root, "fields", &value));
    assert_true(span_starts(text_of(value, "source.account"), SPAN("login")));
    wire_add_text(&a.q, span_of(id));
    assert_int_equal(ask(&a, MESSAGE_EXPLAIN), 0);
    struct json_value recipient = item(a.root, "recipients", 0);
    assert_true(span_equal(text_of(recipient, "team"), SPAN("south.test")));
    bool removed = false;
    for (size_t i = 0; i < items(recipient, "fields"); i++) {
        struct json_value field = item(recipient, "fields", i);
        bool account = span_equal(text_of(field, "name"), SPAN("source.account"));
        struct span result = text_of(field, "result");
        assert_true(span_equal(result, account ? SPAN("removed") : SPAN("kept")));
        removed = removed || account;
    }
    assert_true(removed);
    id[35] = id[35] == '0' ? '1' : '0';
    wire_add_text(&a.q, span_of(id));
    assert_int_equal(ask(&a, MESSAGE_REPORT), ERR_NOT_FOUND);
    wire_add_text(&a.q, SPAN("00000000-0000-8000-8000-000000000000"));
    assert_int_equal(ask(&a, MESSAGE_EXPLAIN), ERR_NOT_FOUND);
    wire_add_text(&a.q, SPAN("what"));
    assert_int_equal(ask(&a, MESSAGE_REPORT), ERR_BAD_NAME);
    end(&a);
}

static int
list_held(struct asked *a, unsigned state, const char *next)
{
    wire_add_u8(&a->q, (uint8_t)state);
    wire_add_text(&a->q, SPAN(""));
    wire_add_u32(&a->q, 100);
    wire_add_text(&a->q, span_of(next));
    return ask(a, MESSAGE_HELD);
}

static int
decide_held(struct asked *a, bool release, const uint64_t *numbers, uint32_t count, const char *why)
{
    wire_add_u8(&a->q, (uint8_t)(release | (count > 1 ? 2 : 0)));
    wire_add_u32(&a->q, count);
    for (uint32_t i = 0; i < count; i++)
        wire_add_u64(&a->q, numbers[i]);
    wire_add_text(&a->q, span_of(why));
    return ask(a, MESSAGE_HELD_DECIDE);
}

static void
held_items_are_decided_once(void **state)
{
    struct asked a;
    const uint64_t many[] = {1, 2, 3, 999999};

    (void)state;
    start(&a);
    assert_int_equal(list_held(&a, HELD_WAITING, ""), 0);
    assert_int_equal(items(a.root, "items"), 100);
    assert_int_equal(number_of(a.root, "waiting"), BATCHES * A_BATCH / 10);
    assert_int_equal(number_of(item(a.root, "items", 0), "number"), 1);
    assert_true(span_equal(text_of(a.root, "next"), SPAN("100")));
    assert_int_equal(list_held(&a, HELD_WAITING, "100"), 0);
    assert_int_equal(number_of(item(a.root, "items", 0), "number"), 101);
    assert_int_equal(list_held(&a, HELD_WAITING, "x"), ERR_BAD_VALUE);

    assert_int_equal(decide_held(&a, true, many, 1, "seen"), 0);
    assert_int_equal(decide_held(&a, false, many, 1, "late"), ERR_CONFLICT);
    assert_int_equal(decide_held(&a, false, many + 3, 1, "none"), ERR_NOT_FOUND);
    assert_int_equal(decide_held(&a, false, many + 1, 1, " "), ERR_MISSING_FIELD);
    assert_int_equal(decide_held(&a, false, many, 4, "all"), 0);
    assert_int_equal(items(a.root, "decided"), 2);
    assert_int_equal(items(a.root, "conflicts"), 1);
    assert_int_equal(items(a.root, "missing"), 1);
    assert_int_equal(list_held(&a, HELD_REFUSED, ""), 0);
    assert_int_equal(items(a.root, "items"), 2);
    struct json_value refused = item(a.root, "items", 0);
    assert_true(span_equal(text_of(refused, "why"), SPAN("all")));
    assert_true(text_of(refused, "by").n > 0);
    wire_add_text(&a.q, text_of(refused, "report"));
    assert_int_equal(ask(&a, MESSAGE_EXPLAIN), 0);
    struct json_value recipient = item(a.root, "recipients", 0);
    assert_int_equal(items(recipient, "history"), 3);
    assert_true(span_equal(text_of(item(recipient, "history", 2), "what"), SPAN("refused")));
    end(&a);
}

static int
statistics(struct asked *a, const char *by)
{
    wire_add_i64(&a->q, 0);
    wire_add_i64(&a->q, 0);
    wire_add_text(&a->q, span_of(by));
    return ask(a, MESSAGE_STATISTICS);
}

static int64_t
sum_of(struct asked *a, const char *name)
{
    int64_t sum = 0;

    for (size_t i = 0; i < items(a->root, "items"); i++)
        if (span_equal(text_of(item(a->root, "items", i), "name"), span_of(name)))
            sum += number_of(item(a->root, "items", i), "count");
    return sum;
}

/* However they are summed, the counts are the same, and fewer. */
static void
sums_are_those_of_all_counts(void **state)
{
    static const char *const names[] = {"outcomes", "released", "held", "received", "given"};
    static const char *const ways[] = {"day", "classification", "team"};
    struct asked a;
    int64_t all[5];

    (void)state;
    start(&a);
    assert_int_equal(statistics(&a, ""), 0);
    size_t rows = items(a.root, "items");
    for (size_t n = 0; n < 5; n++)
        all[n] = sum_of(&a, names[n]);
    assert_int_equal(all[4], BATCHES * A_BATCH);
    for (size_t w = 0; w < 3; w++) {
        assert_int_equal(statistics(&a, ways[w]), 0);
        assert_true(items(a.root, "items") < rows);
        for (size_t n = 0; n < 5; n++)
            assert_int_equal(sum_of(&a, names[n]), n == 3 && w == 2 ? 0 : all[n]);
        struct json_value totals;
        assert_true(json_get(a.root, "totals", &totals));
        assert_int_equal(number_of(totals, "received"), BATCHES * A_BATCH);
    }
    assert_int_equal(statistics(&a, "week"), ERR_BAD_VALUE);
    assert_string_equal(a.t.refusal.field, "by");
    end(&a);
}

static int
flows(struct asked *a)
{
    wire_add_i64(&a->q, 0);
    wire_add_i64(&a->q, 0);
    return ask(a, MESSAGE_FLOWS);
}

static int64_t
flow_of(struct asked *a, const char *team, const char *way)
{
    for (size_t i = 0; i < items(a->root, "items"); i++)
        if (span_equal(text_of(item(a->root, "items", i), "team"), span_of(team)))
            return number_of(item(a->root, "items", i), way);
    return 0;
}

/* Who gave what, and who got what; reports of a sender and of a delivery are found. */
static void
flows_are_those_of_the_reports(void **state)
{
    struct asked a;
    struct query q = {.limit = 500, .sender = "north.test"};
    const int64_t for_south = BATCHES * A_BATCH * 9 / 10;
    char batch[64];

    (void)state;
    start(&a);
    do { /* it is written out when nothing is asked */
        (void)core_test_wait(&a.t, 10);
        assert_int_equal(flows(&a), 0);
    } while (flow_of(&a, "south.test", "out") < for_south);
    assert_true(span_equal(text_of(a.root, "own"), SPAN("north.test")));
    assert_true(span_equal(text_of(a.root, "home"), SPAN("XN")));
    assert_int_equal(items(a.root, "items"), 2);
    assert_int_equal(flow_of(&a, "north.test", "in"), BATCHES * A_BATCH);
    assert_int_equal(flow_of(&a, "north.test", "out"), 0);
    assert_int_equal(flow_of(&a, "south.test", "in"), 0);
    assert_int_equal(flow_of(&a, "south.test", "out"), for_south);
    assert_int_equal(flow_of(&a, "south.test", "out_today"), for_south);
    assert_int_equal(page_all(&a, &q), BATCHES * A_BATCH);
    q.sender = "south.test";
    assert_int_equal(page_all(&a, &q), 0);
    wire_add_text(&a.q, SPAN(""));
    wire_add_i64(&a.q, 0);
    wire_add_u8(&a.q, 2);
    wire_add_u32(&a.q, 1);
    wire_add_text(&a.q, SPAN(""));
    assert_int_equal(ask(&a, MESSAGE_RECEIPTS), 0);
    struct json_value delivery = item(a.root, "items", 0);
    (void)snprintf(batch, sizeof batch, "%.*s", SPAN_ARGS(text_of(delivery, "batch")));
    size_t in_it = (size_t)number_of(delivery, "items");
    q = (struct query){.limit = 100, .delivery = batch};
    assert_int_equal(page_all(&a, &q), in_it);
    q.team = "south.test";
    assert_int_equal(page_all(&a, &q), in_it);
    q.team = "east.test";
    assert_int_equal(page_all(&a, &q), 0);
    q = (struct query){.limit = 100, .delivery = batch + strlen("urn:uuid:")};
    assert_int_equal(page_all(&a, &q), in_it);
    q.delivery = "00000000-0000-4000-8000-000000000000";
    assert_int_equal(search(&a, &q, SPAN("")), ERR_NOT_FOUND);
    end(&a);
}

static void
counts_balance(void **state)
{
    struct asked a;
    struct json_value totals;
    struct json_value balanced;

    (void)state;
    start(&a);
    assert_int_equal(statistics(&a, ""), 0);
    assert_true(json_get(a.root, "totals", &totals));
    assert_int_equal(number_of(totals, "received"), BATCHES * A_BATCH);
    assert_int_equal(number_of(totals, "held"), BATCHES * A_BATCH / 10);
    assert_true(json_get(a.root, "balanced", &balanced));
    assert_int_equal(json_type(balanced), JSON_TRUE);
    assert_int_equal(ask(&a, MESSAGE_OUTBOX), 0);
    assert_int_equal(core_test_ask(&a.t, DOOR_LOCAL, MESSAGE_METRICS, &nobody, SPAN("")), 0);
    buf_add_char(&a.t.body, '\0');
    assert_non_null(strstr(a.t.body.p, "comity_reports_total{what=\"received\"} 5000\n"));
    wire_add_u8(&a.q, 1);
    assert_int_equal(ask(&a, MESSAGE_STATUS), 0);
    assert_int_equal(number_of(a.root, "teams"), 3);
    wire_add_text(&a.q, SPAN("192.0.2.130"));
    assert_int_equal(ask(&a, MESSAGE_WHOIS), 0);
    assert_true(span_equal(text_of(a.root, "team"), SPAN("south.test")));
    wire_add_text(&a.q, SPAN("nonsense"));
    assert_int_equal(ask(&a, MESSAGE_WHOIS), ERR_BAD_NAME);
    assert_string_equal(a.t.refusal.field, "q");
    end(&a);
}

/* Who listens is told how things stand at once, then of what changes, until it says that it is
 * enough; there is an end to how many may listen. */
static void
listeners_are_told(void **state)
{
    struct asked a;

    (void)state;
    start(&a);
    a.t.body.n = 0;
    core_test_send(&a.t, DOOR_LOCAL, MESSAGE_EVENTS, 77, &nobody, SPAN(""));
    a.t.wants_any = true;
    a.t.type = 0;
    while (a.t.type != MESSAGE_EVENT)
        (void)core_test_wait(&a.t, 100);
    struct wire_in in = wire_in(buf_span(&a.t.body));
    assert_true(span_equal(wire_text(&in), SPAN("counts")));
    assert_int_equal(a.t.tag, 77);
    wire_add_u8(&a.q, 0);
    wire_add_u32(&a.q, 1);
    wire_add_u64(&a.q, 1);
    wire_add_text(&a.q, SPAN("no"));
    core_test_send(&a.t, DOOR_LOCAL, MESSAGE_HELD_DECIDE, 78, &nobody, buf_span(&a.q));
    a.t.type = 0;
    for (unsigned i = 0; i < 100 && a.t.type != MESSAGE_EVENT; i++)
        (void)core_test_wait(&a.t, 100);
    assert_int_equal(a.t.type, MESSAGE_EVENT);
    core_test_send(&a.t, DOOR_LOCAL, MESSAGE_EVENTS_END, 77, &nobody, SPAN(""));
    a.t.wants_any = false;
    for (unsigned i = 0; i < EVENTS_LISTENERS_MAX; i++)
        core_test_send(&a.t, DOOR_LOCAL, MESSAGE_EVENTS, 100 + i, &nobody, SPAN(""));
    a.t.refusal = (struct err){0};
    core_test_send(&a.t, DOOR_LOCAL, MESSAGE_EVENTS, 999, &nobody, SPAN(""));
    for (unsigned i = 0; i < 2 * EVENTS_LISTENERS_MAX && a.t.type != MESSAGE_REFUSAL; i++)
        (void)core_test_wait(&a.t, 1000);
    assert_int_equal(a.t.refusal.code, ERR_TOO_MANY);
    assert_int_equal(a.t.tag, 999);
    end(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_hold_everything_once),
        cmocka_unit_test(cursors_belong_to_their_query),
        cmocka_unit_test(one_report_and_why),
        cmocka_unit_test(held_items_are_decided_once),
        cmocka_unit_test(sums_are_those_of_all_counts),
        cmocka_unit_test(flows_are_those_of_the_reports),
        cmocka_unit_test(counts_balance),
        cmocka_unit_test(listeners_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
