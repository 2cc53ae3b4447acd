#include "flow/card_sign.h"

#include "base/time.h"
#include "flow/card_sign_private.h"
#include "fmt/jcs.h"

#include <sodium.h>

static const char card_line[] = "comity-card-signature-v1\n";
static const char vouch_line[] = "comity-card-vouch-v1\n";

const char *const card_basis_words[] = {[CARD_BY_NOBODY] = "nobody",
    [CARD_BY_OPERATOR] = "operator",
    [CARD_BY_KEY] = "key",
    [CARD_BY_PREVIOUS] = "previous",
    [CARD_BY_SPONSORS] = "sponsors",
    NULL};

/* What is no part of what the team says: who signed it, and what each node thinks of it. */
static const char *const apart[] = {"signature", "vouches", "verified", "accepted", NULL};

/* ---- vouches ---- */

static void
add_key(struct buf *out, const char *name, const uint8_t *bytes, size_t n)
{
    char text[AGREEMENT_SIGN_BASE64_BYTES];

    agreement_sign_base64(bytes, n, text);
    buf_format(out, "\"%s\":\"%s\",", name, text);
}

static void
add_text(struct buf *out, const char *name, struct span text)
{
    buf_format(out, "\"%s\":", name);
    jcs_add_string(out, text);
}

/* Members in RFC 8785's order; SIGNED: with the signature, which is not under itself. */
static void
add_vouch(struct buf *out, const struct card_vouch *vouch, bool is_signed)
{
    buf_add_char(out, '{');
    add_text(out, "by", vouch->by);
    buf_add_char(out, ',');
    add_key(out, "by_key", vouch->by_key, sizeof vouch->by_key);
    add_key(out, "key", vouch->key, sizeof vouch->key);
    if (is_signed)
        add_key(out, "signature", vouch->signature, sizeof vouch->signature);
    add_text(out, "team", vouch->team);
    buf_add_char(out, ',');
    add_text(out, "time", vouch->time);
    buf_add_char(out, '}');
}

bool
card_sign_vouch_is(const struct card_vouch *vouch)
{
    struct buf text = buf_new(CARD_VOUCH_BYTES);

    add_vouch(&text, vouch, false);
    bool right = !text.full
        && agreement_sign_is(vouch->by_key, SPAN(vouch_line), buf_span(&text), vouch->signature);
    buf_free(&text);
    return right;
}

static bool
is_for(const struct card_signed *card, const struct card_vouch *vouch)
{
    return span_equal(vouch->team, card->id)
        && memcmp(vouch->key, card->key, sizeof card->key) == 0;
}

/* A sponsor's later word takes the place of its earlier one, by the same key: who else says to be
 * that sponsor takes nothing away. False: there is no room. */
static bool
put_vouch(struct card_signed *card, const struct card_vouch *vouch)
{
    for (size_t i = 0; i < card->vouch_count; i++)
        if (span_equal(card->vouches[i].by, vouch->by)
            && memcmp(card->vouches[i].by_key, vouch->by_key, CARD_KEY_BYTES) == 0) {
            if (card->vouches[i].time_us < vouch->time_us)
                card->vouches[i] = *vouch;
            return true;
        }
    if (card->vouch_count == CARD_VOUCHES_MAX)
        return false;
    card->vouches[card->vouch_count++] = *vouch;
    return true;
}

size_t
card_sign_join(struct card_signed *card, const struct card_signed *from)
{
    size_t before = card->vouch_count;

    for (size_t i = 0; i < from->vouch_count; i++)
        if (is_for(card, &from->vouches[i]))
            (void)put_vouch(card, &from->vouches[i]);
    return card->vouch_count - before;
}

int
card_sign_vouch(struct arena *arena, struct card_signed *card, struct span by,
    const struct agreement_key *key, int64_t at_us, struct err *err)
{
    char time[TIME_TEXT_BYTES];
    size_t n = time_format_us(at_us, time);
    struct card_vouch vouch = {.by = {arena_copy(arena, by.p, by.n), by.n},
        .team = card->id,
        .time = {arena_copy(arena, time, n), n},
        .time_us = at_us};
    struct buf text = buf_new(CARD_VOUCH_BYTES);

    if (vouch.by.p == NULL || vouch.time.p == NULL)
        return arena_full(err, "a vouch");
    memcpy(vouch.by_key, key->public, sizeof vouch.by_key);
    memcpy(vouch.key, card->key, sizeof vouch.key);
    add_vouch(&text, &vouch, false);
    int rc = buf_check(&text, "a vouch", err);
    if (rc == 0)
        rc = agreement_sign_bytes(key, SPAN(vouch_line), buf_span(&text), vouch.signature, err);
    buf_free(&text);
    if (rc == 0 && !put_vouch(card, &vouch))
        rc = err_set(err, ERR_LIMIT, "%.*s has %d vouches already, and more are not kept",
            SPAN_ARGS(card->id), CARD_VOUCHES_MAX);
    return rc;
}

/* ---- cards ---- */

int
card_sign_text(struct buf *out, struct json_value card, struct err *err)
{
    int rc = jcs_add_without(out, card, apart, err);

    return rc == 0 ? buf_check(out, "a signed card", err) : rc;
}

bool
card_sign_is(const struct card_signed *card)
{
    return agreement_sign_is(card->key, SPAN(card_line), card->text, card->signature);
}

bool
card_sign_by_previous(const struct card_signed *card, const uint8_t key[CARD_KEY_BYTES])
{
    return card->has_previous
        && agreement_sign_is(key, SPAN(card_line), card->text, card->previous);
}

static void
add_vouches(struct buf *out, const struct card_signed *card)
{
    for (size_t i = 0; i < card->vouch_count; i++) {
        buf_add_text(out, i == 0 ? ",\"vouches\":[" : ",");
        add_vouch(out, &card->vouches[i], true);
    }
    if (card->vouch_count > 0)
        buf_add_char(out, ']');
}

static void
add_acceptance(struct buf *out, const struct card_acceptance *a)
{
    char time[TIME_TEXT_BYTES];

    buf_format(out, ",\"accepted\":{\"as\":\"%s\"", card_basis_words[a->basis]);
    if (a->from.n > 0) {
        buf_add_char(out, ',');
        add_text(out, "from", a->from);
    }
    for (size_t i = 0; i < a->sponsor_count; i++) {
        buf_add_text(out, i == 0 ? ",\"sponsors\":[" : ",");
        jcs_add_string(out, a->sponsors[i]);
    }
    (void)time_format_us(a->time_us, time);
    buf_format(out, "%s,\"time\":\"%s\"}", a->sponsor_count > 0 ? "]" : "", time);
}

static void
add_signature(
    struct buf *out, const uint8_t *key, const uint8_t *signature, const uint8_t *previous)
{
    buf_add_text(out, ",\"signature\":{");
    add_key(out, "key", key, CARD_KEY_BYTES);
    if (previous != NULL)
        add_key(out, "previous", previous, CARD_SIGNATURE_BYTES);
    add_key(out, "signature", signature, CARD_SIGNATURE_BYTES);
    out->n--; /* the comma */
    buf_add_char(out, '}');
}

/* TEXT, which ends in '}', and what stands beside it, in RFC 8785's order. */
static int
finish(struct buf *out, struct buf *loose, bool verified, struct err *err)
{
    buf_format(loose, ",\"verified\":%s}", verified ? "true" : "false");
    int rc = buf_check(loose, "a signed card", err);

    if (rc == 0)
        rc = jcs_add_text(out, buf_span(loose), err);
    if (rc == 0)
        rc = buf_check(out, "a signed card", err);
    return rc;
}

int
card_sign_document(
    struct buf *out, const struct card_signed *card, bool verified, bool kept, struct err *err)
{
    struct buf loose = buf_new((size_t)2 * CARD_SIGNED_BYTES_MAX);

    buf_add(&loose, card->text.p, card->text.n - 1);
    add_signature(&loose, card->key, card->signature, card->has_previous ? card->previous : NULL);
    add_vouches(&loose, card);
    if (kept && card->accepted.time_us != 0)
        add_acceptance(&loose, &card->accepted);
    int rc = finish(out, &loose, verified, err);
    buf_free(&loose);
    return rc;
}

int
card_sign(struct buf *out, struct json_value card, const struct agreement_key *key,
    const struct agreement_key *previous, struct err *err)
{
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);
    uint8_t by_key[CARD_SIGNATURE_BYTES];
    uint8_t by_previous[CARD_SIGNATURE_BYTES];
    int rc = json_type(card) != JSON_OBJECT
        ? err_set(err, ERR_BAD_CARD, "a team card is a JSON object")
        : card_sign_text(&text, card, err);

    if (rc == 0)
        rc = agreement_sign_bytes(key, SPAN(card_line), buf_span(&text), by_key, err);
    if (rc == 0 && previous != NULL)
        rc = agreement_sign_bytes(previous, SPAN(card_line), buf_span(&text), by_previous, err);
    if (rc == 0) {
        struct buf loose = buf_new((size_t)2 * CARD_SIGNED_BYTES_MAX);
        buf_add(&loose, text.p, text.n - 1);
        add_signature(&loose, key->public, by_key, previous != NULL ? by_previous : NULL);
        rc = finish(out, &loose, false, err);
        buf_free(&loose);
    }
    buf_free(&text);
    return rc;
}

void
card_sign_print(const uint8_t key[CARD_KEY_BYTES], char out[CARD_PRINT_BYTES])
{
    uint8_t digest[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256(digest, key, CARD_KEY_BYTES);
    (void)sodium_bin2hex(out, CARD_PRINT_BYTES, digest, (CARD_PRINT_BYTES - 1) / 2);
}
