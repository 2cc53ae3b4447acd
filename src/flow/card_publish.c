#include "flow/card_publish.h"

#include "base/time.h"
#include "flow/card_key.h"
#include "flow/nodekey.h"
#include "fmt/jcs.h"

#include <sodium.h>

enum { VKEY_BYTES = 1024 };

/* ---- what the node is known by ---- */

static int
add_vkey(struct buf *out, const char *name, enum note_use use, const uint8_t *seed, struct err *err)
{
    struct note_signer signer = {.key = {.id = 0}};
    int rc = note_signer_derive(span_of(name), use, seed, &signer, err);

    if (rc == 0)
        note_key_add(out, &signer.key);
    sodium_memzero(&signer, sizeof signer);
    return rc == 0 ? buf_check(out, "a verifier key", err) : rc;
}

static int
find_vkeys(struct card_publish *p, struct err *err)
{
    static const enum note_use uses[CARD_PUBLISH_VKEYS] = {
        NOTE_USE_LOG, NOTE_USE_WITNESS, NOTE_USE_RECEIPT};
    uint8_t seed[NOTE_SEED_BYTES];
    char name[NOTE_NAME_MAX + 1];
    int rc = nodekey_read(p->home, p->make, seed, err);

    for (size_t i = 0; rc == 0 && i < CARD_PUBLISH_VKEYS; i++) {
        nodekey_name(p->origin, uses[i], name);
        rc = add_vkey(&p->vkeys[i], name, uses[i], seed, err);
    }
    sodium_memzero(seed, sizeof seed);
    return rc;
}

/* ---- who the team is ---- */

static struct span
base_text(const struct card_publish *p)
{
    if (p->said.n > 0)
        return p->said;
    return p->has_known ? p->known.team.card : p->directory;
}

static int
find_base(struct card_publish *p, struct err *err)
{
    struct span text = base_text(p);
    struct json_value value;

    p->json = json_new(CARD_SIGNED_BYTES_MAX);
    if (p->json == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a card");
    if (text.n == 0)
        return err_set_field(err, ERR_NOT_FOUND, "card", 4,
            "the directory has no card of %.*s; write one (doc/team-card.md) and name it with "
            "--card FILE",
            SPAN_ARGS(p->team));
    int rc = json_parse_copy(p->json, text, &p->base, err);
    if (rc != 0)
        return rc;
    if (json_type(p->base) != JSON_OBJECT)
        return err_set_field(err, ERR_BAD_CONFIG, "card", 4, "the card is no JSON object");
    return json_get(p->base, "id", &value) && json_type(value) == JSON_STRING
            && span_equal(json_string(value), p->team)
        ? 0
        : err_set_field(
            err, ERR_BAD_CONFIG, "card", 4, "the card is not that of %.*s", SPAN_ARGS(p->team));
}

int
card_publish_open(struct card_publish *p, struct err *err)
{
    for (size_t i = 0; i < CARD_PUBLISH_VKEYS; i++)
        p->vkeys[i] = buf_new(VKEY_BYTES);
    int rc = p->team.n == 0 ? err_set(err, ERR_USAGE,
                 "whose card? Say once who this is: --as TEAM, your id in the directory")
                            : cards_find(p->home, p->team, p->arena, &p->known, err);
    p->has_known = rc == 1;
    if (rc >= 0)
        rc = find_base(p, err);
    return rc == 0 ? find_vkeys(p, err) : rc;
}

void
card_publish_close(struct card_publish *p)
{
    for (size_t i = 0; i < CARD_PUBLISH_VKEYS; i++)
        buf_free(&p->vkeys[i]);
    json_free(p->json);
    p->json = NULL;
}

/* ---- what it says ---- */

static bool
is_made_here(struct span name)
{
    static const char *const names[] = {
        "signature", "vouches", "verified", "accepted", "version", "node", "keys"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (span_equal(name, span_of(names[i])))
            return true;
    return false;
}

/* Unless it is the first that is in what is open. */
static void
add_comma(struct buf *out)
{
    if (out->p[out->n - 1] != '[' && out->p[out->n - 1] != '{')
        buf_add_char(out, ',');
}

static void
add_key(struct buf *out, const uint8_t *key, struct span until)
{
    char base64[AGREEMENT_SIGN_BASE64_BYTES];

    agreement_sign_base64(key, AGREEMENT_KEY_BYTES, base64);
    add_comma(out);
    buf_format(out, "{\"type\":\"ed25519\",\"key\":\"%s\"", base64);
    if (until.n > 0)
        buf_format(out, ",\"expires\":\"%.*s\"", SPAN_ARGS(until));
    buf_add_char(out, '}');
}

/* Keys of other types, and those that ended, stay; the one before ends at this version. */
static void
add_keys(const struct card_publish *p, const uint8_t *key, struct span version, struct buf *out)
{
    struct json_value list;
    struct json_value item;
    struct card_key one;
    struct span none;
    struct err why;

    buf_add_text(out, ",\"keys\":[");
    if (key != NULL)
        add_key(out, key, SPAN(""));
    if (key != NULL && p->has_known && memcmp(p->known.card.key, key, CARD_KEY_BYTES) != 0)
        add_key(out, p->known.card.key, version);
    if (json_get(p->base, "keys", &list) && json_type(list) == JSON_ARRAY)
        for (struct json_iter it = json_iter(list); json_next(&it, &none, &item);) {
            int rc = card_key_read(item, &one, &why);
            if (rc < 0 || (rc == 1 && one.until_us == INT64_MAX))
                continue;
            add_comma(out);
            json_add_value(out, item);
        }
    buf_add_char(out, ']');
}

/* What was said of the node now, else in the card that says who the team is, else until now. */
static struct span
known_of(
    const struct card_publish *p, struct span said, const char *name, const struct span *until_now)
{
    struct json_value node;
    struct json_value value;

    if (said.n > 0)
        return said;
    if (json_get(p->base, "node", &node) && json_get(node, name, &value)
        && json_type(value) == JSON_STRING)
        return json_string(value);
    return p->has_known ? *until_now : SPAN("");
}

static int
add_node(const struct card_publish *p, struct buf *out, struct err *err)
{
    static const char *const names[CARD_PUBLISH_VKEYS] = {"log", "witness", "receipt"};
    struct span url = known_of(p, p->url, "url", &p->known.card.node.url);
    struct span pin = known_of(p, p->pin, "certificate", &p->known.card.node.certificate);

    if (url.n == 0)
        return err_set_field(err, ERR_USAGE, "url", 3,
            "where do others reach this node's door for partners? Say it once: --url "
            "https://HOST:PORT");
    buf_add_text(out, ",\"node\":{\"url\":");
    json_add_string(out, url);
    if (pin.n > 0) {
        buf_add_text(out, ",\"certificate\":");
        json_add_string(out, pin);
    }
    for (size_t i = 0; i < CARD_PUBLISH_VKEYS; i++) {
        buf_format(out, ",\"%s\":", names[i]);
        json_add_string(out, buf_span(&p->vkeys[i]));
    }
    buf_add_char(out, '}');
    return 0;
}

static int
add_card(const struct card_publish *p, const uint8_t *key, struct span version, struct buf *out,
    struct err *err)
{
    struct json_value item;
    struct span name;

    buf_add_char(out, '{');
    if (version.n > 0)
        buf_format(out, "\"version\":\"%.*s\"", SPAN_ARGS(version));
    for (struct json_iter it = json_iter(p->base); json_next(&it, &name, &item);) {
        if (is_made_here(name))
            continue;
        add_comma(out);
        json_add_string(out, name);
        buf_add_char(out, ':');
        json_add_value(out, item);
    }
    add_keys(p, key, version, out);
    int rc = add_node(p, out, err);
    buf_add_char(out, '}');
    return rc == 0 ? buf_check(out, "the card", err) : rc;
}

/* The card parsed, in JSON's memory. */
static int
build(struct card_publish *p, const uint8_t *key, struct span version, struct json *json,
    struct json_value *out, struct err *err)
{
    struct buf loose = buf_new(CARD_SIGNED_BYTES_MAX);
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for a card")
                          : add_card(p, key, version, &loose, err);

    if (rc == 0)
        rc = json_parse_copy(json, buf_span(&loose), out, err);
    buf_free(&loose);
    return rc;
}

int
card_publish_text(struct card_publish *p, const uint8_t *key, struct span version, struct buf *out,
    struct err *err)
{
    struct json *json = json_new(CARD_SIGNED_BYTES_MAX);
    struct json_value card;
    int rc = build(p, key, version, json, &card, err);

    if (rc == 0)
        rc = jcs_add(out, card, err);
    json_free(json);
    return rc == 0 ? buf_check(out, "the card", err) : rc;
}

bool
card_publish_unchanged(struct card_publish *p, const uint8_t *key)
{
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);
    struct err why;
    bool same = p->has_known && memcmp(p->known.card.key, key, CARD_KEY_BYTES) == 0
        && card_publish_text(p, key, p->known.card.version, &text, &why) == 0
        && span_equal(buf_span(&text), p->known.card.text);

    buf_free(&text);
    return same;
}

int
card_publish_check_key(const struct card_publish *p, const uint8_t *key, struct err *err)
{
    if (!p->has_known || memcmp(p->known.card.key, key, CARD_KEY_BYTES) == 0)
        return 0;
    return err_set(err, ERR_BAD_CONFIG,
        "%s/key is not the key that signed this team's card; bring it back from a backup, or, if "
        "it is lost, make a new one with `comity team rekey --lost`",
        p->home);
}

/* ---- signing ---- */

int
card_publish_make(struct card_publish *p, const struct agreement_key *key,
    const struct agreement_key *previous, struct cards_read *out, struct err *err)
{
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);
    struct json *json = json_new(CARD_SIGNED_BYTES_MAX);
    char version[TIME_TEXT_BYTES];
    struct json_value card;
    int64_t at_us = p->now_us;

    if (p->has_known && at_us <= p->known.card.version_us)
        at_us = p->known.card.version_us + 1;
    size_t n = time_format_us(at_us, version);
    int rc = build(p, key->public, (struct span){version, n}, json, &card, err);
    if (rc == 0)
        rc = card_sign(&text, card, key, previous, err);
    if (rc == 0)
        rc = cards_read(p->arena, buf_span(&text), out, err);
    if (rc == 0 && p->has_known)
        (void)card_sign_join(&out->card, &p->known.card);
    if (rc == 0)
        out->card.accepted =
            (struct card_acceptance){.basis = CARD_BY_OPERATOR, .time_us = p->now_us};
    json_free(json);
    buf_free(&text);
    return rc;
}
