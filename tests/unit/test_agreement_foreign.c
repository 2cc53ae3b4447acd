/* What other parties say of an agreement: what is kept of it, from when on it holds, what is not
 * believed. */
#include "foreign_world.h"

static void
nothing_holds_before_the_own_signature(void **state)
{
    struct world *w = *state;
    static const int all[] = {NORTH, EAST, OWN};

    agree(w);
    /* Whoever shows it: even the own signature, when the register has lost it. */
    (void)close_world(state);
    (void)open_world(state);
    w = *state;
    sign_by(w, all, 3);
    assert_int_equal(come(w, EAST), 3);
    assert_int_equal(stands(w, w->now_us), STANDING_WAITS);
    assert_int_equal(w->registry->agreements[0].signature_count, 2);
    assert_int_equal(come(w, NORTH), 0);
}

static void
at_once_is_when_it_came(void **state)
{
    struct world *w = *state;

    agree(w);
    /* Their clock is an hour ahead, then behind. */
    add_event(w, NORTH, NORTH, JOURNAL_SUSPENDED, start_us + 3600000000, start_us + 3600000000);
    assert_int_equal(come(w, NORTH), 1);
    assert_int_equal(stands(w, w->now_us - 1), STANDING_IN_FORCE);
    assert_int_equal(stands(w, w->now_us), STANDING_SUSPENDED);
    add_event(w, EAST, EAST, JOURNAL_ENDED, start_us - 3600000000, start_us - 3600000000);
    assert_int_equal(come(w, EAST), 1);
    assert_int_equal(stands(w, w->now_us - 1), STANDING_SUSPENDED);
    assert_int_equal(stands(w, w->now_us), STANDING_ENDED);
}

static void
a_named_instant_is_the_same_everywhere(void **state)
{
    struct world *w = *state;
    int64_t at = start_us + 5000000;

    agree(w);
    add_event(w, NORTH, NORTH, JOURNAL_SUSPENDED, start_us, at);
    assert_int_equal(come(w, NORTH), 1);
    assert_int_equal(stands(w, at - 1), STANDING_IN_FORCE);
    assert_int_equal(stands(w, at), STANDING_SUSPENDED);
    /* A later word for an earlier instant leaves the suspension to come, as it does at home. */
    add_event(w, NORTH, NORTH, JOURNAL_RESUMED, start_us + 1, at - 1000);
    assert_int_equal(come(w, NORTH), 1);
    assert_int_equal(stands(w, at), STANDING_SUSPENDED);
    /* Both came late: what north itself named decides, not that they came at once. */
    add_event(w, EAST, EAST, JOURNAL_SUSPENDED, start_us - 100, start_us - 10);
    add_event(w, EAST, EAST, JOURNAL_RESUMED, start_us - 99, start_us - 20);
    add_event(w, NORTH, NORTH, JOURNAL_RESUMED, start_us + 2, at + 1);
    assert_int_equal(come(w, EAST), 3);
    assert_int_equal(stands(w, at + 2), STANDING_SUSPENDED);
    assert_true(span_equal(
        journal_doer(standing_suspended(w->registry->events[0], at + 2)), span_of(teams[EAST])));
}

static void
each_resumes_for_itself(void **state)
{
    struct world *w = *state;

    agree(w);
    add_event(w, NORTH, NORTH, JOURNAL_SUSPENDED, start_us, start_us);
    add_event(w, EAST, EAST, JOURNAL_SUSPENDED, start_us, start_us);
    assert_int_equal(come(w, NORTH), 2);
    add_event(w, NORTH, NORTH, JOURNAL_RESUMED, start_us + 1, start_us + 1);
    assert_int_equal(come(w, NORTH), 1);
    assert_int_equal(stands(w, w->now_us), STANDING_SUSPENDED);
    struct agreement_change own = {
        .type = JOURNAL_RESUMED, .now_us = ++w->now_us, .at_us = w->now_us};
    assert_int_equal(
        agreement_life_change(w->registry, 0, &own, &w->keys[OWN], &w->err), ERR_EXISTS);
    add_event(w, EAST, EAST, JOURNAL_RESUMED, start_us + 1, start_us + 1);
    assert_int_equal(come(w, NORTH), 1);
    assert_int_equal(stands(w, w->now_us), STANDING_IN_FORCE);
}

/* Once, in their order, and nothing behind an end. */
static void
repetitions_change_nothing(void **state)
{
    struct world *w = *state;

    agree(w);
    add_event(w, NORTH, NORTH, JOURNAL_SUSPENDED, start_us + 1, start_us + 1);
    add_event(w, NORTH, NORTH, JOURNAL_RESUMED, start_us + 2, start_us + 2);
    add_event(w, NORTH, NORTH, JOURNAL_SUSPENDED, start_us + 3, start_us + 3);
    assert_int_equal(come(w, NORTH), 3);
    for (int again = 1; again <= 3; again++) {
        add_event(w, NORTH, NORTH, again == 2 ? JOURNAL_RESUMED : JOURNAL_SUSPENDED,
            start_us + again, start_us + again);
        assert_int_equal(come(w, again == 1 ? EAST : NORTH), 0);
    }
    add_event(w, NORTH, NORTH, JOURNAL_RESUMED, start_us + 2, start_us + 9); /* never said before */
    assert_int_equal(come(w, NORTH), 0);
    assert_int_equal(stands(w, w->now_us + 100), STANDING_SUSPENDED);
    add_event(w, NORTH, NORTH, JOURNAL_ENDED, start_us + 4, start_us + 4);
    add_event(w, NORTH, NORTH, JOURNAL_RESUMED, start_us + 5, start_us + 5);
    assert_int_equal(come(w, NORTH), 1);
    assert_int_equal(stands(w, w->now_us), STANDING_ENDED);
}

static void
who_may_say_it(void **state)
{
    struct world *w = *state;
    static const int signers[] = {NORTH, STRANGER};

    agree(w);
    add_event(w, NORTH, STRANGER, JOURNAL_ENDED, start_us, start_us); /* by a key that is not */
    assert_int_equal(come(w, NORTH), 0);
    assert_true(span_equal(w->strange, span_of(teams[NORTH])));
    add_event(w, NORTH, EAST, JOURNAL_ENDED, start_us, start_us); /* another party's */
    assert_int_equal(come(w, NORTH), 0);
    assert_true(span_equal(w->strange, span_of(teams[NORTH])));
    add_event(w, NORTH, STRANGER, JOURNAL_ENDED, start_us, start_us);
    assert_int_equal(come(w, EAST), 0); /* relayed, it counts as none */
    assert_true(span_equal(w->strange, span_of(teams[NORTH])));
    add_event(w, STRANGER, STRANGER, JOURNAL_ENDED, start_us, start_us);
    assert_int_equal(come(w, NORTH), ERR_NOT_ALLOWED);
    add_event(w, OWN, OWN, JOURNAL_ENDED, start_us, start_us);
    assert_int_equal(come(w, NORTH), 0); /* this team does things at home */
    assert_int_equal(come(w, STRANGER), ERR_NOT_ALLOWED);
    sign_by(w, signers, 2);
    assert_int_equal(come(w, NORTH), ERR_BAD_VALUE);
    assert_int_equal(stands(w, w->now_us), STANDING_IN_FORCE);
}

/* What is by a key that is not known is passed over, and told; the rest counts. Once the key is
 * known, the same word counts whole. */
static void
a_key_that_comes_later(void **state)
{
    struct world *w = *state;

    agree(w);
    for (int again = 0; again < 2; again++) {
        add_event(w, NORTH, NORTH, JOURNAL_SUSPENDED, start_us + 1, start_us + 1);
        add_event(w, NORTH, STRANGER, JOURNAL_RESUMED, start_us + 2, start_us + 2);
        add_event(w, NORTH, STRANGER, JOURNAL_ENDED, start_us + 3, start_us + 3);
        add_event(w, EAST, EAST, JOURNAL_SUSPENDED, start_us + 4, start_us + 4);
        assert_int_equal(come(w, NORTH), 2);
        assert_int_equal(w->strange.n > 0, again == 0);
        assert_int_equal(stands(w, w->now_us), again == 0 ? STANDING_SUSPENDED : STANDING_ENDED);
        assert_int_equal(
            registry_trust(w->registry, teams[NORTH], w->keys[STRANGER].public, &w->err), 0);
        reopen(w);
    }
}

/* Each byte of an event is signed, and it stands for nothing else. */
static void
a_changed_event_is_none(void **state)
{
    struct world *w = *state;
    const struct span line = line_of(w, NORTH, NORTH, JOURNAL_SUSPENDED, start_us, start_us);
    struct journal_told told;

    assert_int_equal(read_line(w, line, &told), 0);
    assert_true(span_equal(told.event.text, line));
    for (size_t i = 0; i < line.n; i++) {
        char *other = (char *)(uintptr_t)arena_copy(w->arena, line.p, line.n);
        struct json *json = json_new(1 << 16);
        struct json_value root;
        other[i] = other[i] == '1' ? '2' : '1';
        if (json_parse_copy(json, (struct span){other, line.n}, &root, &w->err) == 0)
            assert_int_equal(journal_told_read(w->arena, root, &told, &w->err), ERR_BAD_AGREEMENT);
        json_free(json);
    }
}

/* A line that says otherwise than what is in it is no line of a journal. */
static void
the_journal_binds_what_was_told(void **state)
{
    struct world *w = *state;
    struct journal_told told;
    int64_t at = start_us + 1000;

    agree(w);
    assert_int_equal(
        read_line(w, line_of(w, NORTH, NORTH, JOURNAL_SUSPENDED, start_us, at), &told), 0);
    const struct journal_event good = {.type = JOURNAL_SUSPENDED,
        .agreement = told.event.agreement,
        .digest = told.event.digest,
        .party = told.event.by,
        .reason = told.event.reason,
        .told = told.event.text,
        .time_us = ++w->now_us,
        .at_us = at};
    for (int wrong = 0; wrong < 7; wrong++) {
        struct journal_event event = good;
        event.by = span_of(teams[OWN]);
        event.type = wrong == 0 ? JOURNAL_RESUMED : event.type;
        event.party = wrong == 1 ? span_of(teams[EAST]) : event.party;
        event.reason = wrong == 2 ? SPAN("other") : event.reason;
        event.at_us += wrong == 3;
        event.told.n = wrong == 4 ? 0 : event.told.n;
        event.party.n = wrong == 5 ? 0 : event.party.n;
        event.agreement = wrong == 6 ? SPAN("urn:uuid:0") : event.agreement;
        assert_int_equal(registry_add(w->registry, &event, 1, &w->keys[OWN], &w->err), ERR_USAGE);
    }
    struct journal_event event = good;
    event.by = span_of(teams[OWN]);
    assert_int_equal(registry_add(w->registry, &event, 1, &w->keys[OWN], &w->err), 0);
    /* What was taken in counted then: the key may be withdrawn. */
    char path[128];
    (void)snprintf(path, sizeof path, "%s/keys/north.test.pub", w->home);
    assert_int_equal(unlink(path), 0);
    reopen(w);
    assert_non_null(standing_suspended(w->registry->events[0], at));
}

/* Events of one team are bounded; what stops the agreement always comes through. */
static void
a_flood_ends(void **state)
{
    struct world *w = *state;
    int64_t time = start_us;

    agree(w);
    for (int i = 0; i < FOREIGN_EVENTS_MAX; i++, time++)
        add_event(w, NORTH, NORTH, i % 2 == 0 ? JOURNAL_SUSPENDED : JOURNAL_RESUMED, time, time);
    assert_int_equal(come(w, NORTH), FOREIGN_EVENTS_MAX);
    assert_int_equal(stands(w, w->now_us), STANDING_IN_FORCE);
    add_event(w, NORTH, NORTH, JOURNAL_RESUMED, time, time);
    assert_int_equal(come(w, NORTH), ERR_LIMIT);
    time++;
    add_event(w, NORTH, NORTH, JOURNAL_SUSPENDED, time, time);
    assert_int_equal(come(w, NORTH), 1);
    assert_int_equal(stands(w, w->now_us), STANDING_SUSPENDED);
    time++;
    add_event(w, NORTH, NORTH, JOURNAL_SUSPENDED, time, time);
    assert_int_equal(come(w, NORTH), ERR_LIMIT);
    time++;
    add_event(w, NORTH, NORTH, JOURNAL_ENDED, time, time);
    assert_int_equal(come(w, NORTH), 1);
    assert_int_equal(stands(w, w->now_us), STANDING_ENDED);
}

/* Of a proposal that could not be kept nothing stays behind. */
static void
a_proposal_that_fails_leaves_nothing(void **state)
{
    struct world *w = *state;
    static const int signers[] = {NORTH};

    sign_by(w, signers, 1);
    w->registry->seen_us = INT64_MAX; /* the clock is behind: no line is written */
    assert_int_equal(come(w, NORTH), ERR_CLOCK);
    reopen(w);
    assert_int_equal(w->registry->count, 0);
    assert_int_equal(come(w, NORTH), 2);
    assert_int_equal(w->registry->count, 1);
    assert_false(w->registry->agreements[0].broken);
}

static void
refusing_is_told_and_may_be_undone(void **state)
{
    struct world *w = *state;
    static const int north[] = {NORTH};
    static const int both[] = {NORTH, EAST};

    sign_by(w, north, 1);
    assert_int_equal(come(w, NORTH), 2);
    add_event(w, EAST, EAST, JOURNAL_REFUSED, start_us, start_us);
    assert_int_equal(come(w, EAST), 1);
    assert_int_equal(stands(w, w->now_us), STANDING_REFUSED);
    sign_by(w, both, 2);
    add_event(w, EAST, EAST, JOURNAL_REFUSED, start_us, start_us);
    assert_int_equal(come(w, EAST), 1);
    assert_int_equal(stands(w, w->now_us), STANDING_WAITS);
    own_signs(w);
    assert_int_equal(stands(w, w->now_us), STANDING_IN_FORCE);
}

int
main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        ONE(nothing_holds_before_the_own_signature),
        ONE(at_once_is_when_it_came),
        ONE(a_named_instant_is_the_same_everywhere),
        ONE(each_resumes_for_itself),
        ONE(repetitions_change_nothing),
        ONE(who_may_say_it),
        ONE(a_key_that_comes_later),
        ONE(a_changed_event_is_none),
        ONE(the_journal_binds_what_was_told),
        ONE(a_flood_ends),
        ONE(a_proposal_that_fails_leaves_nothing),
        ONE(refusing_is_told_and_may_be_undone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
