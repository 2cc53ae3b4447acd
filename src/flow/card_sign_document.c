#include "flow/card_sign.h"

#include "flow/card_key.h"
#include "flow/card_sign_private.h"
#include "flow/clause_document.h"
#include "flow/doc.h"
#include "fmt/note.h"
#include "model/url.h"

#include <stdio.h>

enum { TIME_MAX = 64 };

/* ---- texts ---- */

static bool
read_team(struct doc *doc, const char *key, struct json_value value, struct span *out)
{
    if (!doc_text(doc, key, value, CLAUSE_TEAM_ID_MAX, out))
        return false;
    if (clause_document_is_team(*out))
        return true;
    doc_fault(doc, key, "\"%.*s\" is no team's id", SPAN_ARGS(*out));
    return false;
}

static bool
read_time(
    struct doc *doc, const char *key, struct json_value value, struct span *text, int64_t *out)
{
    return doc_time(doc, key, value, out)
        && (text == NULL || doc_text(doc, key, value, TIME_MAX, text));
}

/* ---- node ---- */

/* Only what stands in front of the first path counts, so nothing else may be there. */
static bool
is_origin(struct span text)
{
    struct url url;

    if (!span_starts(text, SPAN("https://")) || !url_split(text, &url) || url.login.n > 0
        || url.host.n == 0)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= 0x20 || text.p[i] >= 0x7f || text.p[i] == '\\')
            return false;
    uint64_t port = 1;
    return url.rest.n == 0
        || (url.rest.p[0] == ':' && span_u64((struct span){url.rest.p + 1, url.rest.n - 1}, &port)
            && port > 0 && port <= UINT16_MAX);
}

static bool
read_url(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct card_node *node = target;

    if (!doc_text(doc, key, value, CARD_URL_MAX, &node->url))
        return false;
    if (is_origin(node->url))
        return true;
    doc_fault(doc, key, "must be https://host or https://host:port, with nothing behind");
    return false;
}

static bool
read_certificate(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct card_node *node = target;

    if (!doc_text(doc, key, value, CARD_PIN_BYTES, &node->certificate))
        return false;
    bool good = node->certificate.n == CARD_PIN_BYTES;
    for (size_t i = 0; i < node->certificate.n; i++) {
        char c = node->certificate.p[i];
        good = good && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    }
    if (!good)
        doc_fault(doc, key,
            "must be the SHA-256 of the certificate's DER form, %d lower-case hexadecimal digits",
            CARD_PIN_BYTES);
    return good;
}

static bool
read_vkey(struct doc *doc, const char *key, struct json_value value, struct span *out)
{
    struct note_key parsed;
    struct err why;

    if (!doc_text(doc, key, value, CARD_VKEY_MAX, out))
        return false;
    if (note_key_parse(*out, &parsed, &why) == 0)
        return true;
    doc_fault(doc, key, "%s", why.msg);
    return false;
}

#define VKEY_MEMBER(name)                                                                          \
    static bool read_##name(                                                                       \
        struct doc *doc, const char *key, struct json_value value, void *target)                   \
    {                                                                                              \
        return read_vkey(doc, key, value, &((struct card_node *)target)->name);                    \
    }
VKEY_MEMBER(log)
VKEY_MEMBER(witness)
VKEY_MEMBER(receipt)

static void
read_node(struct doc *doc, struct json_value value, struct card_node *out)
{
    static const struct doc_key keys[] = {{"url", "write where the node is reached", read_url},
        {"certificate", NULL, read_certificate}, {"log", NULL, read_log},
        {"witness", NULL, read_witness}, {"receipt", NULL, read_receipt}};
    bool seen[sizeof keys / sizeof keys[0]];

    (void)snprintf(doc->place, sizeof doc->place, "node");
    (void)doc_object(doc, value, keys, sizeof keys / sizeof keys[0], out, seen);
    doc->place[0] = '\0';
}

/* ---- signature ---- */

static bool
read_key(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_base64(doc, key, value, ((struct card_signed *)target)->key, CARD_KEY_BYTES);
}

static bool
read_signature(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_base64(
        doc, key, value, ((struct card_signed *)target)->signature, CARD_SIGNATURE_BYTES);
}

static bool
read_previous(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct card_signed *card = target;

    card->has_previous = doc_base64(doc, key, value, card->previous, CARD_SIGNATURE_BYTES);
    return card->has_previous;
}

static void
read_signed(struct doc *doc, struct json_value value, struct card_signed *out)
{
    static const struct doc_key keys[] = {{"key", "write the key in base64", read_key},
        {"signature", "write the signature in base64", read_signature},
        {"previous", NULL, read_previous}};
    bool seen[3];

    (void)snprintf(doc->place, sizeof doc->place, "signature");
    (void)doc_object(doc, value, keys, 3, out, seen);
    doc->place[0] = '\0';
}

/* ---- vouches ---- */

static bool
read_by(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return read_team(doc, key, value, &((struct card_vouch *)target)->by);
}

static bool
read_of(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return read_team(doc, key, value, &((struct card_vouch *)target)->team);
}

static bool
read_by_key(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_base64(doc, key, value, ((struct card_vouch *)target)->by_key, CARD_KEY_BYTES);
}

static bool
read_vouched(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_base64(doc, key, value, ((struct card_vouch *)target)->key, CARD_KEY_BYTES);
}

static bool
read_vouch_time(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct card_vouch *vouch = target;

    return read_time(doc, key, value, &vouch->time, &vouch->time_us);
}

static bool
read_vouch_signature(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return doc_base64(
        doc, key, value, ((struct card_vouch *)target)->signature, CARD_SIGNATURE_BYTES);
}

static bool
read_vouch(struct doc *doc, struct json_value value, struct card_vouch *out)
{
    static const struct doc_key keys[] = {{"by", "write who vouches", read_by},
        {"by_key", "write the sponsor's key in base64", read_by_key},
        {"team", "write for which team", read_of},
        {"key", "write for which key, in base64", read_vouched},
        {"time", "write when", read_vouch_time},
        {"signature", "write the sponsor's signature in base64", read_vouch_signature}};
    bool seen[sizeof keys / sizeof keys[0]];

    return doc_object(doc, value, keys, sizeof keys / sizeof keys[0], out, seen);
}

/* A vouch for another key is what is left of an earlier card, and a wrong one is anybody's: they
 * count for nothing, and do not make the card wrong. A team does not vouch for itself. */
static void
read_vouches(struct doc *doc, struct json_value value, struct card_signed *card)
{
    int64_t length = doc_list(doc, "vouches", value);
    struct json_value item;
    struct span none;
    size_t n = 0;

    if (length < 0)
        return;
    if (length > CARD_VOUCHES_MAX) {
        doc_fault(
            doc, "vouches", "holds %lld; at most %d are read", (long long)length, CARD_VOUCHES_MAX);
        return;
    }
    for (struct json_iter it = json_iter(value); json_next(&it, &none, &item);) {
        struct card_signed one = {.vouch_count = 1};
        (void)snprintf(doc->place, sizeof doc->place, "vouch %zu", ++n);
        if (!read_vouch(doc, item, &one.vouches[0]))
            break;
        if (!span_equal(one.vouches[0].by, card->id) && card_sign_vouch_is(&one.vouches[0]))
            (void)card_sign_join(card, &one);
    }
    doc->place[0] = '\0';
}

/* ---- accepted ---- */

static bool
read_as(struct doc *doc, const char *key, struct json_value value, void *target)
{
    int word = doc_word(doc, key, value, card_basis_words, CARD_BY_SPONSORS + 1);

    ((struct card_acceptance *)target)->basis = (uint8_t)(word < 0 ? CARD_BY_NOBODY : word);
    return word >= 0;
}

static bool
read_from(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return read_team(doc, key, value, &((struct card_acceptance *)target)->from);
}

static bool
read_accepted_time(struct doc *doc, const char *key, struct json_value value, void *target)
{
    return read_time(doc, key, value, NULL, &((struct card_acceptance *)target)->time_us);
}

static bool
read_sponsors(struct doc *doc, const char *key, struct json_value value, void *target)
{
    struct card_acceptance *accepted = target;
    const struct span *list = NULL;
    size_t count = 0;

    if (!doc_texts(doc, key, value, CLAUSE_TEAM_ID_MAX, &list, &count))
        return false;
    for (size_t i = 0; i < count && i < CARD_VOUCHES_MAX; i++)
        accepted->sponsors[accepted->sponsor_count++] = list[i];
    return true;
}

static void
read_accepted(struct doc *doc, struct json_value value, struct card_acceptance *out)
{
    static const struct doc_key keys[] = {{"as", "write whose word it was", read_as},
        {"from", NULL, read_from}, {"sponsors", NULL, read_sponsors},
        {"time", "write when", read_accepted_time}};
    bool seen[4];

    (void)snprintf(doc->place, sizeof doc->place, "accepted");
    (void)doc_object(doc, value, keys, 4, out, seen);
    doc->place[0] = '\0';
}

/* ---- the card ---- */

static void
read_head(struct doc *doc, struct json_value card, struct card_signed *out)
{
    struct json_value value;

    if (!json_get(card, "id", &value))
        doc_fault(doc, "id", "is missing");
    else
        (void)read_team(doc, "id", value, &out->id);
    if (!json_get(card, "version", &value))
        doc_fault(doc, "version", "is missing; a signed card says when it was made");
    else
        (void)read_time(doc, "version", value, &out->version, &out->version_us);
    if (!json_get(card, "node", &value))
        doc_fault(doc, "node", "is missing; a signed card says where the team's node is");
    else
        read_node(doc, value, &out->node);
    if (json_get(card, "signature", &value))
        read_signed(doc, value, out);
}

static void
read_beside(struct doc *doc, struct json_value card, struct card_signed *out)
{
    struct json_value value;

    /* Without an end: a card that is read later is to be judged by its key still. */
    if (!card_key_named(card, out->key))
        doc_fault(doc, "signature",
            "is by a key that is not among the card's keys, as one of type ed25519 without an end");
    else if (!card_sign_is(out))
        doc_fault(doc, "signature", "is wrong: the key named there did not sign this text");
    if (doc->why.n == 0 && json_get(card, "vouches", &value))
        read_vouches(doc, value, out);
    if (doc->why.n == 0 && json_get(card, "accepted", &value))
        read_accepted(doc, value, &out->accepted);
}

static int
keep_text(struct arena *arena, struct json_value card, struct card_signed *out, struct err *err)
{
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);
    int rc = card_sign_text(&text, card, err);

    if (rc == 0) {
        out->text = (struct span){arena_copy(arena, text.p, text.n), text.n};
        rc = out->text.p == NULL ? arena_full(err, "a signed card") : 0;
    }
    buf_free(&text);
    return rc;
}

int
card_sign_read(
    struct arena *arena, struct json_value card, struct card_signed *out, struct err *err)
{
    struct doc doc = {.arena = arena, .file = SPAN("the signed card")};
    struct json_value value;

    *out = (struct card_signed){.version_us = INT64_MIN};
    if (json_type(card) != JSON_OBJECT || !json_get(card, "signature", &value))
        return 0;
    int rc = json_check_duplicates(card, err);
    if (rc == 0)
        rc = keep_text(arena, card, out, err);
    if (rc == 0) {
        read_head(&doc, card, out);
        if (doc.why.n == 0)
            read_beside(&doc, card, out);
        if (doc.full)
            rc = arena_full(err, "a signed card");
        else if (doc.why.n > 0)
            rc = err_set(err, ERR_BAD_CARD, "%.*s", (int)doc.why.n, doc.why.p);
    }
    return rc == 0 ? 1 : rc;
}
