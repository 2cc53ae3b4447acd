/* What other parties say of an agreement: what is kept of it, from when on it holds, what is not
 * believed. */
#include "flow/agreement_foreign.h"
#include "flow/agreements.h"
#include "fmt/jcs.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define ID "urn:uuid:6f0a6f9e-0000-4000-8000-000000000001"
#define DOCUMENT                                                                                   \
    "{\"id\":\"" ID "\",\"title\":\"T\",\"kind\":\"multilateral\",\"parties\":[\"north.test\","    \
    "\"south.test\",\"east.test\"],\"valid_from\":\"2026-01-01\",\"clauses\":[{\"id\":\"1\","      \
    "\"from\":\"party\",\"to\":\"party\",\"classification\":[\"*\"],\"tlp_max\":\"amber\","        \
    "\"effect\":\"release\"}]}"

enum { OWN, NORTH, EAST, STRANGER, TEAMS };
static const char *const teams[TEAMS] = {"south.test", "north.test", "east.test", "west.test"};
static const int64_t start_us = 1790000000000000;

struct world {
    struct arena *arena;
    char home[64];
    struct registry *registry;
    struct agreement_key keys[TEAMS];
    struct agreement document;
    struct journal_told told[300];
    size_t count;
    int64_t now_us;
    struct span strange; /* of whom something came by a key that is not known; n 0: of nobody */
    struct err err;
};

static void
reopen(struct world *w)
{
    bool made;

    registry_close(w->registry);
    assert_int_equal(registry_open(w->home, REGISTRY_WRITE, NULL, &w->registry, &w->err), 0);
    assert_int_equal(registry_name(w->registry, teams[OWN], &w->err), 0);
    assert_int_equal(registry_key(w->registry, &w->keys[OWN], &made, &w->err), 0);
}

static int
open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct agreement_set set;
    const char *name = "test";
    const struct span text = SPAN(DOCUMENT);

    *state = w;
    w->arena = arena_new(64 << 20);
    w->now_us = start_us;
    (void)snprintf(w->home, sizeof w->home, "/tmp/comity-foreign-XXXXXX");
    assert_non_null(mkdtemp(w->home));
    reopen(w);
    for (uint8_t i = NORTH; i < TEAMS; i++) {
        uint8_t seed[AGREEMENT_SIGN_SEED_BYTES] = {i};
        agreement_sign_key(seed, &w->keys[i]);
        if (i != STRANGER)
            assert_int_equal(registry_trust(w->registry, teams[i], w->keys[i].public, &w->err), 0);
    }
    assert_int_equal(agreements_parse(w->arena, &text, &name, 1, &set, &w->err), 0);
    w->document = set.agreements[0];
    return 0;
}

static int
remove_one(const char *path, const struct stat *about, int type, struct FTW *at)
{
    (void)about;
    (void)type;
    (void)at;
    return remove(path);
}

static int
close_world(void **state)
{
    struct world *w = *state;

    registry_close(w->registry);
    (void)nftw(w->home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    arena_free(w->arena);
    free(w);
    return 0;
}

/* A signature of each of COUNT teams. */
static void
sign_by(struct world *w, const int *signers, size_t count)
{
    struct agreement_signature *rows = arena_zalloc(w->arena, count + 1, sizeof *rows);

    for (size_t i = 0; i < count; i++)
        assert_int_equal(agreement_sign(w->arena, &w->document, span_of(teams[signers[i]]),
                             start_us, &w->keys[signers[i]], &rows[i], &w->err),
            0);
    w->document.signatures = rows;
    w->document.signature_count = count;
}

/* The line that BY's journal would have, signed by KEY. */
static struct span
line_of(struct world *w, int by, int key, enum journal_type type, int64_t time_us, int64_t at_us)
{
    char digest[AGREEMENT_SIGN_HEX];
    struct buf line = buf_new(1 << 16);

    agreement_sign_digest(w->document.text, digest);
    const struct journal_event event = {.type = (uint8_t)type,
        .agreement = w->document.id,
        .digest = span_of(digest),
        .by = span_of(teams[by]),
        .reason = SPAN("why"),
        .time_us = time_us,
        .at_us = at_us};
    assert_int_equal(journal_line(SPAN("00"), &event, &w->keys[key], &line, &w->err), 0);
    const struct span copy = {arena_copy(w->arena, line.p, line.n - 1), line.n - 1};
    buf_free(&line);
    return copy;
}

static int
read_line(struct world *w, struct span line, struct journal_told *out)
{
    struct json *json = json_new(1 << 16);
    struct json_value root;

    assert_int_equal(json_parse_copy(json, line, &root, &w->err), 0);
    int rc = journal_told_read(w->arena, root, out, &w->err);
    json_free(json);
    return rc;
}

static void
add_event(struct world *w, int by, int key, enum journal_type type, int64_t time_us, int64_t at_us)
{
    assert_int_equal(
        read_line(w, line_of(w, by, key, type, time_us, at_us), &w->told[w->count++]), 0);
}

/* SENDER shows the document and w->told, a microsecond later; it waits to be written. NEWS says
 * whether it is any. */
static int
tell(struct world *w, int sender, bool *news)
{
    const struct foreign_word word = {.own = span_of(teams[OWN]),
        .sender = span_of(teams[sender]),
        .document = &w->document,
        .events = w->told,
        .event_count = w->count,
        .now_us = ++w->now_us};
    struct foreign_news found;
    int rc = agreement_foreign_look(w->registry, w->arena, &word, &found, &w->err);

    w->count = 0;
    if (rc != 0)
        return rc;
    w->strange = found.strange.team;
    *news = agreement_foreign_is_news(&found);
    return agreement_foreign_keep(w->registry, w->arena, &word, &found, &w->keys[OWN], &w->err);
}

/* The same, and it is written; how many lines the journal got. */
static int
come(struct world *w, int sender)
{
    size_t before = w->registry->journal.count;
    bool news = false;
    int rc = tell(w, sender, &news);

    if (rc == 0)
        rc = registry_settle(w->registry, &w->err);
    if (rc != 0)
        return rc;
    reopen(w);
    assert_int_equal(news, w->registry->journal.count > before);
    return (int)(w->registry->journal.count - before);
}

static void
own_signs(struct world *w)
{
    struct agreement_taken taken;

    assert_int_equal(agreement_life_take(w->registry, w->arena, &w->document, false, ++w->now_us,
                         &w->keys[OWN], &taken, &w->err),
        0);
    reopen(w);
}

static enum standing
stands(const struct world *w, int64_t at_us)
{
    return registry_standing(w->registry, 0, at_us);
}

/* Proposed by north, signed by all. */
static void
agree(struct world *w)
{
    static const int signers[] = {NORTH, EAST};

    sign_by(w, signers, 2);
    assert_int_equal(come(w, NORTH), 3);
    assert_int_equal(stands(w, w->now_us), STANDING_WAITS);
    own_signs(w);
    assert_int_equal(stands(w, w->now_us), STANDING_IN_FORCE);
}

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
        ONE(many_words_are_written_at_once),
        ONE(a_flood_at_once_ends),
        ONE(what_cannot_be_written_leaves_nothing),
        ONE(refusing_is_told_and_may_be_undone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
