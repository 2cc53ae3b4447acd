/* comity team publish, rekey: this team's own card, signed. */
#include "base/time.h"
#include "cli/cli.h"
#include "cli/own_tls.h"
#include "cli/team.h"
#include "cli/team_desk.h"
#include "edge/tls_own.h"
#include "flow/nodekey.h"
#include "store/store.h"
#include "sys/file.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { PEM_BYTES = 1 << 20, VKEY_BYTES = 1024 };

/* What is being made. */
struct publishing {
    struct team_desk desk;
    struct agreement_key key;
    struct agreement_key previous;
    bool has_previous; /* it signs too */
    struct json *json;
    struct json_value base; /* the card that says who the team is */
    struct cards_read known;
    bool has_known;
    char pin[TLS_PIN_BYTES];
    struct buf vkeys[3];
};

/* ---- what the node shows ---- */

static int
find_pin(struct publishing *p, struct err *err)
{
    struct buf certificate = buf_new(PEM_BYTES);
    struct buf key = buf_new(PEM_BYTES);
    struct span path = conf_text(p->desk.conf, CONF_TLS_CERTIFICATE);
    int rc = path.n > 0 ? file_read(path.p, &certificate, err)
                        : own_tls(p->desk.home, &certificate, &key, err);

    if (rc == 0)
        rc = tls_pin(buf_span(&certificate), p->pin, err);
    if (key.p != NULL)
        sodium_memzero(key.p, key.n);
    buf_free(&key);
    buf_free(&certificate);
    return rc;
}

/* The log's name was fixed when it began. */
static int
find_origin(struct publishing *p, char out[NOTE_NAME_MAX + 1], bool *begun, struct err *err)
{
    char path[SETUP_PATH_BYTES + 16];
    struct store *store = NULL;
    struct span origin = {NULL, 0};
    int rc = 0;

    (void)snprintf(path, sizeof path, "%s/node.db", p->desk.home);
    *begun = access(path, F_OK) == 0;
    if (*begun)
        rc = store_open(p->desk.home, STORE_READ, &store, err);
    if (rc == 0 && *begun)
        rc = store_get(store, p->desk.arena, "ledger-origin", &origin, err);
    if (store != NULL)
        store_close(store);
    if (rc == 0 && origin.n > 0)
        (void)snprintf(out, NOTE_NAME_MAX + 1, "%.*s", (int)origin.n, origin.p);
    else
        (void)snprintf(out, NOTE_NAME_MAX + 1, "%s/log", p->desk.registry->team);
    return rc;
}

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

/* A node that has begun has its key: another would be no one's. */
static int
find_vkeys(struct publishing *p, struct err *err)
{
    static const enum note_use others[] = {NOTE_USE_WITNESS, NOTE_USE_RECEIPT};
    uint8_t seed[NOTE_SEED_BYTES];
    char origin[NOTE_NAME_MAX + 1];
    char name[NOTE_NAME_MAX + 1];
    bool begun = false;
    int rc = find_origin(p, origin, &begun, err);

    for (size_t i = 0; i < 3; i++)
        p->vkeys[i] = buf_new(VKEY_BYTES);
    if (rc == 0)
        rc = nodekey_read(p->desk.home, !begun, seed, err);
    if (rc == 0)
        rc = add_vkey(&p->vkeys[0], origin, NOTE_USE_LOG, seed, err);
    for (size_t i = 0; rc == 0 && i < 2; i++) {
        nodekey_name(span_of(origin), others[i], name);
        rc = add_vkey(&p->vkeys[i + 1], name, others[i], seed, err);
    }
    sodium_memzero(seed, sizeof seed);
    return rc;
}

static struct span
known_url(const struct publishing *p)
{
    struct json_value node;
    struct json_value url;

    if (json_get(p->base, "node", &node) && json_get(node, "url", &url)
        && json_type(url) == JSON_STRING)
        return json_string(url);
    return p->has_known ? p->known.card.node.url : SPAN("");
}

static int
add_node(struct publishing *p, struct buf *out, struct err *err)
{
    static const char *const names[] = {"log", "witness", "receipt"};
    struct span url = p->desk.url != NULL ? span_of(p->desk.url) : known_url(p);

    if (url.n == 0)
        return err_set(err, ERR_USAGE,
            "where do others reach this node's door for partners? Say it once: --url "
            "https://HOST:PORT");
    buf_add_text(out, ",\"node\":{\"url\":");
    json_add_string(out, url);
    buf_format(out, ",\"certificate\":\"%s\"", p->pin);
    for (size_t i = 0; i < 3; i++) {
        buf_format(out, ",\"%s\":", names[i]);
        json_add_string(out, buf_span(&p->vkeys[i]));
    }
    buf_add_char(out, '}');
    return 0;
}

/* ---- the card ---- */

/* Who the team is: a file that was named, the card before, or the directory's. */
static int
find_base(struct publishing *p, struct err *err)
{
    struct team_desk *desk = &p->desk;
    struct span own = span_of(desk->registry->team);
    struct team_id id = roster_find(desk->roster, own);
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);
    int rc = 0;

    p->json = json_new(CARD_SIGNED_BYTES_MAX);
    if (p->json == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a card");
    if (desk->card != NULL)
        rc = file_read(desk->card, &text, err);
    else if (p->has_known)
        buf_add_span(&text, p->known.team.card);
    else if (id.index != 0)
        buf_add_span(&text, roster_team(desk->roster, id)->card);
    else
        rc = err_set(err, ERR_NOT_FOUND,
            "the directory has no card of %s; write one and name it with --card FILE "
            "(doc/team-card.md)",
            desk->registry->team);
    if (rc == 0)
        rc = buf_check(&text, "the card", err);
    if (rc == 0)
        rc = json_parse_copy(p->json, buf_span(&text), &p->base, err);
    buf_free(&text);
    struct json_value value;
    if (rc == 0
        && (!json_get(p->base, "id", &value) || json_type(value) != JSON_STRING
            || !span_equal(json_string(value), own)))
        rc = err_set(err, ERR_BAD_CONFIG, "the card is not that of %s", desk->registry->team);
    return rc;
}

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

static void
add_key(struct buf *out, const uint8_t *key, const char *until)
{
    char base64[AGREEMENT_SIGN_BASE64_BYTES];

    agreement_sign_base64(key, AGREEMENT_KEY_BYTES, base64);
    buf_format(out, "%s{\"type\":\"ed25519\",\"key\":\"%s\"", out->p[out->n - 1] == '[' ? "" : ",",
        base64);
    if (until != NULL)
        buf_format(out, ",\"expires\":\"%s\"", until);
    buf_add_char(out, '}');
}

/* Keys of other types, and those that ended, stay; the one before ends now. */
static void
add_keys(struct publishing *p, struct buf *out, const char *now)
{
    struct json_value list;
    struct json_value item;
    struct card_key key;
    struct span none;
    struct err why;

    buf_add_text(out, ",\"keys\":[");
    add_key(out, p->key.public, NULL);
    if (p->has_known && memcmp(p->known.card.key, p->key.public, CARD_KEY_BYTES) != 0)
        add_key(out, p->known.card.key, now);
    if (json_get(p->base, "keys", &list) && json_type(list) == JSON_ARRAY)
        for (struct json_iter it = json_iter(list); json_next(&it, &none, &item);) {
            int rc = card_key_read(item, &key, &why);
            if (rc < 0 || (rc == 1 && key.until_us == INT64_MAX))
                continue;
            buf_add_char(out, ',');
            json_add_value(out, item);
        }
    buf_add_char(out, ']');
}

static int
add_card(struct publishing *p, struct buf *out, const char *version, struct err *err)
{
    struct json_value item;
    struct span key;

    if (json_type(p->base) != JSON_OBJECT)
        return err_set(err, ERR_BAD_CONFIG, "the card is no JSON object");
    buf_format(out, "{\"version\":\"%s\"", version);
    for (struct json_iter it = json_iter(p->base); json_next(&it, &key, &item);) {
        if (is_made_here(key))
            continue;
        buf_add_char(out, ',');
        json_add_string(out, key);
        buf_add_char(out, ':');
        json_add_value(out, item);
    }
    add_keys(p, out, version);
    int rc = add_node(p, out, err);
    buf_add_char(out, '}');
    return rc == 0 ? buf_check(out, "the card", err) : rc;
}

/* Signed, and read as others will read it. */
static int
make(struct publishing *p, const char *version, struct cards_read *out, struct err *err)
{
    struct buf loose = buf_new(CARD_SIGNED_BYTES_MAX);
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);
    struct json *json = json_new(CARD_SIGNED_BYTES_MAX);
    struct json_value root;
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for a card")
                          : add_card(p, &loose, version, err);

    if (rc == 0)
        rc = json_parse_copy(json, buf_span(&loose), &root, err);
    if (rc == 0)
        rc = card_sign(&text, root, &p->key, p->has_previous ? &p->previous : NULL, err);
    if (rc == 0)
        rc = cards_read(p->desk.arena, buf_span(&text), out, err);
    json_free(json);
    buf_free(&text);
    buf_free(&loose);
    return rc;
}

/* The newest counts, so it is newer than the one before. */
static int
make_next(struct publishing *p, struct cards_read *out, struct err *err)
{
    char version[TIME_TEXT_BYTES];
    int64_t now = p->desk.now_us;

    if (p->has_known && now <= p->known.card.version_us)
        now = p->known.card.version_us + 1;
    (void)time_format_us(now, version);
    int rc = make(p, version, out, err);
    if (rc != 0)
        return rc;
    if (p->has_known)
        (void)card_sign_join(&out->card, &p->known.card);
    out->card.accepted =
        (struct card_acceptance){.basis = CARD_BY_OPERATOR, .time_us = p->desk.now_us};
    return 0;
}

/* ---- the commands ---- */

static int
print(const struct cards_read *card, struct err *err)
{
    struct buf out = buf_new(CARD_SIGNED_BYTES_MAX);
    int rc = card_sign_document(&out, &card->card, false, false, err);

    buf_add_char(&out, '\n');
    if (rc == 0)
        rc = setup_print(&out, "the card", err);
    buf_free(&out);
    return rc;
}

static void
tell(const struct publishing *p, const struct cards_read *card, const char *what)
{
    char print_text[CARD_PRINT_BYTES];

    card_sign_print(card->card.key, print_text);
    (void)fprintf(stderr,
        "comity: the card of %s %s: version %.*s, key %s, node %.*s, vouched for by %zu\n",
        p->desk.registry->team, what, SPAN_ARGS(card->card.version), print_text,
        SPAN_ARGS(card->card.node.url), card->card.vouch_count);
}

/* The same at the same time would be the same text: then nothing has changed. */
static bool
is_unchanged(struct publishing *p)
{
    char version[TIME_TEXT_BYTES];
    struct cards_read same;
    struct err why;

    if (!p->has_known || p->known.card.version.n >= sizeof version)
        return false;
    memcpy(version, p->known.card.version.p, p->known.card.version.n);
    version[p->known.card.version.n] = '\0';
    return make(p, version, &same, &why) == 0 && span_equal(same.card.text, p->known.card.text);
}

static int
prepare(struct publishing *p, struct err *err)
{
    struct span own = span_of(p->desk.registry->team);
    int rc = own.n == 0 ? err_set(err, ERR_USAGE,
                 "whose card? Say once who this is: --as TEAM, your id in the directory")
                        : cards_find(p->desk.home, own, p->desk.arena, &p->known, err);

    p->has_known = rc == 1;
    if (rc >= 0)
        rc = find_base(p, err);
    if (rc == 0)
        rc = find_pin(p, err);
    return rc == 0 ? find_vkeys(p, err) : rc;
}

static int
check_key(const struct publishing *p, struct err *err)
{
    if (!p->has_known || memcmp(p->known.card.key, p->key.public, CARD_KEY_BYTES) == 0)
        return 0;
    return err_set(err, ERR_BAD_CONFIG,
        "%s/key is not the key that signed this team's card; bring it back from a backup, or, if "
        "it "
        "is lost, make a new one with `comity team rekey --lost`",
        p->desk.home);
}

static int
publish(struct publishing *p, struct err *err)
{
    struct cards_read card;
    int rc = team_desk_key(&p->desk, &p->key, err);

    if (rc == 0)
        rc = prepare(p, err);
    if (rc == 0)
        rc = check_key(p, err);
    if (rc != 0)
        return rc;
    bool same = is_unchanged(p);
    card = p->known;
    if (!same)
        rc = make_next(p, &card, err);
    if (rc == 0 && !same)
        rc = cards_keep(p->desk.home, &card, p->desk.registry->ring, err);
    if (rc == 0)
        rc = team_desk_write(&p->desk, &card.card, err);
    if (rc == 0)
        tell(p, &card, same ? "stays as it is" : "is signed");
    return rc == 0 ? print(&card, err) : rc;
}

static int
find_previous(struct publishing *p, struct err *err)
{
    if (p->desk.lost)
        return 0;
    int rc = team_desk_key(&p->desk, &p->previous, err);
    p->key = p->previous;
    if (rc == 0)
        rc = check_key(p, err);
    p->has_previous = rc == 0;
    return rc;
}

static int
rekey(struct publishing *p, struct err *err)
{
    struct cards_read card;
    int rc = prepare(p, err);

    if (rc == 0)
        rc = find_previous(p, err);
    if (rc == 0)
        rc = registry_rekey_begin(p->desk.registry, &p->key, err);
    if (rc == 0)
        rc = make_next(p, &card, err);
    if (rc == 0)
        rc = cards_keep(p->desk.home, &card, p->desk.registry->ring, err);
    if (rc == 0)
        rc = registry_rekey_end(p->desk.registry, err);
    if (rc == 0)
        rc = team_desk_write(&p->desk, &card.card, err);
    if (rc != 0)
        return rc;
    tell(p, &card, p->desk.lost ? "has a new key" : "has a new key, which the old one signed");
    if (p->desk.lost)
        (void)fprintf(stderr,
            "comity: others take the new key only when two teams that they know vouch for it: send "
            "them the card, and have them run `comity team vouch FILE`\n");
    return print(&card, err);
}

static int
run(int argc, char **argv, unsigned takes, int (*work)(struct publishing *p, struct err *err))
{
    struct publishing p = {.json = NULL};
    struct err err = {0};
    int rc = team_desk_options(&p.desk, argc, argv, takes, &err);

    if (rc == 0)
        rc = team_desk_open(&p.desk, &err);
    if (rc == 0)
        rc = work(&p, &err);
    sodium_memzero(&p.key, sizeof p.key);
    sodium_memzero(&p.previous, sizeof p.previous);
    for (size_t i = 0; i < 3; i++)
        buf_free(&p.vkeys[i]);
    json_free(p.json);
    team_desk_close(&p.desk);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}

int
team_publish(int argc, char **argv)
{
    return run(argc, argv, TEAM_TAKES_URL | TEAM_TAKES_CARD | TEAM_TAKES_OUT, publish);
}

int
team_rekey(int argc, char **argv)
{
    return run(
        argc, argv, TEAM_TAKES_URL | TEAM_TAKES_CARD | TEAM_TAKES_OUT | TEAM_TAKES_LOST, rekey);
}
