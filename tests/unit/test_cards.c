/* Signed team cards: whose word they are, and which of them are believed. */
#include "cards_made.h"

static const char *const names[] = {"team.test", "one.test", "two.test", "three.test"};

/* ---- signatures ---- */

static void
test_read_again(void **state)
{
    struct world *w = *state;
    struct cards_read card = card_of(w, NOW, TEAM, ONE);
    struct buf out = buf_new(1 << 16);
    struct err err = {0};

    assert_true(span_equal(card.card.id, SPAN("team.test")));
    assert_true(span_equal(card.card.node.url, SPAN("https://team.test:8444")));
    assert_int_equal(card.card.version_us, NOW);
    assert_true(card_sign_by_previous(&card.card, w->keys[ONE].public));
    assert_false(card_sign_by_previous(&card.card, w->keys[TWO].public));
    vouch(w, &card, "one.test", ONE, NOW);
    card.card.accepted = (struct card_acceptance){
        .basis = CARD_BY_SPONSORS, .time_us = NOW, .from = SPAN("two.test"), .sponsor_count = 1};
    card.card.accepted.sponsors[0] = SPAN("one.test");
    assert_int_equal(card_sign_document(&out, &card.card, true, true, &err), 0);
    struct cards_read again = read_card(w, buf_span(&out));
    assert_true(span_equal(again.card.text, card.card.text));
    assert_int_equal(again.card.vouch_count, 1);
    assert_int_equal(again.card.accepted.basis, CARD_BY_SPONSORS);
    assert_int_equal(again.card.accepted.time_us, NOW);
    assert_true(span_equal(again.card.accepted.sponsors[0], SPAN("one.test")));
    assert_true(span_equal(again.card.accepted.from, SPAN("two.test")));
    /* What the data folder says of it goes nowhere. */
    assert_null(memmem(again.team.card.p, again.team.card.n, "accepted", 8));
    buf_free(&out);
}

static void
refused(struct world *w, struct span text, const char *why)
{
    struct cards_read card;
    struct err err = {0};

    assert_int_equal(cards_read(w->arena, text, &card, &err), ERR_BAD_CARD);
    if (strstr(err.msg, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
}

static void
test_forged(void **state)
{
    struct world *w = *state;
    struct span text = made(w, NOW, TEAM, -1, "");

    refused(w, changed(w, text, "\"name\":\"Team\"", "\"name\":\"Teem\""), "did not sign");
    refused(w, changed(w, text, "team.test:8444", "evil.test:8444"), "did not sign");
    refused(w, changed(w, text, "\"version\":\"2", "\"version\":\"3"), "did not sign");
    refused(w, changed(w, text, "\"id\":\"team.test\"", "\"id\":\"tean.test\""), "did not sign");
    refused(w, changed(w, text, "https://team.test:8444", "http://team.test:8444"), "https://");
    refused(w, changed(w, text, "https://team.test:8444", "https://a@team.test"), "https://");
    refused(w, changed(w, text, "https://team.test:8444", "https://team.test/x"), "https://");
    refused(w, changed(w, text, "https://team.test:8444", "https://team.test:0"), "https://");
    refused(w, changed(w, text, "\"signature\":{", "\"signature\":{\"x\":1,"), "no key");
    refused(w, changed(w, text, "\"signature\":{", "\"signed\":{"), "no member");
    refused(w, SPAN("{}"), "missing");
    refused(w, SPAN("["), "");
    /* `verified` is each reader's own, and under no signature. */
    (void)read_card(w, changed(w, text, "\"verified\":false", "\"verified\":true"));
    /* A key that is to end signs no card. */
    refused(w,
        changed(w, text, "\"type\":\"ed25519\"",
            "\"type\":\"ed25519\",\"expires\":\"2030-01-01T00:00:00Z\""),
        "not among the card's keys");
}

static void
test_vouches_for_others_do_not_count(void **state)
{
    struct world *w = *state;
    struct cards_read card = card_of(w, NOW, TEAM, -1);
    struct cards_read other = card_of(w, NOW, OTHER, -1);
    struct buf out = buf_new(1 << 16);

    vouch(w, &other, "one.test", ONE, NOW);
    assert_int_equal(card_sign_join(&card.card, &other.card), 0); /* another key */
    vouch(w, &card, "one.test", ONE, NOW);
    vouch(w, &card, "two.test", TWO, NOW);
    assert_int_equal(card_sign_document(&out, &card.card, false, false, NULL), 0);
    struct span text = buf_span(&out);
    assert_int_equal(read_card(w, text).card.vouch_count, 2);
    assert_int_equal(read_card(w, changed(w, text, "\"by\":\"one.test\"", "\"by\":\"six.test\""))
                         .card.vouch_count,
        1);
    assert_int_equal(read_card(w, changed(w, text, "\"by\":\"one.test\"", "\"by\":\"team.test\""))
                         .card.vouch_count,
        1);
    buf_free(&out);
}

/* ---- who is believed ---- */

static void
test_known_key(void **state)
{
    struct world *w = *state;
    struct cards_read first = card_of(w, NOW - HOUR, TEAM, -1);
    struct cards_read next = card_of(w, NOW, TEAM, -1);

    IS(judged(w, &first, NULL), CARD_WAIT, CARD_BY_NOBODY);
    know(w, "team.test", TEAM, INT64_MAX);
    IS(judged(w, &first, NULL), CARD_ACCEPT, CARD_BY_KEY);
    IS(judged(w, &next, &first), CARD_ACCEPT, CARD_BY_KEY);
    IS(judged(w, &first, &next), CARD_KNOWN, CARD_BY_NOBODY); /* a replay */
    assert_true(judged(w, &next, &next).same);
    assert_false(judged(w, &first, &next).same);
}

static void
test_equal_version_contradicts(void **state)
{
    struct world *w = *state;
    struct cards_read known = card_of(w, NOW, TEAM, -1);
    struct cards_read other = read_card(w, made(w, NOW, TEAM, -1, "\"note\":\"x\","));

    know(w, "team.test", TEAM, INT64_MAX);
    IS(judged(w, &other, &known), CARD_REFUSE, CARD_BY_NOBODY);
}

static void
test_version_ahead(void **state)
{
    struct world *w = *state;
    struct cards_read ahead = card_of(w, NOW + CARD_AHEAD_US + 1, TEAM, -1);

    know(w, "team.test", TEAM, INT64_MAX);
    IS(judged(w, &ahead, NULL), CARD_REFUSE, CARD_BY_NOBODY);
}

static void
test_own_team_is_nobody_elses(void **state)
{
    struct world *w = *state;
    struct cards_read card = card_of(w, NOW, TEAM, -1);
    struct card_judgement j;
    struct card_question q = {.card = &card.card,
        .ring = w->ring,
        .own = SPAN("team.test"),
        .team = &card.team,
        .roster = w->roster,
        .now_us = NOW};

    know(w, "team.test", TEAM, INT64_MAX);
    card_accept(&q, &j);
    IS(j, CARD_REFUSE, CARD_BY_NOBODY);
    q.known = &card.card;
    card_accept(&q, &j);
    IS(j, CARD_KNOWN, CARD_BY_NOBODY); /* its vouches may be new */
}

static void
test_changed_key(void **state)
{
    struct world *w = *state;
    struct cards_read known = card_of(w, NOW - HOUR, TEAM, -1);
    struct cards_read by_old = card_of(w, NOW, OTHER, TEAM);
    struct cards_read by_stranger = card_of(w, NOW, OTHER, STRANGER);
    struct cards_read alone = card_of(w, NOW, OTHER, -1);

    IS(judged(w, &by_old, &known), CARD_ACCEPT, CARD_BY_PREVIOUS);
    IS(judged(w, &by_stranger, &known), CARD_WAIT, CARD_BY_NOBODY);
    IS(judged(w, &alone, &known), CARD_WAIT, CARD_BY_NOBODY);
    /* Of a team without a signed card the operator's keys are asked. */
    IS(judged(w, &by_old, NULL), CARD_WAIT, CARD_BY_NOBODY);
    know(w, "team.test", TEAM, INT64_MAX);
    IS(judged(w, &by_old, NULL), CARD_ACCEPT, CARD_BY_PREVIOUS);
}

static void
test_two_sponsors(void **state)
{
    struct world *w = *state;
    struct cards_read card = card_of(w, NOW, TEAM, -1);

    know(w, "one.test", ONE, INT64_MAX);
    know(w, "two.test", TWO, INT64_MAX);
    vouch(w, &card, "one.test", ONE, NOW);
    IS(judged(w, &card, NULL), CARD_WAIT, CARD_BY_NOBODY);
    assert_int_equal(judged(w, &card, NULL).sponsor_count, 1);
    vouch(w, &card, "two.test", TWO, NOW);
    IS(judged(w, &card, NULL), CARD_ACCEPT, CARD_BY_SPONSORS);
    assert_int_equal(judged(w, &card, NULL).sponsor_count, 2);
}

static void
test_one_sponsor_is_not_two(void **state)
{
    struct world *w = *state;
    struct cards_read card = card_of(w, NOW, TEAM, -1);

    know(w, "one.test", ONE, INT64_MAX);
    know(w, "one.test", TWO, INT64_MAX);    /* two keys of one team */
    know(w, "two.test", ONE, INT64_MAX);    /* two teams with one key */
    know(w, "team.test", THREE, INT64_MAX); /* the team itself, by another key */
    know(w, "three.test", THREE, NOW);      /* a key that was given up */
    vouch(w, &card, "one.test", ONE, NOW);
    vouch(w, &card, "one.test", TWO, NOW);
    vouch(w, &card, "two.test", ONE, NOW);
    vouch(w, &card, "team.test", THREE, NOW);
    vouch(w, &card, "three.test", THREE, NOW - HOUR);
    IS(judged(w, &card, NULL), CARD_WAIT, CARD_BY_NOBODY);
    assert_int_equal(judged(w, &card, NULL).sponsor_count, 1);
}

static void
test_sponsor_that_is_the_subject(void **state)
{
    struct world *w = *state;
    struct cards_read card = card_of(w, NOW, TEAM, -1);

    know(w, "one.test", TEAM, INT64_MAX); /* a sponsor whose key is the one vouched for */
    know(w, "two.test", TWO, INT64_MAX);
    vouch(w, &card, "one.test", TEAM, NOW);
    vouch(w, &card, "two.test", TWO, NOW);
    IS(judged(w, &card, NULL), CARD_WAIT, CARD_BY_NOBODY);
}

/* Teams that vouch for one another, and that nobody knows. */
static void
test_ring_of_strangers(void **state)
{
    struct world *w = *state;
    struct cards_read card = card_of(w, NOW, TEAM, -1);

    know(w, "known.test", OTHER, INT64_MAX);
    for (int i = ONE; i <= THREE; i++)
        vouch(w, &card, names[i], i, NOW);
    vouch(w, &card, "known.test", STRANGER, NOW); /* a known name, not its key */
    IS(judged(w, &card, NULL), CARD_WAIT, CARD_BY_NOBODY);
    assert_int_equal(judged(w, &card, NULL).sponsor_count, 0);
}

/* The thief of an old key and its vouches, after the team has changed to another by sponsors. */
static void
test_stolen_key(void **state)
{
    struct world *w = *state;
    struct cards_read old = card_of(w, NOW - 4 * HOUR, TEAM, -1);
    struct cards_read new = card_of(w, NOW - 2 * HOUR, OTHER, -1);
    struct cards_read thief = card_of(w, NOW, TEAM, -1);
    struct cards_read friend = card_of(w, NOW, STRANGER, TEAM); /* signed by the stolen key */

    for (int i = ONE; i <= TWO; i++) {
        know(w, names[i], i, INT64_MAX);
        vouch(w, &new, names[i], i, NOW - 3 * HOUR);
        vouch(w, &thief, names[i], i, NOW - 5 * HOUR); /* what they said before the theft */
    }
    IS(judged(w, &new, &old), CARD_ACCEPT, CARD_BY_SPONSORS);
    IS(judged(w, &thief, &new), CARD_WAIT, CARD_BY_NOBODY);
    IS(judged(w, &friend, &new), CARD_WAIT, CARD_BY_NOBODY);
    know(w, "team.test", TEAM, NOW - 2 * HOUR); /* as cards_keep notes it */
    IS(judged(w, &thief, &new), CARD_REFUSE, CARD_BY_NOBODY);
    IS(judged(w, &thief, NULL), CARD_REFUSE, CARD_BY_NOBODY);
    /* Though the key is kept for what was signed by it, no card is. */
    IS(judged(w, &friend, NULL), CARD_WAIT, CARD_BY_NOBODY);
}

/* Who makes many vouches crowds nobody's out. */
static void
test_known_vouches_stay(void **state)
{
    struct world *w = *state;
    struct cards_read full = card_of(w, NOW, TEAM, -1);
    struct cards_read good = card_of(w, NOW, TEAM, -1);
    char name[16];

    know(w, "one.test", ONE, INT64_MAX);
    for (int i = 0; i < CARD_VOUCHES_MAX; i++) {
        (void)snprintf(name, sizeof name, "x%d.test", i);
        vouch(w, &full, name, STRANGER, NOW);
    }
    assert_int_not_equal(
        card_sign_vouch(w->arena, &full.card, SPAN("one.test"), &w->keys[ONE], NOW, NULL), 0);
    vouch(w, &good, "one.test", ONE, NOW);
    (void)card_accept_gather(&full.card, &good.card, w->ring, NOW);
    assert_int_equal(full.card.vouch_count, CARD_VOUCHES_MAX);
    assert_true(span_equal(full.card.vouches[0].by, SPAN("one.test")));
    /* Nor does a later word in a sponsor's name, by another key. */
    vouch(w, &good, "one.test", STRANGER, NOW + 1);
    assert_int_equal(judged(w, &good, NULL).sponsor_count, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_read_again), TEST(test_forged),
        TEST(test_vouches_for_others_do_not_count), TEST(test_known_key),
        TEST(test_equal_version_contradicts), TEST(test_version_ahead),
        TEST(test_own_team_is_nobody_elses), TEST(test_changed_key), TEST(test_two_sponsors),
        TEST(test_one_sponsor_is_not_two), TEST(test_sponsor_that_is_the_subject),
        TEST(test_ring_of_strangers), TEST(test_stolen_key), TEST(test_known_vouches_stay)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
