/* What receipts make of the counts: whatever comes in whatever order, each report is waiting,
 * delivered or failed, and each only once. */
#include "store/link.h"
#include "store/receipt.h"
#include "store_ask.h"

#include <sqlite3.h>

#define ID(n) "00000000-0000-4000-8000-00000000000" #n

enum { TEAM = 1, ITEMS = 10 };

static uint32_t collection;

static void
begin(struct fixture *f)
{
    struct store_collection team = {.kind = COLLECTION_TEAM, .team = TEAM, .id = SPAN("t")};
    uint32_t number;

    OK(f, store_team(f->store, SPAN("south.test"), &number, &f->err));
    assert_int_equal(number, TEAM);
    OK(f, store_collection_add(f->store, &team, &f->err));
    collection = team.number;
}

/* Entry N: ITEMS reports in one piece from date N * 100 on. */
static void
deliver(struct fixture *f, uint64_t n, const char *id, enum store_receipt_state state)
{
    struct store_object objects[ITEMS];
    struct buf body = buf_new(4096);
    int64_t first_us;
    size_t added;

    for (size_t i = 0; i < ITEMS; i++) {
        if (i > 0)
            buf_add_char(&body, ',');
        objects[i] = (struct store_object){
            .at = (uint32_t)body.n, .n = 2, .id = SPAN("note--1"), .spec = 21};
        buf_add_text(&body, "{}");
    }
    const struct store_piece piece = {.collection = collection,
        .body = buf_span(&body),
        .objects = objects,
        .count = ITEMS,
        .reports = ITEMS,
        .batch = n};
    OK(f, store_append(f->store, &piece, (int64_t)n * 100, &first_us, &added, &f->err));
    const struct store_delivery delivery = {.entry = n,
        .batch = n,
        .team = TEAM,
        .collection = collection,
        .first_us = first_us,
        .last_us = first_us + ITEMS - 1,
        .places = SPAN("")};
    OK(f, store_delivery_add(f->store, &delivery, &f->err));
    const struct store_receipt receipt = {.entry = n,
        .id = span_of(id),
        .batch = n,
        .team = TEAM,
        .items = ITEMS,
        .made_us = (int64_t)n * 100,
        .state = (uint8_t)state};
    OK(f, store_receipt_add(f->store, &receipt, &f->err));
    buf_free(&body);
}

static void
take(struct fixture *f, const char *id, enum store_receipt_state state, const char *note)
{
    struct store_receipt row;

    OK(f, store_receipt_by_id(f->store, f->arena, span_of(id), &row, &f->err));
    row.state = (uint8_t)state;
    row.came_us = 777;
    row.note = span_of(note);
    row.stored = ITEMS;
    OK(f, store_receipt_take(f->store, &row, &f->err));
}

static void
counts_are(struct fixture *f, uint64_t waiting, uint64_t delivered, uint64_t failed)
{
    struct store_queue *queues;
    uint64_t faults;
    size_t count;

    OK(f, store_queues(f->store, f->arena, &queues, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(queues[0].waiting, waiting);
    assert_int_equal(queues[0].delivered, delivered);
    assert_int_equal(queues[0].failed, failed);
    assert_int_equal(queues[0].oldest_us != 0, waiting > 0);
    OK(f, store_commit(f->store, &f->err));
    OK(f, store_check(f->store, NULL, NULL, NULL, &faults, &f->err));
}

static void
reach_is(struct fixture *f, const char *id, enum store_receipt_reach wanted)
{
    enum store_receipt_reach reach;
    struct store_receipt row;

    OK(f, store_receipt_by_id(f->store, f->arena, span_of(id), &row, &f->err));
    OK(f, store_receipt_reached(f->store, &row, &reach, &f->err));
    assert_int_equal(reach, wanted);
}

static void
expire(struct fixture *f, int64_t before_us)
{
    uint32_t removed;

    do
        OK(f, store_expire(f->store, 0, before_us, 0, 100, &removed, &f->err));
    while (removed > 0);
}

static void
fetched_is_not_delivered_where_receipts_come(void **state)
{
    struct fixture *f = *state;

    begin(f);
    deliver(f, 1, ID(1), STORE_RECEIPT_OPEN);
    deliver(f, 2, ID(2), STORE_RECEIPT_OPEN);
    reach_is(f, ID(1), STORE_REACH_WAITS);
    OK(f, store_fetched(f->store, collection, 1000, true, &f->err));
    counts_are(f, 2 * ITEMS, 0, 0);
    reach_is(f, ID(1), STORE_REACH_TAKEN);
    take(f, ID(2), STORE_RECEIPT_RIGHT, "note");
    counts_are(f, ITEMS, ITEMS, 0);
    take(f, ID(2), STORE_RECEIPT_RIGHT, "again");
    counts_are(f, ITEMS, ITEMS, 0);
    reach_is(f, ID(2), STORE_REACH_RECEIPT);
    take(f, ID(1), STORE_RECEIPT_DIFFERS, "other");
    counts_are(f, ITEMS, ITEMS, 0);
    take(f, ID(1), STORE_RECEIPT_RIGHT, "note");
    counts_are(f, 0, 2 * ITEMS, 0);
}

static void
late_one_takes_back_what_failed(void **state)
{
    struct fixture *f = *state;
    struct store_receipt row;

    begin(f);
    deliver(f, 1, ID(1), STORE_RECEIPT_OPEN);
    deliver(f, 2, ID(2), STORE_RECEIPT_OPEN);
    deliver(f, 3, ID(3), STORE_RECEIPT_OPEN);
    OK(f, store_fetched(f->store, collection, 1000, true, &f->err));
    take(f, ID(3), STORE_RECEIPT_RIGHT, "note");
    expire(f, 1000);
    counts_are(f, 0, ITEMS, 2 * ITEMS);
    reach_is(f, ID(1), STORE_REACH_FAILED);
    take(f, ID(1), STORE_RECEIPT_RIGHT, "note");
    counts_are(f, 0, 2 * ITEMS, ITEMS);
    OK(f, store_receipt_by_entry(f->store, f->arena, 1, &row, &f->err));
    assert_int_equal(row.failed, 0);
    assert_int_equal(row.stored, ITEMS);
    assert_true(span_equal(row.note, SPAN("note")));
    assert_int_equal(row.came_us, 777);
}

/* A team gets a node, and loses it again. */
static void
team_changes_its_ways(void **state)
{
    struct fixture *f = *state;

    begin(f);
    deliver(f, 1, ID(1), STORE_RECEIPT_UNASKED);
    OK(f, store_fetched(f->store, collection, 150, false, &f->err));
    counts_are(f, 0, ITEMS, 0);
    deliver(f, 2, ID(2), STORE_RECEIPT_OPEN);
    deliver(f, 3, ID(3), STORE_RECEIPT_OPEN);
    OK(f, store_fetched(f->store, collection, 1000, true, &f->err));
    take(f, ID(1), STORE_RECEIPT_RIGHT, "what was counted is not counted again");
    counts_are(f, 2 * ITEMS, ITEMS, 0);
    take(f, ID(3), STORE_RECEIPT_RIGHT, "note");
    counts_are(f, ITEMS, 2 * ITEMS, 0);
    deliver(f, 4, ID(4), STORE_RECEIPT_UNASKED);
    OK(f, store_fetched(f->store, collection, 1000, false, &f->err));
    counts_are(f, 0, 4 * ITEMS, 0);
    expire(f, 1000);
    counts_are(f, 0, 4 * ITEMS, 0);
}

static void
passed_over_has_failed(void **state)
{
    struct fixture *f = *state;

    begin(f);
    deliver(f, 1, ID(1), STORE_RECEIPT_OPEN);
    deliver(f, 2, ID(2), STORE_RECEIPT_OPEN);
    OK(f, store_passed_over(f->store, collection, 150, &f->err));
    counts_are(f, ITEMS, 0, ITEMS);
    reach_is(f, ID(1), STORE_REACH_FAILED);
    expire(f, 150);
    counts_are(f, ITEMS, 0, ITEMS);
    take(f, ID(1), STORE_RECEIPT_RIGHT, "it came by another way");
    counts_are(f, ITEMS, ITEMS, 0);
}

static void
listed_newest_first(void **state)
{
    struct fixture *f = *state;
    struct store_receipt_query query = {.before = UINT64_MAX, .limit = 2};
    struct store_receipt *list;
    int64_t oldest_us;
    uint64_t open;
    size_t count;

    begin(f);
    deliver(f, 1, ID(1), STORE_RECEIPT_OPEN);
    deliver(f, 2, ID(2), STORE_RECEIPT_UNASKED);
    deliver(f, 3, ID(3), STORE_RECEIPT_OPEN);
    deliver(f, 4, ID(4), STORE_RECEIPT_OPEN);
    take(f, ID(3), STORE_RECEIPT_RIGHT, "note");
    take(f, ID(4), STORE_RECEIPT_DIFFERS, "note");
    OK(f, store_receipts(f->store, f->arena, &query, &list, &count, &f->err));
    assert_true(count == 2 && list[0].entry == 4 && list[1].entry == 3);
    query.before = 3;
    OK(f, store_receipts(f->store, f->arena, &query, &list, &count, &f->err));
    assert_true(count == 2 && list[0].entry == 2 && list[1].entry == 1);
    query = (struct store_receipt_query){
        .before = UINT64_MAX, .limit = 10, .open = true, .team = TEAM, .since_us = 100};
    OK(f, store_receipts(f->store, f->arena, &query, &list, &count, &f->err));
    assert_true(count == 2 && list[0].entry == 4 && list[1].entry == 1);
    OK(f, store_receipts_open(f->store, &open, &oldest_us, &f->err));
    assert_true(open == 2 && oldest_us == 100);
    query.team = TEAM + 1;
    OK(f, store_receipts(f->store, f->arena, &query, &list, &count, &f->err));
    assert_int_equal(count, 0);
}

static void
old_ones_go_after_what_they_are_for(void **state)
{
    struct fixture *f = *state;
    struct store_receipt_given given = {
        .team = TEAM, .id = SPAN(ID(9)), .came_us = 120, .note = SPAN("note")};
    struct store_receipt row;
    uint32_t removed;

    begin(f);
    deliver(f, 1, ID(1), STORE_RECEIPT_OPEN);
    deliver(f, 2, ID(2), STORE_RECEIPT_OPEN);
    OK(f, store_receipt_given_put(f->store, &given, &f->err));
    OK(f, store_receipts_expire(f->store, 120, 10, &removed, &f->err));
    assert_int_equal(removed, 0); /* it lies there still */
    expire(f, 150);
    OK(f, store_receipts_expire(f->store, 121, 10, &removed, &f->err));
    assert_int_equal(removed, 2);
    assert_int_equal(
        store_receipt_by_id(f->store, f->arena, SPAN(ID(1)), &row, &f->err), ERR_NOT_FOUND);
    OK(f, store_receipt_by_id(f->store, f->arena, SPAN(ID(2)), &row, &f->err));
    assert_int_equal(
        store_receipt_given_get(f->store, f->arena, TEAM, SPAN(ID(9)), &given, &f->err),
        ERR_NOT_FOUND);
}

static void
given_are_kept_by_team(void **state)
{
    struct fixture *f = *state;
    struct store_receipt_given given = {
        .team = TEAM, .id = SPAN(ID(9)), .came_us = 120, .duplicate = 3, .note = SPAN("note")};
    struct store_receipt_given got;

    OK(f, store_receipt_given_put(f->store, &given, &f->err));
    OK(f, store_receipt_given_get(f->store, f->arena, TEAM, SPAN(ID(9)), &got, &f->err));
    assert_true(got.came_us == 120 && got.duplicate == 3 && span_equal(got.note, SPAN("note")));
    assert_int_equal(
        store_receipt_given_get(f->store, f->arena, TEAM + 1, SPAN(ID(9)), &got, &f->err),
        ERR_NOT_FOUND);
}

/* ---- what version 2 recorded ---- */

static void
run_sql(struct fixture *f, const char *text)
{
    char path[128];
    sqlite3 *db;
    char *why = NULL;

    (void)snprintf(path, sizeof path, "%s/node.db", f->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#define ENTRY(n, kind, more)                                                                       \
    "INSERT INTO ledger_entry VALUES (" #n ", CAST('{" more "\"id\":\"urn:uuid:" ID(               \
        n) "\",\"items\":10,\"kind\":\"" kind                                                      \
           "\",\"time\":\"2026-01-01T00:00:00.250000Z\",\"to\":\"south.test\"}' AS BLOB));"

static void
version_2_is_taken_over(void **state)
{
    struct fixture *f = *state;
    struct store_receipt_query query = {.before = UINT64_MAX, .limit = 10};
    struct store_receipt *list;
    size_t count;

    begin(f);
    deliver(f, 1, ID(1), STORE_RECEIPT_UNASKED);
    deliver(f, 2, ID(2), STORE_RECEIPT_UNASKED);
    OK(f, store_fetched(f->store, collection, 150, false, &f->err));
    OK(f, store_commit(f->store, &f->err));
    store_close(f->store);
    run_sql(f,
        WITHOUT_3 "PRAGMA user_version = 2;" ENTRY(1, "delivery", "") ENTRY(2, "decision",
            "\"decision\":\"released\",") ENTRY(3, "decision", "\"decision\":\"refused\","));
    ask_open(f, STORE_WRITE);
    OK(f, store_receipts(f->store, f->arena, &query, &list, &count, &f->err));
    assert_int_equal(count, 2);
    assert_true(list[1].entry == 1 && list[1].batch == 1 && list[1].team == TEAM);
    assert_true(list[1].items == ITEMS && list[1].state == STORE_RECEIPT_UNASKED);
    assert_int_equal(list[1].made_us, INT64_C(1767225600000000));
    assert_true(span_equal(list[0].id, SPAN(ID(2))));
    take(f, ID(1), STORE_RECEIPT_RIGHT, "was fetched before");
    counts_are(f, ITEMS, ITEMS, 0);
    take(f, ID(2), STORE_RECEIPT_RIGHT, "was not");
    counts_are(f, 0, 2 * ITEMS, 0);
}

/* ---- what version 3 counted ---- */

static void
version_3_is_taken_over(void **state)
{
    struct fixture *f = *state;
    const struct store_receipt_given given = {
        .team = TEAM, .id = SPAN(ID(9)), .came_us = 20, .stored = 4, .note = SPAN("n")};
    const struct store_count counted = {3, TEAM, 6, 1, 8};
    uint64_t *teams;
    size_t count;
    struct span first;

    begin(f);
    deliver(f, 1, ID(1), STORE_RECEIPT_UNASKED);
    deliver(f, 2, ID(2), STORE_RECEIPT_UNASKED);
    OK(f, store_receipt_given_put(f->store, &given, &f->err));
    OK(f, store_count_add(f->store, &counted, 1, &f->err));
    OK(f, store_commit(f->store, &f->err));
    store_close(f->store);
    run_sql(f,
        WITHOUT_4
        "PRAGMA user_version = 3; INSERT OR REPLACE INTO counter VALUES ('batch', 2);" ENTRY(
            1, "delivery", "") ENTRY(2, "decision", "\"decision\":\"recalled\","));
    ask_open(f, STORE_WRITE);
    OK(f, store_count_teams(f->store, f->arena, 16, 0, 9, &teams, &count, &f->err));
    assert_true(count == TEAM + 1 && teams[TEAM] == 4);
    OK(f, store_count_teams(f->store, f->arena, 17, 0, 9, &teams, &count, &f->err));
    assert_int_equal(teams[TEAM], ITEMS); /* what was taken back was no report that went out */
    OK(f, store_count_teams(f->store, f->arena, 6, 0, 9, &teams, &count, &f->err));
    assert_int_equal(teams[TEAM], 8);
    OK(f, store_get(f->store, f->arena, "search-senders", &first, &f->err));
    assert_true(span_equal(first, SPAN("3")));
    store_close(f->store);
    run_sql(f, "DROP INDEX receipt_batch;"); /* an error where it is not there */
    ask_open(f, STORE_WRITE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(fetched_is_not_delivered_where_receipts_come),
        ASK_TEST(late_one_takes_back_what_failed),
        ASK_TEST(team_changes_its_ways),
        ASK_TEST(passed_over_has_failed),
        ASK_TEST(listed_newest_first),
        ASK_TEST(old_ones_go_after_what_they_are_for),
        ASK_TEST(given_are_kept_by_team),
        ASK_TEST(version_2_is_taken_over),
        ASK_TEST(version_3_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
