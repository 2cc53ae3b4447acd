/* A store that cannot be read after a loss: no report is taken in until it can, so none is doubled.
 */
#include "core_ask.h"
#include "core_reports.h"

#include <sqlite3.h>

static void
say(const struct core_test *t, const char *text)
{
    char path[256];
    sqlite3 *db;

    (void)snprintf(path, sizeof path, "%s/node.db", t->home);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int
status(struct core_test *t, enum door door)
{
    return core_test_ask(t, door, MESSAGE_STATUS, &core_reports_nobody, SPAN(""));
}

static void
nothing_comes_in_until_the_store_can_be_read(void **state)
{
    struct core_test t;
    struct maker m = {.records = buf_new(1 << 20)};
    struct err err = {.code = ERR_IO, .msg = "the device failed"};

    (void)state;
    core_test_start(&t);
    for (unsigned i = 0; i < 100; i++)
        core_reports_add(&m, "192.0.2.200", i, "green");
    assert_int_equal(core_reports_take(&t, &m).stored, 100);
    say(&t, "ALTER TABLE batch_digest RENAME TO away");
    core_lose(&t.core, &err);
    for (int i = 0; i < 2; i++) { /* what is judged by can be read; that is not enough */
        (void)core_reports_open_stream(&t, DOOR_LOCAL, 0);
        assert_int_equal(t.refusal.code, ERR_BUSY);
        assert_int_equal(status(&t, DOOR_OPERATORS), ERR_BUSY);
    }
    say(&t, "ALTER TABLE away RENAME TO batch_digest");
    do
        (void)core_reports_open_stream(&t, DOOR_LOCAL, 0);
    while (t.refusal.code == ERR_BUSY);
    assert_int_equal(t.refusal.code, 0);
    assert_int_equal(status(&t, DOOR_OPERATORS), 0);
    assert_int_equal(core_reports_take(&t, &m).duplicate, 100);
    buf_free(&m.records);
    core_test_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_in_until_the_store_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
