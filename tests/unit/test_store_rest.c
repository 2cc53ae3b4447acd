/* The store's held reports, documents, statistics, statuses, and what is kept no longer. */
#include "store_ask.h"

static void
held_is_decided_once(void **state)
{
    struct fixture *f = *state;
    const struct store_held three[] = {
        {.batch = 1, .place = 5, .team = 2, .reason = 3, .since_us = 10},
        {.batch = 1, .place = 6, .team = 2, .since_us = 10},
        {.batch = 2, .place = 0, .team = 1, .since_us = 20},
    };
    struct store_held decided = {.number = 2,
        .state = HELD_RELEASED,
        .decided_us = 30,
        .by = SPAN("ann"),
        .why = SPAN("agreed by telephone")};
    struct store_held *list;
    struct store_held one;
    uint64_t waiting;
    size_t count;

    OK(f, store_held_count(f->store, &waiting, &f->err));
    assert_int_equal(waiting, 0);
    OK(f, store_held_add(f->store, three, 3, &f->err));
    OK(f, store_held_list(f->store, f->arena, HELD_WAITING, 0, 2, &list, &count, &f->err));
    assert_int_equal(count, 2);
    assert_true(list[0].number == 1 && list[0].place == 5 && list[0].reason == 3);
    OK(f, store_held_list(f->store, f->arena, HELD_WAITING, 2, 9, &list, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].batch, 2);
    OK(f, store_held_decide(f->store, &decided, &f->err));
    decided.state = HELD_REFUSED;
    assert_int_equal(store_held_decide(f->store, &decided, &f->err), ERR_EXISTS);
    decided.number = 1;
    decided.state = HELD_WAITING;
    assert_int_equal(store_held_decide(f->store, &decided, &f->err), ERR_BAD_VALUE);
    decided.number = 9;
    assert_int_equal(store_held_decide(f->store, &decided, &f->err), ERR_NOT_FOUND);
    OK(f, store_commit(f->store, &f->err));
    OK(f, store_held_count(f->store, &waiting, &f->err));
    assert_int_equal(waiting, 2);
    OK(f, store_held_get(f->store, f->arena, 2, &one, &f->err));
    assert_int_equal(one.state, HELD_RELEASED);
    assert_true(span_equal(one.why, SPAN("agreed by telephone")));
    assert_int_equal(store_held_get(f->store, f->arena, 4, &one, &f->err), ERR_NOT_FOUND);
}

static void
documents_have_versions(void **state)
{
    struct fixture *f = *state;
    struct store_document d = {
        .kind = SPAN("card"), .id = SPAN("north.test"), .since_us = 100, .text = SPAN("{}")};
    struct store_document *all;
    size_t count;
    bool new;

    OK(f, store_document_put(f->store, &d, &new, &f->err));
    assert_true(new);
    OK(f, store_document_put(f->store, &d, &new, &f->err));
    assert_false(new);
    d.text = SPAN("{\"name\":\"North\"}");
    d.since_us = 50; /* the clock jumped back */
    OK(f, store_document_put(f->store, &d, &new, &f->err));
    assert_true(new);
    d.id = SPAN("south.test");
    OK(f, store_document_put(f->store, &d, &new, &f->err));
    d.kind = SPAN("agreement");
    OK(f, store_document_put(f->store, &d, &new, &f->err));
    OK(f, store_documents(f->store, f->arena, SPAN("card"), &all, &count, &f->err));
    assert_int_equal(count, 2);
    assert_int_equal(all[0].since_us, 101);
    assert_true(span_equal(all[0].text, SPAN("{\"name\":\"North\"}")));
    assert_true(span_equal(all[1].id, SPAN("south.test")));
}

static void
counts_add_up(void **state)
{
    struct fixture *f = *state;
    const struct store_count counts[] = {{10, 1, 2, 3, 5}, {10, 1, 2, 3, 6}, {11, 0, 2, 0, 1}};
    struct store_count *all;
    size_t count;

    OK(f, store_count_add(f->store, counts, 3, &f->err));
    OK(f, store_count_add(f->store, counts, 1, &f->err));
    OK(f, store_count_list(f->store, f->arena, 0, 11, &all, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(all[0].value, 16);
    assert_true(
        all[0].day == 10 && all[0].team == 1 && all[0].name == 2 && all[0].classification == 3);
    OK(f, store_count_list(f->store, f->arena, 10, 12, &all, &count, &f->err));
    assert_int_equal(count, 2);
}

static void
sums_are_kept(void **state)
{
    struct fixture *f = *state;
    const struct store_count counts[] = {
        {10, 1, 2, 3, 5}, {10, 2, 2, 3, 6}, {10, 1, 2, 4, 7}, {11, 1, 2, 3, 8}, {10, 0, 1, 3, 9}};
    struct store_count *all;
    uint64_t *teams;
    size_t count;
    uint32_t number;

    for (int i = 1; i <= 2; i++)
        OK(f, store_team(f->store, i == 1 ? SPAN("a.test") : SPAN("b.test"), &number, &f->err));
    OK(f, store_count_add(f->store, counts, 5, &f->err));
    OK(f, store_count_add(f->store, counts, 1, &f->err));
    OK(f, store_count_add(f->store, counts, 0, &f->err));
    OK(f, store_count_sums(f->store, f->arena, STORE_COUNT_BY_DAY, 10, 12, &all, &count, &f->err));
    assert_int_equal(count, 3);
    assert_true(all[0].day == 10 && all[0].name == 1 && all[0].value == 9);
    assert_true(all[1].day == 10 && all[1].name == 2 && all[1].value == 23);
    assert_true(all[2].day == 11 && all[2].value == 8 && all[2].classification == 0);
    OK(f,
        store_count_sums(
            f->store, f->arena, STORE_COUNT_BY_CLASSIFICATION, 10, 12, &all, &count, &f->err));
    assert_int_equal(count, 3);
    assert_true(all[1].name == 2 && all[1].classification == 3 && all[1].value == 24);
    assert_true(all[2].classification == 4 && all[2].value == 7 && all[2].day == 0);
    OK(f, store_count_teams(f->store, f->arena, 2, 10, 11, &teams, &count, &f->err));
    assert_int_equal(count, 3);
    assert_true(teams[0] == 0 && teams[1] == 17 && teams[2] == 6);
}

static void
status_is_kept_a_day(void **state)
{
    struct fixture *f = *state;
    const int64_t day_us = (int64_t)24 * 3600 * 1000000;
    struct span json;

    OK(f, store_status_add(f->store, SPAN("s1"), SPAN("{\"status\":\"pending\"}"), 1000, &f->err));
    OK(f, store_status_add(f->store, SPAN("s1"), SPAN("{}"), 1000, &f->err));
    OK(f, store_status(f->store, f->arena, SPAN("s1"), &json, &f->err));
    assert_true(span_equal(json, SPAN("{}")));
    OK(f, store_status_add(f->store, SPAN("s2"), SPAN("{}"), 1001 + day_us, &f->err));
    assert_int_equal(store_status(f->store, f->arena, SPAN("s1"), &json, &f->err), ERR_NOT_FOUND);
    OK(f, store_status(f->store, f->arena, SPAN("s2"), &json, &f->err));
}

/* ---- retention ---- */

static void
take_in(struct fixture *f, int64_t received_us, bool due)
{
    const struct store_due one = {1, 1};
    struct store_batch batch = {.received_us = received_us,
        .count = 1,
        .records = SPAN("\4\0\0\0abcd"),
        .outcomes = SPAN("o")};

    OK(f, store_batch_add(f->store, &batch, &one, due ? 1 : 0, &f->err));
}

static uint32_t
expire_at(struct fixture *f, int64_t batches_us, int64_t pieces_us, int64_t now_us, uint32_t max)
{
    uint32_t removed;

    OK(f, store_expire(f->store, batches_us, pieces_us, now_us, max, &removed, &f->err));
    OK(f, store_commit(f->store, &f->err));
    return removed;
}

static uint32_t
expire(struct fixture *f, int64_t batches_us, int64_t pieces_us, uint32_t max)
{
    return expire_at(f, batches_us, pieces_us, batches_us, max);
}

static void
old_batches_go(void **state)
{
    struct fixture *f = *state;
    const struct store_held held = {.batch = 1, .team = 1};
    struct store_held one;
    struct store_batch got;
    uint64_t waiting;

    for (int64_t i = 1; i <= 10; i++)
        take_in(f, i * 100, i == 3);
    OK(f, store_held_add(f->store, &held, 1, &f->err));
    assert_int_equal(expire(f, 501, 0, 3), 3);
    assert_int_equal(expire(f, 501, 0, 3), 1); /* the third is due */
    assert_int_equal(expire(f, 501, 0, 3), 0);
    OK(f, store_batch_get(f->store, f->arena, 3, &got, &f->err));
    assert_int_equal(store_batch_get(f->store, f->arena, 1, &got, &f->err), ERR_NOT_FOUND);
    OK(f, store_batch_get(f->store, f->arena, 6, &got, &f->err));
    OK(f, store_held_count(f->store, &waiting, &f->err));
    assert_int_equal(waiting, 0);
    OK(f, store_held_get(f->store, f->arena, 1, &one, &f->err));
    assert_int_equal(one.state, HELD_REFUSED);
    OK(f, store_due_done(f->store, 3, &f->err));
    assert_int_equal(expire(f, INT64_MAX, 0, 100), 6);
    ask_again(f);
    take_in(f, 5000, false);
    OK(f, store_batch_get(f->store, f->arena, 11, &got, &f->err)); /* numbers never come again */
}

static void
add(struct fixture *f, uint32_t collection, const char *id, int64_t version_us, bool indexed,
    int64_t now_us)
{
    const struct store_object object = {
        .n = 2, .id = span_of(id), .version_us = version_us, .spec = 21};
    const struct store_piece piece = {.collection = collection,
        .body = SPAN("{}"),
        .objects = &object,
        .count = 1,
        .indexed = indexed,
        .reports = indexed ? 0 : 1};
    int64_t first_us;
    size_t added;

    OK(f, store_append(f->store, &piece, now_us, &first_us, &added, &f->err));
    assert_int_equal(added, 1);
}

static size_t
rows(struct fixture *f, uint32_t collection, unsigned versions)
{
    const struct store_page_query q = {.collection = collection,
        .after_us = INT64_MIN,
        .limit = 100,
        .versions = (uint8_t)versions};
    struct store_page page;

    OK(f, store_page(f->store, f->arena, &q, &page, &f->err));
    return page.row_count;
}

static void
old_pieces_go(void **state)
{
    struct fixture *f = *state;
    struct store_collection team = {.kind = COLLECTION_TEAM, .team = 1, .id = SPAN("t")};
    struct store_collection shared = {.kind = COLLECTION_SHARED, .id = SPAN("s")};
    struct store_collection directory = {.kind = COLLECTION_DIRECTORY, .id = SPAN("d")};
    struct store_collection *all;
    struct store_queue *queues;
    size_t count;

    OK(f, store_collection_add(f->store, &team, &f->err));
    OK(f, store_collection_add(f->store, &shared, &f->err));
    OK(f, store_collection_add(f->store, &directory, &f->err));
    for (int64_t i = 1; i <= 4; i++) {
        add(f, team.number, "observed-data--1", 0, false, i * 100);
        add(f, shared.number, "indicator--1", i, true, i * 100);
        add(f, directory.number, "identity--1", i, true, i * 100);
    }
    OK(f, store_fetched(f->store, team.number, 100, false, &f->err));
    assert_int_equal(expire(f, 0, 300, 3), 3);
    assert_int_equal(expire(f, 0, 300, 3), 1);
    assert_int_equal(expire(f, 0, 300, 3), 0);
    OK(f, store_queues(f->store, f->arena, &queues, &count, &f->err));
    assert_int_equal(count, 1);
    assert_true(queues[0].delivered == 1 && queues[0].failed == 1 && queues[0].waiting == 2);
    assert_int_equal(rows(f, team.number, VERSIONS_ALL), 2);
    assert_int_equal(rows(f, shared.number, VERSIONS_ALL), 2);
    assert_int_equal(rows(f, shared.number, VERSIONS_FIRST), 1); /* another one than before */
    assert_int_equal(rows(f, directory.number, VERSIONS_ALL), 4);
    OK(f, store_collections(f->store, f->arena, &all, &count, &f->err));
    assert_true(all[0].objects == 2 && all[1].objects == 2 && all[2].objects == 4);
    assert_int_equal(all[0].last_us, 400);
    assert_int_equal(expire(f, 0, INT64_MAX, 100), 4);
    OK(f, store_collections(f->store, f->arena, &all, &count, &f->err));
    assert_true(all[0].objects == 0 && all[0].last_us == 0);
    add(f, team.number, "observed-data--1", 0, false, 0);
    OK(f, store_collections(f->store, f->arena, &all, &count, &f->err));
    assert_int_equal(all[0].last_us, 401); /* dates never come again */
}

/* A term goes before the operator's rule, at its microsecond, and 0 is none. */
static void
terms_end(void **state)
{
    struct fixture *f = *state;
    struct store_collection team = {.kind = COLLECTION_TEAM, .team = 1, .id = SPAN("t")};
    const struct store_due one = {1, 1};
    const struct store_object object = {.n = 2, .id = SPAN("observed-data--1"), .spec = 21};
    struct store_batch batch = {.received_us = 100,
        .keep_until_us = 500,
        .count = 1,
        .records = SPAN("\4\0\0\0abcd"),
        .outcomes = SPAN("o")};
    struct store_piece piece = {
        .body = SPAN("{}"), .objects = &object, .count = 1, .reports = 1, .keep_until_us = 700};
    struct store_batch got;
    int64_t first_us;
    size_t added;

    OK(f, store_batch_add(f->store, &batch, &one, 1, &f->err));
    take_in(f, 100, false);
    OK(f, store_collection_add(f->store, &team, &f->err));
    piece.collection = team.number;
    OK(f, store_append(f->store, &piece, 100, &first_us, &added, &f->err));
    add(f, team.number, "observed-data--2", 0, false, 200);
    assert_int_equal(expire_at(f, 0, 0, 499, 10), 0);
    assert_int_equal(expire_at(f, 0, 0, 500, 10), 0); /* it is due */
    OK(f, store_due_done(f->store, 1, &f->err));
    OK(f, store_batch_get(f->store, f->arena, 1, &got, &f->err));
    assert_int_equal(got.keep_until_us, 500);
    assert_int_equal(expire_at(f, 0, 0, 500, 10), 1);
    assert_int_equal(store_batch_get(f->store, f->arena, 1, &got, &f->err), ERR_NOT_FOUND);
    OK(f, store_batch_get(f->store, f->arena, 2, &got, &f->err));
    assert_int_equal(expire_at(f, 0, 0, 699, 10), 0);
    assert_int_equal(expire_at(f, 0, 0, 700, 10), 1);
    assert_int_equal(rows(f, team.number, VERSIONS_ALL), 1);
    assert_int_equal(expire_at(f, 0, 0, INT64_MAX, 10), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(held_is_decided_once),
        ASK_TEST(documents_have_versions),
        ASK_TEST(counts_add_up),
        ASK_TEST(sums_are_kept),
        ASK_TEST(status_is_kept_a_day),
        ASK_TEST(old_batches_go),
        ASK_TEST(old_pieces_go),
        ASK_TEST(terms_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
