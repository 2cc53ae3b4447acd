/* What others say of an agreement waits in memory, and is written all at once. */
#include "foreign_world.h"

static bool
has_journal(const struct world *w)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/journal.jsonl", w->home);
    return access(path, F_OK) == 0;
}

/* What waits to be written is known: said again it is no news, what follows from it is taken, and
 * at the end the files are as if each had been written by itself. */
static void
many_words_are_written_at_once(void **state)
{
    struct world *w = *state;
    static const int both[] = {NORTH, EAST};
    bool news = false;

    sign_by(w, both, 1);
    assert_int_equal(tell(w, NORTH, &news), 0);
    assert_true(news);
    assert_int_equal(tell(w, NORTH, &news), 0);
    assert_false(news);
    sign_by(w, both, 2);
    assert_int_equal(tell(w, EAST, &news), 0);
    assert_true(news);
    for (int round = 0; round < 2; round++) {
        add_event(w, NORTH, NORTH, JOURNAL_SUSPENDED, start_us, start_us);
        assert_int_equal(tell(w, NORTH, &news), 0);
        assert_int_equal(news, round == 0);
    }
    add_event(w, NORTH, NORTH, JOURNAL_RESUMED, start_us + 1, start_us + 1);
    add_event(w, EAST, EAST, JOURNAL_SUSPENDED, start_us + 1, start_us + 1);
    assert_int_equal(tell(w, NORTH, &news), 0);
    assert_true(news);
    assert_false(has_journal(w));
    assert_int_equal(registry_settle(w->registry, &w->err), 0);
    assert_int_equal(registry_settle(w->registry, &w->err), 0); /* nothing waits any more */
    reopen(w);
    assert_int_equal(w->registry->count, 1);
    assert_false(w->registry->agreements[0].broken);
    assert_int_equal(w->registry->journal.count, 6);
    own_signs(w);
    assert_int_equal(stands(w, w->now_us), STANDING_SUSPENDED);
    add_event(w, EAST, EAST, JOURNAL_RESUMED, start_us + 2, start_us + 2);
    assert_int_equal(come(w, EAST), 1);
    assert_int_equal(stands(w, w->now_us), STANDING_IN_FORCE);
}

/* The limits count what waits, as what is kept. */
static void
a_flood_at_once_ends(void **state)
{
    struct world *w = *state;
    int64_t time = start_us;
    bool news;

    agree(w);
    for (int i = 0; i < FOREIGN_EVENTS_MAX; i++, time++) {
        add_event(w, NORTH, NORTH, i % 2 == 0 ? JOURNAL_SUSPENDED : JOURNAL_RESUMED, time, time);
        assert_int_equal(tell(w, NORTH, &news), 0);
    }
    add_event(w, NORTH, NORTH, JOURNAL_RESUMED, time, time);
    assert_int_equal(tell(w, NORTH, &news), ERR_LIMIT);
    assert_int_equal(registry_settle(w->registry, &w->err), 0);
    size_t before = w->registry->journal.count;
    reopen(w);
    assert_int_equal(w->registry->journal.count, before);
    assert_int_equal(before, 4 + FOREIGN_EVENTS_MAX);
}

/* What cannot be written is as if nobody had said it. */
static void
what_cannot_be_written_leaves_nothing(void **state)
{
    struct world *w = *state;
    static const int signers[] = {NORTH};
    char path[128];
    bool news;

    sign_by(w, signers, 1);
    assert_int_equal(tell(w, NORTH, &news), 0);
    (void)snprintf(path, sizeof path, "%s/seen", w->home);
    assert_int_equal(mkdir(path, 0700), 0); /* no file can take its place */
    assert_int_equal(registry_settle(w->registry, &w->err), ERR_IO);
    assert_int_equal(rmdir(path), 0);
    reopen(w);
    assert_int_equal(w->registry->count, 0);
    assert_int_equal(come(w, NORTH), 2);
}

int
main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        ONE(many_words_are_written_at_once),
        ONE(a_flood_at_once_ends),
        ONE(what_cannot_be_written_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
