/* Does `check` find what is broken, and is a backup a store? */
#include "store/link.h"
#include "store_ask.h"

#include <sqlite3.h>
#include <unistd.h>

static void
fill(struct fixture *f)
{
    struct store_collection team = {.kind = COLLECTION_TEAM, .team = 1, .id = SPAN("t")};
    struct store_collection shared = {.kind = COLLECTION_SHARED, .id = SPAN("s")};
    const struct store_due due = {1, 2};
    const uint64_t digests[2] = {1, 2};
    const uint64_t keys[1] = {77};
    struct store_batch batch = {.received_us = 5,
        .count = 2,
        .keys = keys,
        .key_count = 1,
        .records = {"\4\0\0\0abcd\5\0\0\0efghi", 17},
        .outcomes = SPAN("o"),
        .digests = digests};
    struct store_object objects[2] = {{.at = 0, .n = 2, .id = SPAN("a--1"), .spec = 21},
        {.at = 3,
            .n = 4,
            .id = SPAN("indicator--00000000-1234-4abc-8def-0123456789ab"),
            .version_us = 9,
            .spec = 21}};
    struct store_piece piece = {
        .body = SPAN("{},[12]"), .objects = objects, .count = 2, .reports = 2, .batch = 1};
    struct store_principal account = {.name = SPAN("a"), .kind = 5, .team = SPAN("north.test")};
    struct store_link link = {.team = 1, .flags = LINK_PUSH, .url = SPAN("https://a.test")};
    const struct store_link_way way = {.failures = 1, .why = SPAN("busy")};
    uint32_t team_number;
    int64_t first_us;
    size_t added;

    OK(f, store_team(f->store, SPAN("north.test"), &team_number, &f->err));
    OK(f, store_collection_add(f->store, &team, &f->err));
    OK(f, store_collection_add(f->store, &shared, &f->err));
    OK(f, store_batch_add(f->store, &batch, &due, 1, &f->err));
    piece.collection = team.number;
    OK(f, store_append(f->store, &piece, 10, &first_us, &added, &f->err));
    piece.collection = shared.number;
    piece.indexed = true;
    OK(f, store_append(f->store, &piece, 10, &first_us, &added, &f->err));
    OK(f, store_principal_put(f->store, &account, &f->err));
    link.principal = account.number;
    OK(f, store_link_put(f->store, &link, &f->err));
    OK(f, store_link_way_put(f->store, 1, LINK_PUSH, &way, &f->err));
    OK(f, store_commit(f->store, &f->err));
}

struct heard {
    char last[512];
    uint64_t told;
    uint64_t done;
    uint64_t total;
};

static void
hear(void *ctx, const char *what)
{
    struct heard *heard = ctx;

    (void)snprintf(heard->last, sizeof heard->last, "%s", what);
    heard->told++;
}

static void
hear_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct heard *heard = ctx;

    assert_true(done <= total);
    heard->done = done;
    heard->total = total;
}

static uint64_t
faults(struct fixture *f, struct heard *heard)
{
    uint64_t count;

    *heard = (struct heard){.told = 0};
    OK(f, store_check(f->store, hear, heard, hear_progress, &count, &f->err));
    assert_int_equal(count, heard->told);
    return count;
}

static void
whole_store_has_no_faults(void **state)
{
    struct fixture *f = *state;
    struct heard heard;

    assert_int_equal(faults(f, &heard), 0);
    fill(f);
    if (faults(f, &heard) != 0)
        fail_msg("%s", heard.last);
    assert_int_equal(heard.done, 3);
    assert_int_equal(heard.total, 3);
}

/* Each of these breaks one thing, and each must be told. */
static void
each_fault_is_found(void **state)
{
    static const char *const breaks[] = {
        "UPDATE batch SET reports = 3",
        "UPDATE batch SET records_bytes = 16",
        "UPDATE batch SET first_us = 1",
        "UPDATE batch_body SET records = x'00'",
        "UPDATE batch_body SET outcomes = substr(outcomes, 1, length(outcomes) - 1)",
        "DELETE FROM batch_body",
        "DELETE FROM batch_filter",
        "UPDATE batch_digest SET digests = x'0011'",
        "DELETE FROM batch",
        "UPDATE due SET batch = 7",
        "UPDATE due SET team = 7",
        "UPDATE piece SET objects = objects + 1",
        "UPDATE piece SET lasts = 0",
        "UPDATE piece SET first_us = last_us",
        "UPDATE piece SET filter = x'0100'",
        "DELETE FROM piece_body WHERE number = 1",
        "UPDATE piece_body SET entries = x'00'",
        "UPDATE piece_body SET raw_bytes = 4",
        /* where its first object begins */
        "UPDATE piece_body SET entries = substr(entries, 1, 12) || x'01' || substr(entries, 14)",
        "DELETE FROM piece WHERE number = 2",
        "UPDATE collection SET objects = 1",
        "UPDATE collection SET last_us = 1",
        "DELETE FROM collection",
        "DELETE FROM object",
        "UPDATE object SET piece = 8",
        "UPDATE link SET team = 7; UPDATE link_way SET team = 7",
        "UPDATE link SET principal = 7",
        "DELETE FROM link",
        "INSERT INTO token VALUES (1, 5, 0, x'00', '', 0, 0, 0)",
        "INSERT INTO tally VALUES (1, 1, 2, 3, 4)",
        "INSERT INTO tally_team VALUES (1, 2, 3, 4)",
        "INSERT INTO tally_kind VALUES (1, 2, 3, 4)",
        "INSERT INTO held VALUES (1, 1, 0, 1, 0, 0, 0, 0, '', '')",
    };
    struct fixture *f = *state;
    struct heard heard;
    char path[128];
    char copy[128];
    sqlite3 *db;

    fill(f);
    (void)snprintf(path, sizeof path, "%s/node.db", f->folder);
    (void)snprintf(copy, sizeof copy, "%s/whole.db", f->folder);
    OK(f, store_backup(f->store, copy, NULL, NULL, &f->err));
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        char command[300];
        store_close(f->store);
        (void)snprintf(command, sizeof command, "cp %s %s", copy, path);
        assert_int_equal(system(command), 0);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        if (sqlite3_exec(db, breaks[i], NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s: %s", breaks[i], sqlite3_errmsg(db));
        (void)sqlite3_close(db);
        ask_open(f, STORE_WRITE);
        if (faults(f, &heard) == 0)
            fail_msg("not found: %s", breaks[i]);
    }
}

/* Bytes changed on the disk, anywhere: told as faults or as an error, and never a crash. */
static void
damaged_bytes_do_no_harm(void **state)
{
    struct fixture *f = *state;
    struct heard heard;
    char path[128];
    uint64_t random = 5;
    uint64_t count;

    fill(f);
    (void)snprintf(path, sizeof path, "%s/node.db", f->folder);
    store_close(f->store);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    static char bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    for (int round = 0; round < 200; round++) {
        file = fopen(path, "wb");
        assert_non_null(file);
        (void)fwrite(bytes, 1, n, file);
        for (int i = 0; i < 20; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            (void)fseek(file, (long)((random >> 20) % n), SEEK_SET);
            (void)fputc((int)(random >> 56), file);
        }
        (void)fclose(file);
        heard = (struct heard){.told = 0};
        if (store_open(f->folder, STORE_READ, &f->store, &f->err) == 0
            && store_check(f->store, hear, &heard, NULL, &count, &f->err) != 0)
            assert_int_not_equal(f->err.code, ERR_OK);
        store_close(f->store);
        f->store = NULL;
    }
}

static void
backup_is_a_store(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {.told = 0};
    struct store_batch got;
    struct store_info about;
    char path[128];

    fill(f);
    (void)snprintf(path, sizeof path, "%s/copy", f->folder);
    assert_int_equal(mkdtemp(strcat(path, "XXXXXX")) != NULL, 1);
    (void)strcat(path, "/node.db");
    OK(f, store_set(f->store, "later", SPAN("x"), &f->err)); /* not committed: not in it */
    OK(f, store_backup(f->store, path, hear_progress, &heard, &f->err));
    OK(f, store_commit(f->store, &f->err));
    assert_true(heard.total > 0 && heard.done == heard.total);
    assert_int_equal(store_backup(f->store, path, NULL, NULL, &f->err), ERR_EXISTS);
    assert_int_equal(
        store_backup(f->store, "/tmp/comity-none.test/x/y", NULL, NULL, &f->err), ERR_IO);
    store_close(f->store);
    *strrchr(path, '/') = '\0';
    struct span value;
    OK(f, store_open(path, STORE_WRITE, &f->store, &f->err));
    OK(f, store_get(f->store, f->arena, "later", &value, &f->err));
    assert_int_equal(value.n, 0);
    OK(f, store_batch_get(f->store, f->arena, 1, &got, &f->err));
    assert_int_equal(faults(f, &heard), 0);
    OK(f, store_info(f->store, &about, &f->err));
    assert_true(about.version == STORE_VERSION && about.reports == 2 && about.due == 2
        && about.objects == 4 && about.collections == 2 && about.oldest_us == 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ASK_TEST(whole_store_has_no_faults),
        ASK_TEST(each_fault_is_found),
        ASK_TEST(damaged_bytes_do_no_harm),
        ASK_TEST(backup_is_a_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
