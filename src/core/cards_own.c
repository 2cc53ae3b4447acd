/* This team's own card while the node runs: what it would say, and that it is signed. Inputs stand
 * in tables/inputs.def. */
#include "base/hash.h"
#include "core/cards.h"
#include "core/cards_answer.h"
#include "core/logbook.h"
#include "core/node.h"
#include "core/register.h"
#include "core/state.h"
#include "core/told.h"
#include "flow/card_publish.h"
#include "sys/clock.h"

#include <string.h>

enum { ANSWER_BYTES = 4 << 20 };

struct own {
    struct card_publish card;
    struct span sha256;              /* of what was read; of CARD_PUBLISH */
    char digest[AGREEMENT_SIGN_HEX]; /* of what it would say */
};

static int
read_own(struct core *core, struct ask *ask, bool publishes, struct own *own, struct err *err)
{
    struct team_id id = roster_find(core->roster, register_own(core));

    *own = (struct own){.card = {.home = core->options.home,
                            .arena = ask->arena,
                            .team = register_own(core),
                            .pin = core->options.door_pin,
                            .origin = logbook_origin(core->logbook),
                            .now_us = clock_now_us()}};
    if (id.index != 0)
        own->card.directory = roster_team(core->roster, id)->card;
    own->card.url = wire_text(&ask->in);
    own->card.said = wire_text(&ask->in);
    if (publishes)
        own->sha256 = wire_text(&ask->in);
    return wire_end(&ask->in, "a question about the own card", err);
}

/* ---- what it would say ---- */

/* Whatever the key is: all that people read and may change. */
static int
make_digest(struct own *own, struct err *err)
{
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);
    int rc = card_publish_text(&own->card, NULL, SPAN(""), &text, err);

    if (rc == 0)
        agreement_sign_digest(buf_span(&text), own->digest);
    buf_free(&text);
    return rc;
}

/* Others would read it: signed by a key that nobody keeps. */
static int
check(struct own *own, struct err *err)
{
    uint8_t seed[AGREEMENT_SIGN_SEED_BYTES];
    struct agreement_key key;
    struct cards_read read;

    hash_random(seed, sizeof seed);
    agreement_sign_key(seed, &key);
    int rc = make_digest(own, err);
    if (rc == 0)
        rc = card_publish_make(&own->card, &key, NULL, &read, err);
    explicit_bzero(seed, sizeof seed);
    explicit_bzero(&key, sizeof key);
    return rc;
}

/* The key that signed the card until now, else the one that is known; NULL: none was made yet. */
static int
find_key(struct core *core, const struct own *own, const uint8_t **out, struct err *err)
{
    struct cards_world world;
    size_t at = 0;
    int rc = cards_here(core, own->card.now_us, &world, err);

    *out = own->card.has_known ? own->card.known.card.key : NULL;
    if (rc == 0 && *out == NULL)
        *out = keyring_next(world.ring, own->card.team, own->card.now_us, &at);
    return rc;
}

static int
tell_next(struct own *own, const uint8_t *key, struct buf *out, struct err *err)
{
    told_word(out, "sha256", own->digest);
    told_flag(out, "same", key != NULL && card_publish_unchanged(&own->card, key));
    told_name(out, "card");
    return card_publish_text(&own->card, key, SPAN(""), out, err);
}

static int
tell_until_now(const struct own *own, struct buf *out, struct err *err)
{
    int rc = 0;

    told_text(out, "version", own->card.has_known ? own->card.known.card.version : SPAN(""));
    told_name(out, "before");
    if (own->card.has_known)
        rc = card_sign_document(out, &own->card.known.card, true, false, err);
    else
        buf_add_text(out, "null");
    return rc;
}

static void
tell_fingerprint(const uint8_t *key, struct buf *out)
{
    char print[CARD_PRINT_BYTES];

    if (key != NULL)
        card_sign_print(key, print);
    told_word(out, "key", key == NULL ? NULL : print);
}

/* What people can mend is told in the answer, not as its failure. */
static int
tell_own(struct core *core, struct own *own, struct buf *out, struct err *err)
{
    const uint8_t *key = NULL;
    struct err why = {0};
    int rc = card_publish_open(&own->card, &why);

    if (rc == 0)
        rc = check(own, &why);
    if (rc != 0 && err_kind(why.code) == ERR_KIND_OURS) {
        *err = why;
        return rc;
    }
    int failed = find_key(core, own, &key, err);
    buf_add_char(out, '{');
    told_text(out, "team", own->card.team);
    told_word(out, "why", rc == 0 ? NULL : why.msg);
    told_word(out, "field", rc == 0 || why.field[0] == '\0' ? NULL : why.field);
    tell_fingerprint(key, out);
    told_text(out, "certificate", own->card.pin);
    if (failed == 0)
        failed = tell_until_now(own, out, err);
    if (failed == 0 && rc == 0)
        failed = tell_next(own, key, out, err);
    buf_add_char(out, '}');
    return failed;
}

int
core_card_check(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct own own;
    int rc = read_own(core, ask, false, &own, err);

    if (rc == 0)
        rc = tell_own(core, &own, &out, err);
    card_publish_close(&own.card);
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}

/* ---- signing it ---- */

static int
check_read(struct own *own, struct err *err)
{
    int rc = make_digest(own, err);

    if (rc == 0 && !span_equal_nocase(own->sha256, span_of(own->digest)))
        rc = err_set_field(err, ERR_CONFLICT, "sha256", 6,
            "the card would say something else now than was read; look at it again");
    return rc;
}

static int
sign(struct own *own, const struct register_desk *desk, struct cards_read *next, struct err *err)
{
    int rc = check_read(own, err);

    own->card.now_us = desk->now_us;
    if (rc == 0)
        rc = card_publish_check_key(&own->card, desk->key.public, err);
    if (rc == 0 && card_publish_unchanged(&own->card, desk->key.public))
        rc = err_set(err, ERR_EXISTS, "the card says all of that already; nothing was signed");
    if (rc == 0)
        rc = card_publish_make(&own->card, &desk->key, NULL, next, err);
    if (rc == 0)
        rc = cards_keep(own->card.home, next, desk->registry->ring, err);
    return rc;
}

int
core_card_publish(struct core *core, struct ask *ask, struct err *err)
{
    struct register_desk desk = {0};
    struct cards_read next;
    struct own own;
    int rc = read_own(core, ask, true, &own, err);

    if (rc == 0)
        rc = register_open_cards(core, &desk, err);
    if (rc == 0)
        rc = card_publish_open(&own.card, err);
    if (rc == 0)
        rc = register_key(core, &desk, err);
    if (rc == 0)
        rc = sign(&own, &desk, &next, err);
    card_publish_close(&own.card);
    register_close(&desk);
    const struct cards_decision decision = {
        .what = "published", .told = "is signed", .card = &next.card};
    return rc == 0 ? cards_decided(core, ask, &decision, err) : rc;
}

/* ---- is it still true? ---- */

static struct span
named_certificate(struct json *json, struct span card)
{
    struct json_value root;
    struct json_value value;
    struct json_value node;

    if (card.n == 0 || json_parse_copy(json, card, &root, NULL) != 0
        || !json_get(root, "signature", &value) || !json_get(root, "node", &node)
        || !json_get(node, "certificate", &value) || json_type(value) != JSON_STRING)
        return (struct span){NULL, 0};
    return json_string(value);
}

void
cards_own_look(struct core *core)
{
    struct json *json = json_new(CARD_SIGNED_BYTES_MAX);
    struct span pin = core->options.door_pin;

    if (json == NULL || core->team.index == 0 || pin.n == 0) {
        json_free(json);
        return;
    }
    struct span said = named_certificate(json, roster_team(core->roster, core->team)->card);
    bool differs = said.n > 0 && !span_equal(said, pin);
    uint64_t told = differs ? hash_bytes(pin.p, pin.n, hash_bytes(said.p, said.n, 1)) : 0;
    if (differs && told != core->card_differs)
        core_tell(core,
            "this team's card names the certificate %.*s, and the door for partners shows %.*s: "
            "nodes that go by the card do not believe it until `comity team publish` has said so",
            SPAN_ARGS(said), SPAN_ARGS(pin));
    core->card_differs = told;
    json_free(json);
}
