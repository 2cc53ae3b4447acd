/* A signed card makes its team known and says where its node is, and its next one where it is then.
 */
#include "core/auth.h"
#include "core/intake.h"
#include "core/links_private.h"
#include "core_ask.h"
#include "flow/cards.h"

static const struct caller nobody = {.scheme = CALLER_NOBODY};
#define PIN_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PIN_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define PIN_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* TEAM's card of the year YEAR, whose node is at URL with PIN ("": it names none), into OUT. */
static void
make_card(struct buf *out, const char *team, unsigned year, const char *url, const char *pin)
{
    uint8_t seed[AGREEMENT_SIGN_SEED_BYTES] = {7};
    char base64[AGREEMENT_SIGN_BASE64_BYTES];
    struct buf loose = buf_new(1 << 16);
    struct json *json = json_new(1 << 16);
    struct agreement_key key;
    struct json_value root;
    struct err err = {0};

    agreement_sign_key(seed, &key);
    agreement_sign_base64(key.public, CARD_KEY_BYTES, base64);
    buf_format(&loose,
        "{\"id\":\"%s\",\"name\":\"W\",\"kind\":\"research\",\"economies\":[\"FI\"],"
        "\"source\":\"own\",\"verified\":true,\"version\":\"%u-01-01T00:00:00Z\",\"node\":{"
        "\"url\":\"%s\"%s%s%s},\"keys\":[{\"type\":\"ed25519\",\"key\":\"%s\"}]}",
        team, year, url, pin[0] == '\0' ? "" : ",\"certificate\":\"", pin,
        pin[0] == '\0' ? "" : "\"", base64);
    assert_int_equal(json_parse_copy(json, buf_span(&loose), &root, &err), 0);
    out->n = 0;
    assert_int_equal(card_sign(out, root, &key, NULL, &err), 0);
    json_free(json);
    buf_free(&loose);
}

static int
add(struct core_test *t, struct span card, const char *url, const char *pin)
{
    struct buf body = buf_new(1 << 17);

    wire_add_text(&body, card);
    wire_add_text(&body, span_of(url));
    wire_add_text(&body, span_of(pin));
    for (int i = 0; i < STORE_LINK_WAYS; i++)
        wire_add_u8(&body, 2); /* not given */
    int rc = core_test_ask(t, DOOR_LOCAL, MESSAGE_PEER_ADD, &nobody, buf_span(&body));
    buf_free(&body);
    return rc;
}

/* The card comes in some other way, and is accepted. */
static void
believe(struct core_test *t, struct span card)
{
    struct arena *arena = arena_new(1 << 20);
    struct card_signed accepted;
    struct err err = {0};

    assert_int_equal(
        cards_accept_operator(t->home, arena, card, clock_now_us(), &accepted, &err), 0);
    arena_free(arena);
    t->core.register_state = 0;
    intake_renew(&t->core);
    assert_int_equal(t->core.stale.code, 0);
    assert_int_equal(core_commit(&t->core, &err), 0);
}

static void
is_at(const struct core_test *t, const char *team, const char *url, const char *pin)
{
    const struct store_link *link = links_by_id(&t->core, span_of(team));

    assert_non_null(link);
    const struct store_principal *p = people_by_number(auth_people(t->core.auth), link->principal);
    assert_non_null(p);
    assert_true(span_equal(link->url, span_of(url)));
    assert_true(span_equal(link->pin, span_of(pin)));
    assert_true(span_equal(p->certificate, span_of(pin)));
    assert_true(span_equal(p->team, span_of(team)));
    assert_int_equal(p->kind, PRINCIPAL_PARTNER);
}

static void
start(struct core_test *t)
{
    core_test_start(t);
    core_test_connect(t, DOOR_COURIER);
}

static void
a_signed_card_makes_its_team_known(void **state)
{
    struct buf card = buf_new(1 << 16);
    struct core_test t;

    (void)state;
    start(&t);
    make_card(&card, "west.test", 2024, "https://west.test", PIN_A);
    assert_int_equal(roster_find(t.core.roster, SPAN("west.test")).index, 0);
    assert_int_equal(add(&t, buf_span(&card), "", ""), 0);
    assert_true(roster_find(t.core.roster, SPAN("west.test")).index > 0);
    is_at(&t, "west.test", "https://west.test", PIN_A);
    core_test_restart(&t);
    is_at(&t, "west.test", "https://west.test", PIN_A);
    assert_int_equal(add(&t, buf_span(&card), "", ""), 0); /* the same again */
    buf_free(&card);
    core_test_end(&t);
}

static void
a_link_follows_its_teams_newer_card(void **state)
{
    struct buf card = buf_new(1 << 16);
    struct core_test t;

    (void)state;
    start(&t);
    make_card(&card, "west.test", 2024, "https://west.test", PIN_A);
    assert_int_equal(add(&t, buf_span(&card), "", ""), 0);
    make_card(&card, "west.test", 2025, "https://new.west.test:8444", PIN_B);
    believe(&t, buf_span(&card));
    is_at(&t, "west.test", "https://new.west.test:8444", PIN_B);
    /* What a person says stays, until a person says otherwise. */
    assert_int_equal(add(&t, buf_span(&card), "https://192.0.2.9", ""), 0);
    is_at(&t, "west.test", "https://192.0.2.9", PIN_B);
    make_card(&card, "west.test", 2026, "https://west.test", PIN_A);
    believe(&t, buf_span(&card));
    is_at(&t, "west.test", "https://192.0.2.9", PIN_B);
    assert_int_equal(add(&t, buf_span(&card), "", ""), 0);
    is_at(&t, "west.test", "https://west.test", PIN_A);
    buf_free(&card);
    core_test_end(&t);
}

/* A CA vouches for the node from now on; at our door it is known as before. */
static void
a_newer_card_without_a_certificate(void **state)
{
    struct buf card = buf_new(1 << 16);
    struct core_test t;

    (void)state;
    start(&t);
    make_card(&card, "west.test", 2024, "https://west.test", PIN_A);
    assert_int_equal(add(&t, buf_span(&card), "", ""), 0);
    make_card(&card, "west.test", 2025, "https://west.test", "");
    believe(&t, buf_span(&card));
    const struct store_link *link = links_by_id(&t.core, SPAN("west.test"));
    assert_int_equal(link->pin.n, 0);
    const struct store_principal *p = people_by_number(auth_people(t.core.auth), link->principal);
    assert_true(span_equal(p->certificate, SPAN(PIN_A)));
    make_card(&card, "west.test", 2026, "https://west.test", PIN_B);
    believe(&t, buf_span(&card));
    is_at(&t, "west.test", "https://west.test", PIN_B);
    buf_free(&card);
    core_test_end(&t);
}

/* A card that came while core was down is followed at its start. */
static void
cards_are_looked_at_at_the_start(void **state)
{
    struct buf card = buf_new(1 << 16);
    struct arena *arena = arena_new(1 << 20);
    struct card_signed accepted;
    struct core_test t;
    struct err err = {0};

    (void)state;
    start(&t);
    make_card(&card, "west.test", 2024, "https://west.test", PIN_A);
    assert_int_equal(add(&t, buf_span(&card), "", ""), 0);
    core_test_close(&t);
    make_card(&card, "west.test", 2025, "https://new.west.test", PIN_B);
    assert_int_equal(
        cards_accept_operator(t.home, arena, buf_span(&card), clock_now_us(), &accepted, &err), 0);
    core_test_open(&t);
    is_at(&t, "west.test", "https://new.west.test", PIN_B);
    arena_free(arena);
    buf_free(&card);
    core_test_end(&t);
}

/* It changes where the node is, not whether it may come in. */
static void
a_newer_card_enables_nothing(void **state)
{
    struct buf card = buf_new(1 << 16);
    struct buf body = buf_new(1 << 10);
    struct core_test t;

    (void)state;
    start(&t);
    make_card(&card, "west.test", 2024, "https://west.test", PIN_A);
    assert_int_equal(add(&t, buf_span(&card), "", ""), 0);
    wire_add_text(&body, SPAN("west.test"));
    wire_add_u8(&body, 1); /* disabled */
    wire_add_u8(&body, 0);
    wire_add_text(&body, SPAN(""));
    wire_add_text(&body, SPAN(""));
    assert_int_equal(
        core_test_ask(&t, DOOR_LOCAL, MESSAGE_PRINCIPAL_CHANGE, &nobody, buf_span(&body)), 0);
    make_card(&card, "west.test", 2025, "https://west.test", PIN_B);
    believe(&t, buf_span(&card));
    is_at(&t, "west.test", "https://west.test", PIN_B);
    const struct caller shown = {.scheme = CALLER_CERTIFICATE, .secret = SPAN(PIN_B)};
    assert_int_equal(
        core_test_ask(&t, DOOR_PARTNERS, MESSAGE_WHO, &shown, SPAN("")), ERR_NOT_SIGNED_IN);
    const struct caller link = {.scheme = CALLER_LINK, .user = SPAN("west.test")};
    assert_int_equal(
        core_test_ask(&t, DOOR_COURIER, MESSAGE_COLLECTIONS, &link, (struct span){"\0\0\0\0", 4}),
        ERR_NOT_SIGNED_IN);
    buf_free(&body);
    buf_free(&card);
    core_test_end(&t);
}

/* Nobody takes over another's account by naming its certificate in a card. */
static void
anothers_certificate_is_not_taken(void **state)
{
    struct buf card = buf_new(1 << 16);
    struct core_test t;

    (void)state;
    start(&t);
    assert_int_equal(add(&t, SPAN("{\"id\":\"south.test\"}"), "https://south.test", PIN_C), 0);
    make_card(&card, "west.test", 2024, "https://west.test", PIN_C);
    assert_int_equal(add(&t, buf_span(&card), "", ""), ERR_EXISTS);
    assert_null(links_by_id(&t.core, SPAN("west.test")));
    assert_int_equal(roster_find(t.core.roster, SPAN("west.test")).index, 0);
    make_card(&card, "west.test", 2024, "https://west.test", PIN_A);
    assert_int_equal(add(&t, buf_span(&card), "", ""), 0);
    make_card(&card, "west.test", 2025, "https://west.test", PIN_C);
    believe(&t, buf_span(&card));
    is_at(&t, "west.test", "https://west.test", PIN_A);
    is_at(&t, "south.test", "https://south.test", PIN_C);
    buf_free(&card);
    core_test_end(&t);
}

static void
what_is_no_teams_word(void **state)
{
    struct buf card = buf_new(1 << 16);
    struct core_test t;

    (void)state;
    start(&t);
    make_card(&card, "west.test", 2025, "https://west.test", PIN_A);
    char *year = memmem(card.p, card.n, "2025-", 5);
    assert_non_null(year);
    year[3] = '6'; /* forged */
    assert_int_equal(add(&t, buf_span(&card), "", ""), ERR_BAD_CARD);
    assert_null(links_by_id(&t.core, SPAN("west.test")));
    make_card(&card, "west.test", 2025, "https://west.test", PIN_A);
    assert_int_equal(add(&t, buf_span(&card), "", ""), 0);
    make_card(&card, "west.test", 2024, "https://old.west.test", PIN_B);
    assert_int_equal(add(&t, buf_span(&card), "", ""), ERR_EXISTS); /* a newer one is known */
    is_at(&t, "west.test", "https://west.test", PIN_A);
    make_card(&card, "north.test", 2025, "https://north.test", PIN_B); /* our own */
    assert_int_equal(add(&t, buf_span(&card), "", ""), ERR_BAD_VALUE);
    buf_free(&card);
    core_test_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_card_makes_its_team_known),
        cmocka_unit_test(a_link_follows_its_teams_newer_card),
        cmocka_unit_test(a_newer_card_without_a_certificate),
        cmocka_unit_test(cards_are_looked_at_at_the_start),
        cmocka_unit_test(a_newer_card_enables_nothing),
        cmocka_unit_test(anothers_certificate_is_not_taken),
        cmocka_unit_test(what_is_no_teams_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
