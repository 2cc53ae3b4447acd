/* Signatures of agreements, and how one stands at each microsecond of its life. */
#include "flow/agreement_sign.h"
#include "flow/agreements.h"
#include "flow/standing.h"

#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define DOCUMENT                                                                                   \
    "{\"id\":\"urn:uuid:6f0a6f9e-0000-4000-8000-000000000001\",\"title\":\"T\",\"kind\":"          \
    "\"bilateral\",\"parties\":[\"north.test\",\"south.test\"],\"valid_from\":\"2026-01-01\","     \
    "\"clauses\":[{\"id\":\"1\",\"from\":\"party\",\"to\":\"party\",\"classification\":[\"*\"],"   \
    "\"tlp_max\":\"%s\",\"effect\":\"release\"}]%s}"

enum { NORTH, SOUTH, PARTIES };
static const struct span parties[PARTIES] = {{"north.test", 10}, {"south.test", 10}};

struct world {
    struct arena *arena;
    struct agreement_key keys[PARTIES];
    struct keyring *ring;
    struct agreement agreement;
};

static struct agreement
parse(struct world *w, const char *label, const char *more)
{
    struct buf text = buf_new(1 << 16);
    struct agreement_set set;
    struct err err = {0};
    const char *name = "test.json";

    buf_format(&text, DOCUMENT, label, more);
    char *copy = arena_copy(w->arena, text.p, text.n);
    struct span span = {copy, text.n};
    buf_free(&text);
    assert_int_equal(agreements_parse(w->arena, &span, &name, 1, &set, &err), 0);
    assert_int_equal(set.count, 1);
    return set.agreements[0];
}

static int
open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->arena = arena_new(8 << 20);
    w->ring = keyring_new();
    for (uint8_t i = 0; i < PARTIES; i++) {
        uint8_t seed[AGREEMENT_SIGN_SEED_BYTES] = {(uint8_t)(i + 1)};
        struct card_key card = {.until_us = INT64_MAX};
        agreement_sign_key(seed, &w->keys[i]);
        memcpy(card.bytes, w->keys[i].public, sizeof card.bytes);
        if (keyring_add(w->ring, parties[i], &card, NULL) != 0)
            return -1;
    }
    w->agreement = parse(w, "amber", "");
    *state = w;
    return 0;
}

static int
close_world(void **state)
{
    struct world *w = *state;

    keyring_free(w->ring);
    arena_free(w->arena);
    free(w);
    return 0;
}

static struct agreement_signature *
signed_by(struct world *w, size_t count)
{
    struct agreement_signature *rows = arena_zalloc(w->arena, PARTIES, sizeof *rows);

    for (size_t i = 0; i < count; i++)
        assert_int_equal(agreement_sign(w->arena, &w->agreement, parties[i], 1780000000000000,
                             &w->keys[i], &rows[i], NULL),
            0);
    return rows;
}

static struct agreement
check(struct world *w, const struct agreement_signature *rows, size_t count)
{
    struct agreement a = w->agreement;

    a.signatures = rows;
    a.signature_count = count;
    assert_int_equal(agreement_sign_check(w->arena, &a, 1, w->ring, SPAN(""), NULL), 0);
    return a;
}

static void
all_must_sign(void **state)
{
    struct world *w = *state;
    struct agreement_signature *rows = signed_by(w, PARTIES);

    assert_false(check(w, rows, 0).signed_by_all);
    assert_false(check(w, rows, 1).signed_by_all);
    assert_true(check(w, rows, 2).signed_by_all);
    rows[1] = rows[0]; /* one team twice is not two */
    assert_false(check(w, rows, 2).signed_by_all);
}

static void
one_changed_bit_breaks(void **state)
{
    struct world *w = *state;

    for (size_t bit = 0; bit < 8 * AGREEMENT_SIGNATURE_BYTES; bit += 7) {
        struct agreement_signature *rows = signed_by(w, PARTIES);
        rows[1].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct agreement a = check(w, rows, 2);
        assert_true(a.broken);
        assert_false(a.signed_by_all);
    }
}

/* What was signed is the text, the party and the time. */
static void
a_signature_is_for_one_text(void **state)
{
    struct world *w = *state;
    struct agreement_signature *rows = signed_by(w, PARTIES);
    struct agreement other = parse(w, "red", "");

    assert_int_equal(agreement_sign_mark(&w->agreement, &rows[0], w->ring), MARK_GOOD);
    assert_int_equal(agreement_sign_mark(&other, &rows[0], w->ring), MARK_WRONG);
    rows[0].party = parties[SOUTH];
    assert_int_equal(agreement_sign_mark(&w->agreement, &rows[0], w->ring), MARK_WRONG);
    rows[1].signed_at = SPAN("2027-01-01");
    assert_int_equal(agreement_sign_mark(&w->agreement, &rows[1], w->ring), MARK_WRONG);
}

static void
unknown_keys_count_as_none(void **state)
{
    struct world *w = *state;
    struct agreement_signature *rows = signed_by(w, PARTIES);
    struct agreement_key stranger;
    uint8_t seed[AGREEMENT_SIGN_SEED_BYTES] = {99};

    agreement_sign_key(seed, &stranger);
    assert_int_equal(agreement_sign(w->arena, &w->agreement, parties[SOUTH], 1780000000000000,
                         &stranger, &rows[1], NULL),
        0);
    struct agreement a = check(w, rows, 2);
    assert_false(a.broken);
    assert_false(a.signed_by_all);
    assert_int_equal(agreement_sign_mark(&w->agreement, &rows[1], NULL), MARK_UNKNOWN);
}

/* White space, the order of keys, `suspended` and signatures are not signed. */
static void
suspending_leaves_the_signature(void **state)
{
    struct world *w = *state;
    struct agreement_signature *rows = signed_by(w, PARTIES);
    struct agreement other = parse(w, "amber", " , \"suspended\" : true, \"signatures\": [ ]");

    assert_true(other.suspended);
    assert_int_equal(agreement_sign_mark(&other, &rows[0], w->ring), MARK_GOOD);
}

static void
a_kept_document_is_the_same_agreement(void **state)
{
    struct world *w = *state;
    struct agreement a = check(w, signed_by(w, PARTIES), 2);
    struct buf out = buf_new(1 << 16);
    struct agreement_set set;
    const char *name = "kept.json";

    assert_int_equal(agreement_sign_document(&a, &out, NULL), 0);
    struct span text = buf_span(&out);
    assert_int_equal(agreements_parse(w->arena, &text, &name, 1, &set, NULL), 0);
    struct agreement again = set.agreements[0];
    assert_int_equal(agreement_sign_check(w->arena, &again, 1, w->ring, SPAN(""), NULL), 0);
    assert_true(again.signed_by_all);
    assert_true(span_equal(again.text, a.text));
    buf_free(&out);
}

/* ---- standing ---- */

enum { BASE = 1000000 };

static void
each_microsecond_has_one_standing(void **state)
{
    struct world *w = *state;
    struct agreement a = check(w, signed_by(w, PARTIES), 2);
    struct journal_event end = {.type = JOURNAL_ENDED, .at_us = BASE + 60, .said_us = BASE + 60};
    struct journal_event again = {
        .type = JOURNAL_RESUMED, .at_us = BASE + 40, .said_us = BASE + 40, .next = &end};
    struct journal_event pause = {
        .type = JOURNAL_SUSPENDED, .at_us = BASE + 20, .said_us = BASE + 20, .next = &again};

    a.valid_from_us = BASE;
    a.valid_until_us = BASE + 80;
    for (int64_t at = BASE - 30; at < BASE + 100; at++) {
        enum standing expected = at < BASE ? STANDING_NOT_YET
            : at < BASE + 20               ? STANDING_IN_FORCE
            : at < BASE + 40               ? STANDING_SUSPENDED
            : at < BASE + 60               ? STANDING_IN_FORCE
                                           : STANDING_ENDED;
        assert_int_equal(standing_at(&a, &pause, at), expected);
        assert_int_equal(standing_at(&a, NULL, at),
            at < BASE            ? STANDING_NOT_YET
                : at < BASE + 80 ? STANDING_IN_FORCE
                                 : STANDING_EXPIRED);
    }
    a.signed_by_all = false;
    assert_int_equal(standing_at(&a, NULL, BASE + 10), STANDING_WAITS);
    a.broken = true;
    assert_int_equal(standing_at(&a, &end, BASE + 70), STANDING_BROKEN);
}

/* Nothing that is written behind an end brings it back, and of one instant the last counts. */
static void
an_end_is_final_and_the_last_word_counts(void **state)
{
    struct world *w = *state;
    struct agreement a = check(w, signed_by(w, PARTIES), 2);
    struct journal_event late = {.type = JOURNAL_RESUMED, .at_us = BASE + 90, .said_us = BASE + 90};
    struct journal_event end = {
        .type = JOURNAL_ENDED, .at_us = BASE + 60, .said_us = BASE + 60, .next = &late};
    struct journal_event second = {.type = JOURNAL_RESUMED, .at_us = BASE, .said_us = BASE};
    struct journal_event first = {
        .type = JOURNAL_SUSPENDED, .at_us = BASE, .said_us = BASE, .next = &second};

    a.valid_from_us = 0;
    assert_int_equal(standing_at(&a, &end, BASE + 95), STANDING_ENDED);
    assert_int_equal(standing_at(&a, &first, BASE), STANDING_IN_FORCE);
    first.type = JOURNAL_RESUMED;
    second.type = JOURNAL_SUSPENDED;
    assert_int_equal(standing_at(&a, &first, BASE), STANDING_SUSPENDED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_must_sign, open_world, close_world),
        cmocka_unit_test_setup_teardown(one_changed_bit_breaks, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_signature_is_for_one_text, open_world, close_world),
        cmocka_unit_test_setup_teardown(unknown_keys_count_as_none, open_world, close_world),
        cmocka_unit_test_setup_teardown(suspending_leaves_the_signature, open_world, close_world),
        cmocka_unit_test_setup_teardown(
            a_kept_document_is_the_same_agreement, open_world, close_world),
        cmocka_unit_test_setup_teardown(each_microsecond_has_one_standing, open_world, close_world),
        cmocka_unit_test_setup_teardown(
            an_end_is_final_and_the_last_word_counts, open_world, close_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
