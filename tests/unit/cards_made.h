/* cards_made.h: cards, keys and a data folder for tests of signed team cards.
 */
#ifndef COMITY_TESTS_CARDS_MADE_H
#define COMITY_TESTS_CARDS_MADE_H

#include "base/time.h"
#include "flow/card.h"
#include "flow/cards.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define NOW INT64_C(1780000000000000)
#define HOUR INT64_C(3600000000)

enum { TEAM, ONE, TWO, THREE, STRANGER, OTHER, KEYS };
struct world {
    struct arena *arena;
    struct agreement_key keys[KEYS];
    struct keyring *ring;
    struct roster *roster;
    char home[64];
};

static inline void
know(struct world *w, const char *team, int key, int64_t until_us)
{
    struct card_key row = {.until_us = until_us};

    memcpy(row.bytes, w->keys[key].public, sizeof row.bytes);
    assert_int_equal(keyring_add(w->ring, span_of(team), &row, NULL), 0);
}

static inline int
open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err err = {0};

    w->arena = arena_new((size_t)256 << 20);
    w->ring = keyring_new();
    for (uint8_t i = 0; i < KEYS; i++) {
        uint8_t seed[AGREEMENT_SIGN_SEED_BYTES] = {(uint8_t)(i + 1)};
        agreement_sign_key(seed, &w->keys[i]);
    }
    (void)snprintf(w->home, sizeof w->home, "/tmp/comity-cards-XXXXXX");
    assert_non_null(mkdtemp(w->home));
    assert_int_equal(roster_build(NULL, 0, &w->roster, &err), 0);
    *state = w;
    return 0;
}

static inline int
close_world(void **state)
{
    struct world *w = *state;
    char command[128];

    (void)snprintf(command, sizeof command, "rm -r %s", w->home);
    assert_int_equal(system(command), 0);
    roster_free(w->roster);
    keyring_free(w->ring);
    arena_free(w->arena);
    free(w);
    return 0;
}

/* ---- cards ---- */

/* The card of TEAM at AT_US by KEY; MORE: members, each with a comma behind. */
static inline struct span
made(struct world *w, int64_t at_us, int key, int previous, const char *more)
{
    char version[TIME_TEXT_BYTES];
    char base64[AGREEMENT_SIGN_BASE64_BYTES];
    struct buf loose = buf_new(1 << 16);
    struct buf out = buf_new(1 << 16);
    struct json *json = json_new(1 << 16);
    struct json_value root;
    struct err err = {0};

    (void)time_format_us(at_us, version);
    agreement_sign_base64(w->keys[key].public, CARD_KEY_BYTES, base64);
    buf_format(&loose,
        "{\"id\":\"team.test\",\"name\":\"Team\",\"kind\":\"research\",\"economies\":[\"FI\"],%s"
        "\"source\":\"own\",\"verified\":true,\"version\":\"%s\",\"node\":{\"url\":"
        "\"https://team.test:8444\"},\"keys\":[{\"type\":\"ed25519\",\"key\":\"%s\"}]}",
        more, version, base64);
    assert_int_equal(json_parse_copy(json, buf_span(&loose), &root, &err), 0);
    assert_int_equal(
        card_sign(&out, root, &w->keys[key], previous < 0 ? NULL : &w->keys[previous], &err), 0);
    struct span text = {arena_copy(w->arena, out.p, out.n), out.n};
    json_free(json);
    buf_free(&loose);
    buf_free(&out);
    return text;
}

static inline struct cards_read
read_card(struct world *w, struct span text)
{
    struct cards_read card;
    struct err err = {0};

    assert_int_equal(cards_read(w->arena, text, &card, &err), 0);
    return card;
}

static inline struct cards_read
card_of(struct world *w, int64_t at_us, int key, int previous)
{
    return read_card(w, made(w, at_us, key, previous, ""));
}

static inline void
vouch(struct world *w, struct cards_read *card, const char *by, int key, int64_t at_us)
{
    assert_int_equal(
        card_sign_vouch(w->arena, &card->card, span_of(by), &w->keys[key], at_us, NULL), 0);
}

static inline struct card_judgement
judged(const struct world *w, const struct cards_read *card, const struct cards_read *known)
{
    struct card_judgement j;
    const struct card_question q = {.card = &card->card,
        .known = known == NULL ? NULL : &known->card,
        .ring = w->ring,
        .own = SPAN("own.test"),
        .team = &card->team,
        .before = known == NULL ? NULL : &known->team,
        .roster = w->roster,
        .now_us = NOW};

    card_accept(&q, &j);
    return j;
}

#define IS(judgement, wanted, as)                                                                  \
    do {                                                                                           \
        const struct card_judgement it_ = (judgement);                                             \
        if (it_.verdict != (wanted) || it_.basis != (as))                                          \
            fail_msg("verdict %d, basis %d: %s", it_.verdict, it_.basis, it_.why);                 \
    } while (0)

static inline struct span
changed(struct world *w, struct span text, const char *from, const char *to)
{
    struct buf out = buf_new(1 << 17);
    const char *at = memmem(text.p, text.n, from, strlen(from));

    assert_non_null(at);
    buf_add(&out, text.p, (size_t)(at - text.p));
    buf_add_text(&out, to);
    at += strlen(from);
    buf_add(&out, at, text.n - (size_t)(at - text.p));
    struct span copy = {arena_copy(w->arena, out.p, out.n), out.n};
    buf_free(&out);
    return copy;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

#endif
