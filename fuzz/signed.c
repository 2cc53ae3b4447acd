/* Signed cards: what is read well is read again the same, and nobody is believed whom nobody knows.
 * Whatever an input says is signed here first, too, so that what stands behind the signature is
 * reached. */
#include "fuzz.h"

#include "flow/cards.h"

static void
judge(const struct cards_read *card)
{
    struct card_judgement judgement;
    struct card_question q = {.card = &card->card,
        .team = &card->team,
        .own = SPAN("own.test"),
        .now_us = INT64_C(1780000000000000)};

    MUST(roster_build(NULL, 0, (struct roster **)&q.roster, NULL) == 0);
    card_accept(&q, &judgement);
    MUST(judgement.verdict == CARD_WAIT || judgement.verdict == CARD_REFUSE);
    MUST(judgement.basis == CARD_BY_NOBODY && judgement.why[0] != '\0');
    q.known = &card->card;
    card_accept(&q, &judgement);
    MUST(judgement.verdict == CARD_REFUSE || judgement.same);
    roster_free((struct roster *)q.roster);
}

static void
look(struct arena *arena, struct span text)
{
    struct buf out = buf_new((size_t)2 * CARD_SIGNED_BYTES_MAX);
    struct cards_read card;
    struct cards_read again;
    struct err err = {0};
    int rc = cards_read(arena, text, &card, &err);

    MUST(rc == 0 || err.msg[0] != '\0');
    if (rc == 0) {
        MUST(card.card.vouch_count <= CARD_VOUCHES_MAX);
        judge(&card);
        if (card_sign_document(&out, &card.card, true, true, &err) == 0) {
            rc = cards_read(arena, buf_span(&out), &again, &err);
            MUST(rc == 0 || rc == ERR_LIMIT);
            MUST(rc != 0 || span_equal(again.card.text, card.card.text));
            MUST(rc != 0 || again.card.vouch_count == card.card.vouch_count);
        }
    }
    buf_free(&out);
}

static void
sign(struct arena *arena, struct span text)
{
    static const uint8_t seed[AGREEMENT_SIGN_SEED_BYTES] = {1};
    struct json *json = json_new((size_t)4 << 20);
    struct buf out = buf_new((size_t)2 * CARD_SIGNED_BYTES_MAX);
    struct agreement_key key;
    struct json_value root;
    struct err err = {0};

    agreement_sign_key(seed, &key);
    if (json_parse_copy(json, text, &root, NULL) == 0
        && card_sign(&out, root, &key, &key, &err) == 0)
        look(arena, buf_span(&out));
    buf_free(&out);
    json_free(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    const struct span text = {(const char *)data, size};

    MUST(arena != NULL);
    look(arena, text);
    sign(arena, text);
    arena_free(arena);
    return 0;
}
