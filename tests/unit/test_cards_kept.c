/* Signed team cards: what they claim, and what is kept of them. */
#include "cards_made.h"

/* ---- claims ---- */

static void
claims(struct world *w, const char *before, const char *more, enum card_verdict wanted)
{
    struct cards_read known = read_card(w, made(w, NOW - HOUR, TEAM, -1, before));
    struct cards_read card = read_card(w, made(w, NOW, TEAM, -1, more));
    struct card_judgement j = judged(w, &card, &known);

    if (j.verdict != wanted)
        fail_msg("%s, then %s: %d, %s", before, more, j.verdict, j.why);
}

#define NETS                                                                                       \
    "\"constituency\":{\"prefixes\":[\"192.0.2.0/"                                                 \
    "24\"],\"asns\":[64500],\"domains\":[\"team.test\"]},"

static void
test_claims_that_grow_wait(void **state)
{
    struct world *w = *state;

    claims(w, NETS, NETS, CARD_ACCEPT);
    claims(w, NETS, "", CARD_ACCEPT);
    claims(w, NETS,
        "\"constituency\":{\"prefixes\":[\"192.0.2.128/25\"],\"domains\":[\"a.team.test\"]},",
        CARD_ACCEPT);
    claims(w, "", NETS, CARD_WAIT);
    claims(w, NETS, "\"constituency\":{\"prefixes\":[\"192.0.0.0/16\"]},", CARD_WAIT);
    claims(w, NETS, "\"constituency\":{\"asns\":[64501]},", CARD_WAIT);
    claims(w, NETS, "\"constituency\":{\"domains\":[\"test\"]},", CARD_WAIT);
    claims(w, NETS, "\"constituency\":{\"domains\":[\"evilteam.test\"]},", CARD_WAIT);
}

static struct cards_read
with_economies(struct world *w, int64_t at_us, const char *kind, const char *economies)
{
    struct buf loose = buf_new(1 << 16);
    char base64[AGREEMENT_SIGN_BASE64_BYTES];
    char version[TIME_TEXT_BYTES];
    struct buf out = buf_new(1 << 16);
    struct json *json = json_new(1 << 16);
    struct json_value root;

    (void)time_format_us(at_us, version);
    agreement_sign_base64(w->keys[TEAM].public, CARD_KEY_BYTES, base64);
    buf_format(&loose,
        "{\"id\":\"team.test\",\"name\":\"T\",\"kind\":\"%s\",\"economies\":[%s],\"source\":"
        "\"own\","
        "\"verified\":false,\"version\":\"%s\",\"node\":{\"url\":\"https://team.test\"},"
        "\"keys\":[{\"type\":\"ed25519\",\"key\":\"%s\"}]}",
        kind, economies, version, base64);
    assert_int_equal(json_parse_copy(json, buf_span(&loose), &root, NULL), 0);
    assert_int_equal(card_sign(&out, root, &w->keys[TEAM], NULL, NULL), 0);
    struct cards_read card = read_card(w, buf_span(&out));
    json_free(json);
    buf_free(&loose);
    buf_free(&out);
    return card;
}

static void
economies(struct world *w, const char *kind, const char *now, enum card_verdict wanted)
{
    struct cards_read known = with_economies(w, NOW - HOUR, "research", "\"FI\"");
    struct cards_read card = with_economies(w, NOW, kind, now);
    struct card_judgement j = judged(w, &card, &known);

    if (j.verdict != wanted)
        fail_msg("%s %s: %d, %s", kind, now, j.verdict, j.why);
}

static void
test_economies_that_grow_wait(void **state)
{
    struct world *w = *state;

    economies(w, "research", "\"FI\"", CARD_ACCEPT);
    economies(w, "research", "\"FI\",\"SE\"", CARD_WAIT);
    economies(w, "national", "\"FI\"", CARD_WAIT);
    economies(w, "research", "{\"economy\":\"FI\",\"scope\":\"all\"}", CARD_WAIT);
    economies(w, "research", "{\"economy\":\"FI\",\"rank\":1}", CARD_WAIT);
    /* What begins later counts at once. */
    economies(
        w, "research", "\"FI\",{\"economy\":\"SE\",\"valid_from\":\"2090-01-01\"}", CARD_WAIT);
}

static void
test_new_teams_claims(void **state)
{
    struct world *w = *state;
    struct address prefix;
    const uint32_t asn = 64500;
    const struct span domain = SPAN("other.test");
    const struct economy fi = economy_find(SPAN("FI"));
    struct team other = {.id = SPAN("other.test"),
        .name = SPAN("Other"),
        .kind = SPAN("national"),
        .economies = &fi,
        .economy_count = 1,
        .prefixes = &prefix,
        .prefix_count = 1,
        .asns = &asn,
        .asn_count = 1,
        .domains = &domain,
        .domain_count = 1,
        .source = SPAN("test")};

    assert_int_equal(prefix_parse(SPAN("198.51.100.0/24"), &prefix, NULL), 0);
    roster_free(w->roster);
    assert_int_equal(roster_build(&other, 1, &w->roster, NULL), 0);
    know(w, "team.test", TEAM, INT64_MAX);
    const struct {
        const char *more;
        enum card_verdict wanted;
    } rows[] = {{"", CARD_ACCEPT}, {NETS, CARD_WAIT},
        {"\"constituency\":{\"prefixes\":[\"192.0.2.0/24\"]},", CARD_ACCEPT},
        {"\"constituency\":{\"prefixes\":[\"198.51.100.7\"]},", CARD_WAIT},
        {"\"constituency\":{\"prefixes\":[\"0.0.0.0/0\"]},", CARD_WAIT},
        {"\"constituency\":{\"prefixes\":[\"::/0\"]},", CARD_WAIT},
        {"\"constituency\":{\"domains\":[\"a.other.test\"]},", CARD_WAIT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cards_read card = read_card(w, made(w, NOW, TEAM, -1, rows[i].more));
        IS(judged(w, &card, NULL), rows[i].wanted,
            rows[i].wanted == CARD_ACCEPT ? CARD_BY_KEY : CARD_BY_NOBODY);
    }
    struct cards_read national = with_economies(w, NOW, "national", "\"FI\"");
    IS(judged(w, &national, NULL), CARD_WAIT, CARD_BY_NOBODY);
}

static void
note_claim(void *ctx, const char *what)
{
    buf_add_text(ctx, what);
    buf_add_char(ctx, ';');
}

static void
test_every_claim_is_told(void **state)
{
    struct world *w = *state;
    struct cards_read old = read_card(w, made(w, NOW - HOUR, TEAM, -1, NETS));
    struct cards_read new = read_card(w,
        made(w, NOW, TEAM, -1,
            "\"constituency\":{\"prefixes\":[\"192.0.2.0/25\",\"198.51.100.0/24\"],\"asns\":[64500,"
            "64501],\"domains\":[\"test\"]},"));
    const struct cards_world world = {.home = w->home, .roster = w->roster, .now_us = NOW};
    struct buf told = buf_new(1024);
    struct err err = {0};

    card_claims_each(&old.team, w->roster, &new.team, note_claim, &told);
    assert_true(span_equal(buf_span(&told), SPAN("198.51.100.0/24;AS64501;test;")));
    /* The same by what lies in the data folder; of a team that is not known, others' alone. */
    told.n = 0;
    assert_int_equal(cards_claims(&world, w->arena, &new, note_claim, &told, &err), 0);
    assert_int_equal(told.n, 0);
    assert_int_equal(cards_accept(w->home, w->arena, &old, w->ring, NOW, &err), 0);
    assert_int_equal(cards_claims(&world, w->arena, &new, note_claim, &told, &err), 0);
    assert_true(span_equal(buf_span(&told), SPAN("198.51.100.0/24;AS64501;test;")));
    buf_free(&told);
}

/* ---- what is kept ---- */

static struct span
file(struct world *w, const char *name)
{
    char path[128];
    struct buf text = buf_new(1 << 16);

    (void)snprintf(path, sizeof path, "%s/%s", w->home, name);
    int rc = file_read(path, &text, NULL);
    struct span copy = {arena_copy(w->arena, text.p == NULL ? "" : text.p, text.n), text.n};
    buf_free(&text);
    return rc == 0 ? copy : (struct span){NULL, 0};
}

static void
test_operators_word(void **state)
{
    struct world *w = *state;
    struct span first = made(w, NOW - HOUR, TEAM, -1, "");
    struct span next = made(w, NOW, OTHER, -1, "");
    char base64[AGREEMENT_SIGN_BASE64_BYTES];
    struct card_signed out;
    struct cards_read kept;
    struct err err = {0};

    assert_int_equal(cards_accept_operator(w->home, w->arena, first, NOW, &out, &err), 0);
    assert_int_equal(cards_find(w->home, SPAN("team.test"), w->arena, &kept, &err), 1);
    assert_int_equal(kept.card.accepted.basis, CARD_BY_OPERATOR);
    assert_null(file(w, "keys/team.test.pub").p);
    /* A key that nobody signed: the operator's word is enough, and the old one ends now. */
    assert_int_equal(cards_accept_operator(w->home, w->arena, next, NOW, &out, &err), 0);
    struct span keys = file(w, "keys/team.test.pub");
    agreement_sign_base64(w->keys[TEAM].public, CARD_KEY_BYTES, base64);
    assert_true(span_starts(keys, span_of(base64)));
    assert_non_null(memmem(keys.p, keys.n, " until 2026-", 12));
    struct keyring *ring = keyring_new();
    char folder[96];
    (void)snprintf(folder, sizeof folder, "%s/keys", w->home);
    assert_int_equal(keyring_add_folder(ring, folder, &err), 0);
    assert_true(keyring_knows(ring, SPAN("team.test"), w->keys[TEAM].public, NOW - 1));
    assert_false(keyring_knows(ring, SPAN("team.test"), w->keys[TEAM].public, NOW));
    keyring_free(ring);
    assert_int_equal(cards_accept_operator(w->home, w->arena, first, NOW, &out, &err), ERR_EXISTS);
    assert_int_equal(cards_forget(w->home, SPAN("team.test"), &err), 0);
    assert_int_equal(cards_find(w->home, SPAN("team.test"), w->arena, &kept, &err), 0);
    /* And back: the key counts again, by the operator's word. */
    assert_int_equal(cards_accept_operator(w->home, w->arena, first, NOW, &out, &err), 0);
    keys = file(w, "keys/team.test.pub");
    assert_null(memmem(keys.p, keys.n, base64, strlen(base64)));
}

static size_t
count_waiting(struct world *w, struct cards_read *first)
{
    struct cards_waiting waiting;
    struct cards_read one;
    struct err err = {0};
    size_t count = 0;

    assert_int_equal(cards_waiting_open(w->home, &waiting, &err), 0);
    while (cards_waiting_next(&waiting, w->arena, &one, &err) == 1)
        if (count++ == 0)
            *first = one;
    cards_waiting_close(&waiting);
    return count;
}

static void
test_those_that_wait(void **state)
{
    struct world *w = *state;
    struct cards_read first;
    struct cards_read card;
    struct err err = {0};

    for (int key = ONE; key < ONE + CARDS_WAITING_TEAM_MAX; key++) {
        card = card_of(w, NOW - HOUR, key, -1);
        card.card.accepted = (struct card_acceptance){.time_us = NOW, .from = SPAN("one.test")};
        assert_int_equal(cards_wait(w->home, &card, &err), 0);
        assert_int_equal(cards_wait(w->home, &card, &err), 0);
    }
    card = card_of(w, NOW - HOUR, TEAM, -1);
    assert_int_equal(cards_wait(w->home, &card, &err), ERR_BAD_CARD);
    assert_int_equal(count_waiting(w, &first), CARDS_WAITING_TEAM_MAX);
    assert_true(span_equal(first.card.accepted.from, SPAN("one.test")));
    assert_int_equal(cards_drop(w->home, &first, &err), 0);
    assert_int_equal(cards_wait(w->home, &card, &err), 0);
    /* Once one is accepted, what is older waits no more. */
    struct card_signed out;
    struct span text = made(w, NOW, TEAM, -1, "");
    assert_int_equal(cards_accept_operator(w->home, w->arena, text, NOW, &out, &err), 0);
    assert_int_equal(count_waiting(w, &first), 0);
}

/* Accepted cards stand in front of the directory's, and a file that was changed counts for nothing.
 */
static void
count_rejects(void *ctx, const char *file, const struct err *why)
{
    (void)file;
    (void)why;
    (*(int *)ctx)++;
}

static void
test_roster(void **state)
{
    struct world *w = *state;
    const struct span directory = SPAN(
        "[{\"id\":\"team.test\",\"name\":\"Directory's\",\"kind\":\"other\",\"economies\":[\"SE\"],"
        "\"source\":\"x\",\"verified\":false}]");
    char path[96];
    char cards[CARDS_PATH_BYTES];
    struct roster *roster;
    struct card_signed out;
    struct err err = {0};
    int rejects = 0;

    (void)snprintf(path, sizeof path, "%s/teams.json", w->home);
    assert_int_equal(file_write_atomic(path, &directory, 1, 0600, &err), 0);
    assert_int_equal(cards_folder(w->home, cards, &err), 0);
    struct span text = made(w, NOW, TEAM, -1, "");
    assert_int_equal(cards_accept_operator(w->home, w->arena, text, NOW, &out, &err), 0);
    assert_int_equal(roster_load(path, cards, count_rejects, &rejects, &roster, &err), 0);
    const struct team *team = roster_team(roster, roster_find(roster, SPAN("team.test")));
    assert_true(span_equal(team->name, SPAN("Team")));
    assert_true(team->verified);
    assert_true(span_equal(team->word, SPAN("its own, accepted by the operator")));
    assert_int_equal(rejects, 0);
    struct keyring *ring = keyring_new();
    assert_int_equal(keyring_add_roster(ring, roster, &err), 0);
    assert_true(keyring_knows(ring, SPAN("team.test"), w->keys[TEAM].public, NOW));
    keyring_free(ring);
    roster_free(roster);
    const struct span evil = changed(w, file(w, "cards/team.test.json"), "\"Team\"", "\"Evil\"");
    (void)snprintf(path, sizeof path, "%s/cards/team.test.json", w->home);
    assert_int_equal(file_write_atomic(path, &evil, 1, 0600, &err), 0);
    (void)snprintf(path, sizeof path, "%s/teams.json", w->home);
    assert_int_equal(roster_load(path, cards, count_rejects, &rejects, &roster, &err), 0);
    team = roster_team(roster, roster_find(roster, SPAN("team.test")));
    assert_true(span_equal(team->name, SPAN("Directory's")));
    assert_false(team->verified);
    assert_int_equal(rejects, 1);
    roster_free(roster);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_claims_that_grow_wait),
        TEST(test_every_claim_is_told), TEST(test_economies_that_grow_wait),
        TEST(test_new_teams_claims), TEST(test_operators_word), TEST(test_those_that_wait),
        TEST(test_roster)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
