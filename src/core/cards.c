#include "core/cards.h"

#include "base/hash.h"
#include "base/log.h"
#include "core/node.h"
#include "core/told.h"
#include "flow/cards.h"
#include "fmt/stix_id.h"
#include "fmt/stix_words.h"
#include "sys/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { ARENA_BYTES = 64 << 20, EVENT_BYTES = 8 * 1024 };

/* One card in hand. */
struct coming {
    struct core *core;
    struct arena *arena;
    struct cards_read card;
    struct cards_read known; /* the accepted one, if the judgement is that it is the same */
    struct card_judgement judgement;
    int64_t now_us;
};

/* ---- what is known ---- */

/* Made anew with the knowledge: keys are in cards and in a folder that it hangs on. */
static int
renew_ring(struct core *core, struct err *err)
{
    char folder[CARDS_PATH_BYTES];

    if (core->ring != NULL && core->ring_knowledge == core->knowledge)
        return 0;
    struct keyring *ring = keyring_new();
    (void)snprintf(folder, sizeof folder, "%s/keys", core->options.home);
    int rc = ring == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the teams' keys")
                          : keyring_add_folder(ring, folder, err);
    if (rc == 0)
        rc = keyring_add_roster(ring, core->roster, err);
    if (rc != 0) {
        keyring_free(ring);
        return rc;
    }
    keyring_free(core->ring);
    core->ring = ring;
    core->ring_knowledge = core->knowledge;
    return 0;
}

int
cards_here(struct core *core, int64_t now_us, struct cards_world *out, struct err *err)
{
    int rc = renew_ring(core, err);

    *out = (struct cards_world){.home = core->options.home,
        .ring = core->ring,
        .roster = core->roster,
        .own = knowledge_own_id(core),
        .now_us = now_us};
    return rc;
}

static int
judge(struct coming *c, struct err *err)
{
    struct cards_world world;
    int rc = cards_here(c->core, c->now_us, &world, err);

    return rc == 0 ? cards_judge(&world, c->arena, &c->card, &c->known, &c->judgement, err) : rc;
}

/* ---- what is told ---- */

void
cards_tell(struct core *core, const struct cards_news *news)
{
    struct buf json = buf_new(EVENT_BYTES);
    char print[CARD_PRINT_BYTES] = "";
    struct span team = news->card != NULL ? news->card->id : news->team;

    if (news->card != NULL)
        card_sign_print(news->card->key, print);
    buf_add_char(&json, '{');
    told_text(&json, "team", team);
    told_word(&json, "what", news->what);
    told_text(&json, "key", span_of(print));
    told_text(&json, "from", news->from);
    told_text(&json, "account", news->account);
    told_text(&json, "why", news->why);
    buf_add_char(&json, '}');
    if (!json.full)
        events_tell(core, "card", buf_span(&json));
    buf_free(&json);
    log_write(news->warns ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "team card",
        LOG_PAIRS(log_text("team", team), log_word("what", news->what),
            log_text("key", span_of(print)), log_text("from", news->from),
            log_text("account", news->account), log_text("why", news->why)));
}

static void
tell(const struct coming *c, struct span from, const char *what)
{
    const struct cards_news news = {.card = &c->card.card,
        .what = what,
        .from = from,
        .why = span_of(c->judgement.why),
        .warns = c->judgement.verdict != CARD_ACCEPT};

    cards_tell(c->core, &news);
}

/* Whatever was wrong with it: who runs the node hears of it as its sender does. */
static void
tell_refused(struct core *core, struct json_value card, struct span from, const struct err *why)
{
    struct json_value id;
    const struct cards_news news = {
        .team =
            json_get(card, "id", &id) && json_type(id) == JSON_STRING ? json_string(id) : SPAN(""),
        .what = "is refused",
        .from = from,
        .why = span_of(why->msg),
        .warns = true};

    if (pace_may(&core->cards_refused, "more team cards were refused"))
        cards_tell(core, &news);
}

/* ---- what becomes of it ---- */

static int
keep(struct coming *c, struct err *err)
{
    int rc = cards_keep(c->core->options.home, &c->card, c->core->ring, err);

    if (rc == 0)
        c->core->register_state = 0; /* so that it is read anew, whatever the files' times say */
    return rc;
}

static int
accept(struct coming *c, struct span from, struct err *err)
{
    struct card_acceptance *accepted = &c->card.card.accepted;

    *accepted =
        (struct card_acceptance){.basis = c->judgement.basis, .time_us = c->now_us, .from = from};
    for (size_t i = 0; accepted->basis == CARD_BY_SPONSORS && i < c->judgement.sponsor_count; i++)
        accepted->sponsors[accepted->sponsor_count++] = c->judgement.sponsors[i];
    int rc = keep(c, err);
    if (rc == 0)
        tell(c, from, "is accepted");
    return rc;
}

/* The same card: only what others say of its key may be new. */
static int
join(struct coming *c, struct err *err)
{
    struct card_signed was = c->known.card;

    if (!c->judgement.same || !card_accept_gather(&was, &c->card.card, c->core->ring, c->now_us))
        return 0;
    c->card.card = was;
    return keep(c, err);
}

/* The same that waits already is not told again. */
static int
let_wait(struct coming *c, struct span from, struct err *err)
{
    const char *home = c->core->options.home;
    struct cards_read waiting;
    int rc = cards_find_waiting(home, &c->card.card, c->arena, &waiting, err);

    if (rc < 0)
        return rc;
    bool there = rc == 1;
    if (there && waiting.card.version_us > c->card.card.version_us)
        return 0;
    c->card.card.accepted = (struct card_acceptance){.time_us = c->now_us, .from = from};
    if (there && waiting.card.version_us == c->card.card.version_us) {
        struct card_signed was = waiting.card;
        if (!card_accept_gather(&was, &c->card.card, c->core->ring, c->now_us))
            return 0;
        c->card.card.accepted = waiting.card.accepted;
    }
    rc = cards_wait(home, &c->card, err);
    if (rc == 0 && !there)
        tell(c, from, "waits for the operator (`comity team waiting`)");
    return rc;
}

static int
settle(struct coming *c, struct span from, struct err *err)
{
    switch ((enum card_verdict)c->judgement.verdict) {
    case CARD_ACCEPT:
        return accept(c, from, err);
    case CARD_WAIT:
        return let_wait(c, from, err);
    case CARD_KNOWN:
        return join(c, err);
    case CARD_REFUSE:
        break;
    }
    return err_set(err, ERR_BAD_CARD, "the card of %.*s is refused: %s", SPAN_ARGS(c->card.card.id),
        c->judgement.why);
}

static int
take(struct coming *c, struct span from, struct err *err)
{
    int lock = -1;
    int rc = cards_lock(c->core->options.home, &lock, err);

    if (rc == 0)
        rc = judge(c, err);
    if (rc == 0)
        rc = settle(c, span_equal(from, c->card.card.id) ? SPAN("") : from, err);
    if (lock >= 0)
        (void)close(lock);
    return rc;
}

/* ---- from another node ---- */

/* It is the card of the team that the identity stands for. */
static int
check_identity(const struct coming *c, struct json_value identity, struct err *err)
{
    struct stix_id id;
    struct json_value value;

    stix_id_make(&id, "identity", STIX_ID_OWN, c->card.card.id);
    if (json_get(identity, "id", &value) && json_type(value) == JSON_STRING
        && span_equal(json_string(value), (struct span){id.text, id.n}))
        return 0;
    return err_set(err, ERR_BAD_CARD, "the card is that of %.*s, whose identity is %s",
        SPAN_ARGS(c->card.card.id), id.text);
}

static bool
find_card(struct json_value identity, struct json_value *out)
{
    struct json_value extensions;
    struct json_value extension;

    return json_get(identity, "extensions", &extensions)
        && json_get(extensions, STIX_COMITY_CARD, &extension) && json_get(extension, "card", out)
        && json_type(*out) == JSON_OBJECT;
}

static bool
is_revoked(struct json_value identity)
{
    struct json_value value;

    return json_get(identity, "revoked", &value) && json_type(value) == JSON_TRUE;
}

static bool
is_of(struct json_value card, struct span team)
{
    struct json_value id;

    return json_get(card, "id", &id) && json_type(id) == JSON_STRING
        && span_equal(json_string(id), team);
}

static int
read_text(struct coming *c, struct json_value card, struct err *err)
{
    struct buf text = buf_new(CARD_SIGNED_BYTES_MAX);

    json_add_value(&text, card);
    int rc = buf_check(&text, "a signed card", err);
    if (rc == 0)
        rc = cards_read(c->arena, buf_span(&text), &c->card, err);
    buf_free(&text);
    return rc;
}

int
exchange_identity(struct core *core, const struct exchange_object *object, struct err *err)
{
    struct coming c = {.core = core, .now_us = object->now_us};
    struct json_value card;
    struct json_value signature;

    if (!find_card(object->json, &card))
        return 0;
    if (!json_get(card, "signature", &signature))
        return is_of(card, object->team) ? 0 : 1;
    if (is_revoked(object->json))
        return 1; /* a node that shows a card no longer says nothing of the team */
    c.arena = arena_new(ARENA_BYTES);
    int rc = c.arena == NULL ? err_set(err, ERR_NO_MEMORY, "no memory to read a card")
                             : read_text(&c, card, err);
    if (rc == 0)
        rc = check_identity(&c, object->json, err);
    if (rc == 0)
        rc = take(&c, object->team, err);
    if (rc == ERR_BAD_CARD)
        tell_refused(core, card, object->team, err);
    arena_free(c.arena);
    return rc == 0 ? 1 : rc;
}

/* ---- what waits ---- */

static bool
again(struct core *core, struct arena *arena, const struct cards_read *card)
{
    struct coming c = {.core = core, .arena = arena, .card = *card, .now_us = clock_now_us()};
    struct span from = card->card.accepted.from;
    struct err err = {0};
    int lock = -1;
    int rc = cards_lock(core->options.home, &lock, &err);

    if (rc == 0)
        rc = judge(&c, &err);
    if (rc == 0 && c.judgement.verdict == CARD_ACCEPT)
        rc = accept(&c, from, &err);
    else if (rc == 0 && (c.judgement.verdict == CARD_REFUSE || c.judgement.verdict == CARD_KNOWN))
        rc = cards_drop(core->options.home, card, &err);
    if (lock >= 0)
        (void)close(lock);
    if (rc != 0)
        core_tell(core, "the card of %.*s that waits: %s", SPAN_ARGS(card->card.id), err.msg);
    return rc == 0;
}

/* What a judgement depends on: the keys that are known, all that the directory claims, and, as keys
 * and vouches have their times, the hour. */
static uint64_t
basis_of(const struct core *core)
{
    const uint64_t parts[] = {
        keyring_digest(core->ring), (uint64_t)(clock_now_us() / INT64_C(3600000000))};
    uint64_t basis = hash_bytes(parts, sizeof parts, 1);

    for (uint32_t i = 1; i <= roster_count(core->roster); i++) {
        struct span card = roster_team(core->roster, (struct team_id){i})->card;
        basis = hash_bytes(card.p, card.n, basis + 1);
    }
    return basis;
}

/* Is there nothing by which they were not judged already? */
static bool
is_settled(struct core *core, uint64_t *basis)
{
    struct err err;

    if (renew_ring(core, &err) != 0)
        return false; /* each card says so */
    *basis = basis_of(core);
    return *basis == core->cards_basis;
}

void
cards_again(struct core *core)
{
    uint64_t basis = 0;
    bool done = true;
    struct cards_waiting waiting;
    struct cards_read card;
    struct err err = {0};

    if (is_settled(core, &basis))
        return;
    struct arena *arena = arena_new(2 * (size_t)ARENA_BYTES);
    int rc = cards_waiting_open(core->options.home, &waiting, &err);

    if (rc == 0 && arena == NULL)
        rc = err_set(&err, ERR_NO_MEMORY, "no memory to read them");
    if (rc != 0)
        core_tell(core, "the cards that wait cannot be looked at: %s", err.msg);
    for (bool more = rc == 0; more; more = rc == 1 || rc == ERR_BAD_CARD) {
        arena_reset(arena);
        rc = cards_waiting_next(&waiting, arena, &card, &err);
        if (rc == 1)
            done = again(core, arena, &card) && done;
        else if (rc < 0)
            core_tell(core, "a card that waits cannot be read: %s", err.msg);
    }
    if (rc == 0 && done)
        core->cards_basis = basis;
    cards_waiting_close(&waiting);
    arena_free(arena);
}
