/* The store's life, transactions, teams, batches, outbox, principals and tokens. */
#include "store/filter.h"
#include "store/link.h"
#include "store/mail.h"
#include "store/recall.h"
#include "store_ask.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- life ---- */

static void
opens_only_what_is_there(void **state)
{
    struct fixture *f = *state;
    struct store *other = NULL;
    struct stat about;
    char path[128];

    assert_int_equal(
        store_open("/tmp/comity-none.test", STORE_READ, &other, &f->err), ERR_NOT_FOUND);
    assert_int_equal(
        store_open("/tmp/comity-none.test", STORE_WRITE, &other, &f->err), ERR_NOT_FOUND);
    (void)snprintf(path, sizeof path, "%s/node.db", f->folder);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
}

static void
one_writer_many_readers(void **state)
{
    struct fixture *f = *state;
    struct store *other = NULL;
    struct store *reader = NULL;
    struct span value;

    OK(f, store_set(f->store, "id", SPAN("one"), &f->err));
    OK(f, store_commit(f->store, &f->err));
    assert_int_equal(store_open(f->folder, STORE_WRITE, &other, &f->err), ERR_EXISTS);
    assert_null(other);
    OK(f, store_open(f->folder, STORE_READ, &reader, &f->err));
    OK(f, store_set(f->store, "id", SPAN("two"), &f->err));
    OK(f, store_get(reader, f->arena, "id", &value, &f->err));
    assert_true(span_equal(value, SPAN("one")));
    OK(f, store_commit(f->store, &f->err));
    OK(f, store_get(reader, f->arena, "id", &value, &f->err));
    assert_true(span_equal(value, SPAN("two")));
    assert_int_equal(store_set(reader, "id", SPAN("three"), &f->err), ERR_INTERNAL);
    store_close(reader);
}

static void
sql(struct fixture *f, const char *text)
{
    char path[128];
    sqlite3 *db = NULL;

    (void)snprintf(path, sizeof path, "%s/node.db", f->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

static size_t
file_bytes(struct fixture *f, char *out, size_t room)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/node.db", f->folder);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(out, 1, room, file);
    (void)fclose(file);
    return n;
}

static void
newer_store_is_left_alone(void **state)
{
    struct fixture *f = *state;
    static char before[1 << 20];
    static char after[1 << 20];

    store_close(f->store);
    sql(f, "PRAGMA user_version = 1000");
    size_t n = file_bytes(f, before, sizeof before);
    assert_int_equal(store_open(f->folder, STORE_WRITE, &f->store, &f->err), ERR_NEWER_STORE);
    assert_int_equal(store_open(f->folder, STORE_CREATE, &f->store, &f->err), ERR_NEWER_STORE);
    assert_int_equal(store_open(f->folder, STORE_READ, &f->store, &f->err), ERR_NEWER_STORE);
    assert_int_equal(file_bytes(f, after, sizeof after), n);
    assert_memory_equal(before, after, n);
}

/* Version 0 never was released: a store that was begun and has no tables yet, and something of the
 * operator's, which stays. */
static void
older_store_comes_forward(void **state)
{
    struct fixture *f = *state;
    char command[128];
    uint32_t team;

    store_close(f->store);
    (void)snprintf(command, sizeof command, "rm %s/node.db", f->folder);
    assert_int_equal(system(command), 0);
    sql(f,
        "PRAGMA application_id = 1129141337; CREATE TABLE note (text TEXT);"
        "INSERT INTO note VALUES ('kept')");
    assert_int_equal(store_open(f->folder, STORE_READ, &f->store, &f->err), ERR_BAD_STORE);
    ask_open(f, STORE_WRITE);
    OK(f, store_team(f->store, SPAN("north.test"), &team, &f->err));
    OK(f, store_set(f->store, "a", SPAN("b"), &f->err));
    OK(f, store_commit(f->store, &f->err));
    store_close(f->store);
    sql(f, "UPDATE note SET text = text || '!'; UPDATE team SET id = id");
    ask_open(f, STORE_READ);
    store_close(f->store);
    ask_open(f, STORE_WRITE);
    assert_true(span_equal(store_team_id(f->store, team), SPAN("north.test")));
}

/* Version 1 had all but the ledger. */
static void
version_1_gets_a_ledger(void **state)
{
    struct fixture *f = *state;
    struct store_delivery *list;
    struct span value;
    uint32_t team;
    size_t count;

    OK(f, store_team(f->store, SPAN("north.test"), &team, &f->err));
    OK(f, store_set(f->store, "a", SPAN("b"), &f->err));
    OK(f, store_commit(f->store, &f->err));
    store_close(f->store);
    sql(f,
        WITHOUT_3 "DROP TABLE ledger_entry; DROP TABLE ledger_tile; DROP TABLE delivery;"
                  "PRAGMA user_version = 1");
    assert_int_equal(store_open(f->folder, STORE_READ, &f->store, &f->err), ERR_BAD_STORE);
    ask_open(f, STORE_WRITE);
    OK(f, store_deliveries(f->store, f->arena, 1, &list, &count, &f->err));
    assert_int_equal(count, 0);
    OK(f, store_get(f->store, f->arena, "a", &value, &f->err));
    assert_true(span_equal(value, SPAN("b")));
    assert_true(span_equal(store_team_id(f->store, team), SPAN("north.test")));
}

static void
version_2_gets_what_nodes_exchange(void **state)
{
    struct fixture *f = *state;
    struct store_link *list;
    struct span value;
    const struct store_recall recall = {.batch = 1, .place = 2, .id = SPAN("x"), .team = 1};
    struct store_recall *recalls;
    struct store_mail *mails;
    size_t count;

    OK(f, store_set(f->store, "a", SPAN("b"), &f->err));
    OK(f, store_commit(f->store, &f->err));
    store_close(f->store);
    sql(f, WITHOUT_3 "PRAGMA user_version = 2");
    assert_int_equal(store_open(f->folder, STORE_READ, &f->store, &f->err), ERR_BAD_STORE);
    ask_open(f, STORE_WRITE);
    OK(f, store_links(f->store, f->arena, &list, &count, &f->err));
    assert_int_equal(count, 0);
    OK(f, store_recall_add(f->store, &recall, &f->err));
    assert_int_equal(store_recall_add(f->store, &recall, &f->err), ERR_EXISTS);
    OK(f, store_recalls_by_id(f->store, f->arena, SPAN("x"), &recalls, &count, &f->err));
    assert_int_equal(count, 1);
    OK(f, store_mails(f->store, f->arena, &mails, &count, &f->err));
    assert_int_equal(count, 0);
    OK(f, store_get(f->store, f->arena, "a", &value, &f->err));
    assert_true(span_equal(value, SPAN("b")));
}

static void
foreign_file_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[128];

    store_close(f->store);
    sql(f, "PRAGMA application_id = 7");
    assert_int_equal(store_open(f->folder, STORE_WRITE, &f->store, &f->err), ERR_BAD_STORE);
    (void)snprintf(path, sizeof path, "%s/node.db", f->folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++)
        (void)fputc('x', file);
    (void)fclose(file);
    assert_int_equal(store_open(f->folder, STORE_WRITE, &f->store, &f->err), ERR_BAD_STORE);
}

/* ---- transactions ---- */

static void
rolled_back_is_gone(void **state)
{
    struct fixture *f = *state;
    struct span value;

    assert_false(store_changing(f->store));
    OK(f, store_set(f->store, "a", SPAN("1"), &f->err));
    assert_true(store_changing(f->store));
    store_rollback(f->store);
    assert_false(store_changing(f->store));
    OK(f, store_get(f->store, f->arena, "a", &value, &f->err));
    assert_int_equal(value.n, 0);
    OK(f, store_begin(f->store, &f->err));
    OK(f, store_set(f->store, "a", (struct span){"\0\1", 2}, &f->err));
    OK(f, store_commit(f->store, &f->err));
    OK(f, store_commit(f->store, &f->err)); /* nothing to do */
    ask_again(f);
    OK(f, store_get(f->store, f->arena, "a", &value, &f->err));
    assert_true(span_equal(value, ((struct span){"\0\1", 2})));
}

/* ---- teams ---- */

static void
teams_keep_their_numbers(void **state)
{
    struct fixture *f = *state;
    uint32_t a;
    uint32_t b;
    uint32_t c;

    OK(f, store_team(f->store, SPAN("north.test"), &a, &f->err));
    OK(f, store_team(f->store, SPAN("south.test"), &b, &f->err));
    assert_int_not_equal(a, b);
    OK(f, store_begin(f->store, &f->err));
    store_rollback(f->store);
    OK(f, store_team(f->store, SPAN("north.test"), &c, &f->err));
    assert_int_equal(a, c);
    OK(f, store_begin(f->store, &f->err));
    OK(f, store_commit(f->store, &f->err));
    ask_again(f);
    assert_true(span_equal(store_team_id(f->store, b), SPAN("south.test")));
    OK(f, store_team(f->store, SPAN("south.test"), &c, &f->err));
    assert_int_equal(b, c);
    assert_int_equal(store_team_id(f->store, 0).n, 0);
    assert_int_equal(store_team_id(f->store, 3).n, 0);
    assert_int_equal(store_team(f->store, SPAN(""), &c, &f->err), ERR_LIMIT);
}

/* ---- batches ---- */

enum { KEYS = 3 };

static void
add_batch(struct fixture *f, uint32_t count, int64_t received_us, uint64_t salt)
{
    static char records[STORE_BATCH_REPORTS * 8];
    static uint64_t keys[STORE_BATCH_REPORTS * KEYS];
    static uint64_t digests[STORE_BATCH_REPORTS];
    const struct store_due due[2] = {{1, count}, {2, 1}};

    for (uint32_t i = 0; i < count; i++) {
        (void)memcpy(records + i * 8, "abcdefgh", 8);
        records[i * 8] = (char)(salt + i);
        digests[i] = salt * 1000000 + i;
        for (uint32_t k = 0; k < KEYS; k++)
            keys[i * KEYS + k] = (salt * 1000000 + i) * 0x9e3779b97f4a7c15u + k;
    }
    struct store_batch batch = {.received_us = received_us,
        .first_us = received_us - 10,
        .last_us = received_us - 1,
        .count = count,
        .tag = UINT64_MAX - salt,
        .records = {records, count * 8},
        .outcomes = SPAN("outcomes"),
        .keys = keys,
        .key_count = count * KEYS,
        .digests = digests};
    OK(f, store_batch_add(f->store, &batch, due, 2, &f->err));
    assert_int_not_equal(batch.number, 0);
}

static void
batches_come_back(void **state)
{
    struct fixture *f = *state;
    struct store_batch got;

    add_batch(f, 4096, 1000, 1);
    add_batch(f, 1, 2000, 2);
    OK(f, store_commit(f->store, &f->err));
    ask_again(f);
    OK(f, store_batch_get(f->store, f->arena, 1, &got, &f->err));
    assert_int_equal(got.number, 1);
    assert_int_equal(got.count, 4096);
    assert_int_equal(got.received_us, 1000);
    assert_int_equal(got.first_us, 990);
    assert_int_equal(got.last_us, 999);
    assert_true(got.tag == UINT64_MAX - 1);
    assert_int_equal(got.records.n, 4096 * 8);
    assert_int_equal(got.records.p[8 * 5], 6);
    assert_true(span_equal(got.outcomes, SPAN("outcomes")));
    OK(f, store_batch_get(f->store, f->arena, 2, &got, &f->err));
    assert_int_equal(got.count, 1);
    assert_int_equal(store_batch_get(f->store, f->arena, 3, &got, &f->err), ERR_NOT_FOUND);
    struct store_batch wrong = {.count = 0};
    assert_int_equal(store_batch_add(f->store, &wrong, NULL, 0, &f->err), ERR_LIMIT);
    wrong.count = STORE_BATCH_REPORTS + 1;
    assert_int_equal(store_batch_add(f->store, &wrong, NULL, 0, &f->err), ERR_LIMIT);
}

static void
search_misses_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned vain = 0;

    for (uint64_t b = 1; b <= 60; b++)
        add_batch(f, 200, (int64_t)b * 100, b);
    OK(f, store_commit(f->store, &f->err));
    for (uint64_t b = 1; b <= 60; b++)
        for (uint64_t i = 0; i < 200; i += 37) {
            uint64_t keys[2] = {(b * 1000000 + i) * 0x9e3779b97f4a7c15u,
                (b * 1000000 + i) * 0x9e3779b97f4a7c15u + 2};
            struct store_search search = {.until_us = INT64_MAX, .keys = keys, .key_count = 2};
            bool found = false;
            uint64_t number = 0;
            do {
                OK(f, store_batch_search(f->store, &search, number, &number, &f->err));
                found |= number == b;
                vain += number != 0 && number != b;
            } while (number != 0);
            assert_true(found);
        }
    assert_true(vain < 60); /* of some 20 000 */
}

static void
search_by_time(void **state)
{
    struct fixture *f = *state;
    struct store_search search = {.since_us = 200, .until_us = 400};
    uint64_t number = 0;

    for (uint64_t b = 1; b <= 5; b++)
        add_batch(f, 2, (int64_t)b * 100, b);
    OK(f, store_batch_search(f->store, &search, 0, &number, &f->err));
    assert_int_equal(number, 3);
    OK(f, store_batch_search(f->store, &search, number, &number, &f->err));
    assert_int_equal(number, 2);
    OK(f, store_batch_search(f->store, &search, number, &number, &f->err));
    assert_int_equal(number, 0);
}

/* A key that is not kept for batches before number 3 narrows those behind it alone. */
static void
search_by_a_later_key(void **state)
{
    struct fixture *f = *state;
    const uint64_t keys[2] = {4000000 * 0x9e3779b97f4a7c15u, 7};
    struct store_search search = {
        .until_us = INT64_MAX, .keys = keys + 1, .key_count = 1, .late = 1, .late_from = 3};
    uint64_t number = 0;

    for (uint64_t b = 1; b <= 5; b++)
        add_batch(f, 2, (int64_t)b * 100, b);
    OK(f, store_batch_search(f->store, &search, 0, &number, &f->err));
    assert_int_equal(number, 2);
    search = (struct store_search){
        .until_us = INT64_MAX, .keys = keys, .key_count = 2, .late = 1, .late_from = 5};
    OK(f, store_batch_search(f->store, &search, 0, &number, &f->err));
    assert_int_equal(number, 4);
    OK(f, store_batch_search(f->store, &search, number, &number, &f->err));
    assert_int_equal(number, 0);
}

struct told {
    uint64_t digests[1000];
    size_t count;
};

static void
tell(void *ctx, const uint64_t *digests, size_t count)
{
    struct told *told = ctx;

    assert_true(told->count + count <= 1000);
    memcpy(told->digests + told->count, digests, count * sizeof *digests);
    told->count += count;
}

static void
newest_digests(void **state)
{
    struct fixture *f = *state;
    struct told told = {.count = 0};

    for (uint64_t b = 1; b <= 5; b++)
        add_batch(f, 100, 1, b);
    OK(f, store_digests(f->store, 250, tell, &told, &f->err));
    assert_int_equal(told.count, 250);
    assert_int_equal(told.digests[0], 3000050);
    assert_int_equal(told.digests[50], 4000000);
    assert_int_equal(told.digests[249], 5000099);
    told.count = 0;
    OK(f, store_digests(f->store, 10000, tell, &told, &f->err));
    assert_int_equal(told.count, 500);
    told.count = 0;
    OK(f, store_digests(f->store, 0, tell, &told, &f->err));
    assert_int_equal(told.count, 0);
}

static void
outbox_in_order(void **state)
{
    struct fixture *f = *state;
    struct store_queue *queues;
    size_t count;
    uint64_t batch;

    OK(f, store_due_next(f->store, &batch, &f->err));
    assert_int_equal(batch, 0);
    add_batch(f, 10, 500, 1);
    add_batch(f, 20, 600, 2);
    OK(f, store_commit(f->store, &f->err));
    OK(f, store_queues(f->store, f->arena, &queues, &count, &f->err));
    assert_int_equal(count, 2);
    assert_int_equal(queues[0].team, 1);
    assert_int_equal(queues[0].due, 30);
    assert_int_equal(queues[0].oldest_us, 500);
    assert_int_equal(queues[1].due, 2);
    OK(f, store_due_next(f->store, &batch, &f->err));
    assert_int_equal(batch, 1);
    OK(f, store_due_done(f->store, 1, &f->err));
    OK(f, store_due_next(f->store, &batch, &f->err));
    assert_int_equal(batch, 2);
    store_rollback(f->store);
    OK(f, store_due_next(f->store, &batch, &f->err));
    assert_int_equal(batch, 1);
}

static void
never_went_is_known_as_long_as_its_batch(void **state)
{
    struct fixture *f = *state;
    const struct store_unsent large = {1, 3, 7, STORE_UNSENT_LARGE, 42};
    struct store_unsent got = {.batch = 1, .place = 3, .team = 7};
    struct store_unsent other = {.batch = 1, .place = 3, .team = 8};
    uint32_t removed;
    bool there;

    add_batch(f, 10, 500, 1);
    OK(f, store_due_done(f->store, 1, &f->err));
    OK(f, store_unsent_add(f->store, &large, &f->err));
    OK(f, store_unsent_add(f->store, &large, &f->err));
    OK(f, store_unsent_get(f->store, &got, &there, &f->err));
    assert_true(there && got.why == STORE_UNSENT_LARGE && got.at_us == 42);
    OK(f, store_unsent_get(f->store, &other, &there, &f->err));
    assert_false(there);
    OK(f, store_expire(f->store, 500, 0, 0, 10, &removed, &f->err));
    OK(f, store_unsent_get(f->store, &got, &there, &f->err));
    assert_true(there);
    OK(f, store_expire(f->store, 501, 0, 0, 10, &removed, &f->err));
    assert_int_equal(removed, 1);
    OK(f, store_unsent_get(f->store, &got, &there, &f->err));
    assert_false(there);
}

/* ---- principals ---- */

static void
principals_have_names_of_their_own(void **state)
{
    struct fixture *f = *state;
    struct store_principal ann = {.name = SPAN("ann"),
        .kind = 2,
        .password = SPAN("$argon2id$"),
        .must_change = true,
        .created_us = 5};
    struct store_principal bo = {.name = SPAN("bo"), .kind = 1, .team = SPAN("north.test")};
    struct store_principal again = {.name = SPAN("ann")};
    struct store_principal *all;
    size_t count;

    OK(f, store_principal_put(f->store, &ann, &f->err));
    OK(f, store_principal_put(f->store, &bo, &f->err));
    assert_int_equal(ann.number, 1);
    assert_int_equal(bo.number, 2);
    assert_int_equal(store_principal_put(f->store, &again, &f->err), ERR_EXISTS);
    bo.name = SPAN("ann");
    assert_int_equal(store_principal_put(f->store, &bo, &f->err), ERR_EXISTS);
    ann.disabled = true;
    ann.must_change = false;
    ann.seen_us = 9;
    OK(f, store_principal_put(f->store, &ann, &f->err));
    again = (struct store_principal){.number = 77, .name = SPAN("cy")};
    assert_int_equal(store_principal_put(f->store, &again, &f->err), ERR_NOT_FOUND);
    OK(f, store_commit(f->store, &f->err)); /* refusals do not end a transaction */
    OK(f, store_principals(f->store, f->arena, &all, &count, &f->err));
    assert_int_equal(count, 2);
    assert_true(span_equal(all[0].password, SPAN("$argon2id$")));
    assert_true(all[0].disabled && !all[0].must_change && all[0].seen_us == 9);
    assert_true(span_equal(all[1].team, SPAN("north.test")));
    assert_true(span_equal(all[1].name, SPAN("bo")));
}

static void
tokens_end(void **state)
{
    struct fixture *f = *state;
    struct store_token a = {.principal = 1,
        .hash = {1},
        .label = SPAN("cron"),
        .created_us = 10,
        .expires_us = INT64_MAX};
    struct store_token b = {
        .principal = 1, .session = true, .hash = {2}, .created_us = 11, .expires_us = 100};
    struct store_token c = {.principal = 2, .hash = {3}, .created_us = 101, .expires_us = 200};
    struct store_token got;
    struct store_token *all;
    size_t count;

    OK(f, store_token_add(f->store, &a, &f->err));
    OK(f, store_token_add(f->store, &b, &f->err));
    assert_int_equal(store_token_add(f->store, &b, &f->err), ERR_EXISTS);
    OK(f, store_token_find(f->store, f->arena, b.hash, &got, &f->err));
    assert_true(got.session && got.principal == 1 && got.expires_us == 100 && got.number == 2);
    OK(f, store_token_seen(f->store, 1, 50, &f->err));
    OK(f, store_tokens(f->store, f->arena, 1, &all, &count, &f->err));
    assert_int_equal(count, 2);
    assert_true(span_equal(all[0].label, SPAN("cron")) && all[0].seen_us == 50);
    OK(f, store_token_add(f->store, &c, &f->err)); /* b is over by then */
    assert_int_equal(store_token_find(f->store, f->arena, b.hash, &got, &f->err), ERR_NOT_FOUND);
    OK(f, store_token_remove(f->store, c.number, &f->err));
    OK(f, store_token_add(f->store, &b, &f->err));
    assert_int_equal(b.number, 4); /* numbers do not come again */
    OK(f, store_commit(f->store, &f->err));
}

/* ---- filter ---- */

static void
filter_holds(void **state)
{
    struct buf work = buf_new(1 << 24);
    static uint64_t keys[20000];
    struct span filter;
    struct err err;
    unsigned vain = 0;

    (void)state;
    for (uint64_t i = 0; i < 20000; i++)
        keys[i] = (i % 10000) * 0x9e3779b97f4a7c15u;
    assert_int_equal(filter_make(&work, keys, 20000, &filter, &err), 0);
    assert_true(filter.n <= filter_bytes(10000));
    for (size_t i = 0; i < 20000; i++)
        assert_true(filter_may_hold(filter, keys[i]));
    for (uint64_t i = 10000; i < 110000; i++)
        vain += filter_may_hold(filter, i * 0x9e3779b97f4a7c15u);
    assert_true(vain < 500); /* 0.26 % are to be expected */
    assert_int_equal(filter_make(&work, NULL, 0, &filter, &err), 0);
    assert_false(filter_may_hold(filter, 5));
    assert_true(filter_whole(filter));
    assert_true(filter_may_hold(SPAN("x"), 5));
    buf_free(&work);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(opens_only_what_is_there),
        ASK_TEST(one_writer_many_readers),
        ASK_TEST(newer_store_is_left_alone),
        ASK_TEST(version_1_gets_a_ledger),
        ASK_TEST(version_2_gets_what_nodes_exchange),
        ASK_TEST(older_store_comes_forward),
        ASK_TEST(foreign_file_is_refused),
        ASK_TEST(rolled_back_is_gone),
        ASK_TEST(teams_keep_their_numbers),
        ASK_TEST(batches_come_back),
        ASK_TEST(search_misses_nothing),
        ASK_TEST(search_by_time),
        ASK_TEST(search_by_a_later_key),
        ASK_TEST(newest_digests),
        ASK_TEST(outbox_in_order),
        ASK_TEST(never_went_is_known_as_long_as_its_batch),
        ASK_TEST(principals_have_names_of_their_own),
        ASK_TEST(tokens_end),
        cmocka_unit_test(filter_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
