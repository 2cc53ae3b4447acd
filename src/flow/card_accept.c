#include "flow/card_accept.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 4))) static void
say(struct card_judgement *out, enum card_verdict verdict, const char *format, ...)
{
    va_list args;

    out->verdict = (uint8_t)verdict;
    va_start(args, format);
    (void)vsnprintf(out->why, sizeof out->why, format, args);
    va_end(args);
}

static bool
same_key(const uint8_t a[CARD_KEY_BYTES], const uint8_t b[CARD_KEY_BYTES])
{
    return memcmp(a, b, CARD_KEY_BYTES) == 0;
}

/* ---- sponsors ---- */

/* Two keys of one team are one sponsor, and so are two teams with one key. */
static bool
counted(
    const struct card_question *q, const struct card_judgement *out, const struct card_vouch *vouch)
{
    for (size_t i = 0; i < out->sponsor_count; i++)
        for (size_t k = 0; k < q->card->vouch_count; k++)
            if (span_equal(out->sponsors[i], q->card->vouches[k].by)
                && (span_equal(out->sponsors[i], vouch->by)
                    || same_key(q->card->vouches[k].by_key, vouch->by_key)))
                return true;
    return false;
}

/* A sponsor is another team whose key is known now. Where a key is to give way to this one, what
 * was said before that is no word on the change: else the vouches of a key that was given up would
 * bring it back. */
static bool
counts(const struct card_question *q, const struct card_vouch *vouch)
{
    const struct card_signed *card = q->card;

    return !span_equal(vouch->by, card->id) && span_equal(vouch->team, card->id)
        && same_key(vouch->key, card->key) && !same_key(vouch->by_key, card->key)
        && vouch->time_us <= q->now_us + CARD_AHEAD_US
        && (q->known == NULL || vouch->time_us > q->known->version_us)
        && keyring_knows(q->ring, vouch->by, vouch->by_key, q->now_us);
}

static void
find_sponsors(const struct card_question *q, struct card_judgement *out)
{
    for (size_t i = 0; i < q->card->vouch_count; i++)
        if (counts(q, &q->card->vouches[i]) && !counted(q, out, &q->card->vouches[i]))
            out->sponsors[out->sponsor_count++] = q->card->vouches[i].by;
}

static void
gather_known(struct card_signed *out, const struct card_signed *from, const struct keyring *ring,
    int64_t now_us, bool known)
{
    struct card_signed one = {.vouch_count = 1};

    for (size_t i = 0; i < from->vouch_count; i++) {
        one.vouches[0] = from->vouches[i];
        if (keyring_knows(ring, one.vouches[0].by, one.vouches[0].by_key, now_us) == known)
            (void)card_sign_join(out, &one);
    }
}

static int64_t
latest(const struct card_signed *card)
{
    int64_t time_us = INT64_MIN;

    for (size_t i = 0; i < card->vouch_count; i++)
        if (card->vouches[i].time_us > time_us)
            time_us = card->vouches[i].time_us;
    return time_us;
}

bool
card_accept_gather(struct card_signed *card, const struct card_signed *from,
    const struct keyring *ring, int64_t now_us)
{
    const struct card_signed before = *card;

    card->vouch_count = 0;
    gather_known(card, &before, ring, now_us, true);
    gather_known(card, from, ring, now_us, true);
    gather_known(card, &before, ring, now_us, false);
    gather_known(card, from, ring, now_us, false);
    return card->vouch_count > before.vouch_count || latest(card) > latest(&before);
}

/* ---- the key ---- */

/* Of a team with a signed card only that card's key counts: others that were believed for it once
 * are for what was signed then. */
static bool
knows_key(const struct card_question *q)
{
    return q->known != NULL ? same_key(q->known->key, q->card->key)
                            : keyring_knows(q->ring, q->card->id, q->card->key, q->now_us);
}

static bool
knows_previous(const struct card_question *q)
{
    const uint8_t *key;
    size_t at = 0;

    if (q->known != NULL)
        return card_sign_by_previous(q->card, q->known->key);
    while ((key = keyring_next(q->ring, q->card->id, q->now_us, &at)) != NULL)
        if (card_sign_by_previous(q->card, key))
            return true;
    return false;
}

static bool
has_key(const struct card_question *q)
{
    size_t at = 0;

    return q->known != NULL || keyring_next(q->ring, q->card->id, q->now_us, &at) != NULL;
}

static void
judge_key(const struct card_question *q, struct card_judgement *out)
{
    char print[CARD_PRINT_BYTES];

    card_sign_print(q->card->key, print);
    if (knows_key(q)) {
        out->basis = CARD_BY_KEY;
        say(out, CARD_ACCEPT, "it is signed by the key that is known");
    } else if (keyring_ended(q->ring, q->card->id, q->card->key, q->now_us)) {
        say(out, CARD_REFUSE, "its key %s is one that %.*s has given up", print,
            SPAN_ARGS(q->card->id));
    } else if (knows_previous(q)) {
        out->basis = CARD_BY_PREVIOUS;
        say(out, CARD_ACCEPT, "the key that was known signed the new one");
    } else if (out->sponsor_count >= CARD_SPONSORS_NEEDED) {
        out->basis = CARD_BY_SPONSORS;
        say(out, CARD_ACCEPT, "%zu sponsors vouch for its key", out->sponsor_count);
    } else {
        say(out, CARD_WAIT, "its key %s is %s, and %zu of %d sponsors %s for it", print,
            has_key(q) ? "another than the one known, which did not sign it" : "not known",
            out->sponsor_count, CARD_SPONSORS_NEEDED,
            out->sponsor_count == 1 ? "vouches" : "vouch");
    }
}

/* ---- the version ---- */

/* True: it is newer than what is known, so its key is asked. */
static bool
is_newer(const struct card_question *q, struct card_judgement *out)
{
    const struct card_signed *card = q->card;
    const struct card_signed *known = q->known;

    if (known == NULL || card->version_us > known->version_us)
        return true;
    if (card->version_us < known->version_us)
        say(out, CARD_KNOWN, "a newer card of %.*s is known", SPAN_ARGS(card->id));
    else if (span_equal(card->text, known->text)) {
        out->same = true;
        say(out, CARD_KNOWN, "it is known");
    } else
        say(out, CARD_REFUSE, "it contradicts the card of %.*s that is known: both are of %.*s",
            SPAN_ARGS(card->id), SPAN_ARGS(card->version));
    return false;
}

void
card_accept(const struct card_question *q, struct card_judgement *out)
{
    char what[CARD_CLAIM_BYTES];

    *out = (struct card_judgement){.verdict = CARD_REFUSE};
    if (q->card->version_us > q->now_us + CARD_AHEAD_US) {
        say(out, CARD_REFUSE, "its version %.*s lies ahead of this node's clock",
            SPAN_ARGS(q->card->version));
        return;
    }
    if (!is_newer(q, out))
        return;
    if (q->own.n > 0 && span_equal(q->card->id, q->own)) {
        say(out, CARD_REFUSE, "it claims to be the card of %.*s, this node's own team",
            SPAN_ARGS(q->own));
        return;
    }
    find_sponsors(q, out);
    judge_key(q, out);
    if (out->verdict == CARD_ACCEPT && card_claims_more(q->before, q->roster, q->team, what)) {
        out->basis = CARD_BY_NOBODY;
        say(out, CARD_WAIT, "it claims %s: more than was known of %.*s", what,
            SPAN_ARGS(q->card->id));
    }
}
