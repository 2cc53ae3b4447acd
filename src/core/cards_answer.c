#include "core/cards_answer.h"

#include "core/cards.h"
#include "core/node.h"
#include "core/state.h"
#include "core/told.h"
#include "sys/clock.h"

#include <stdio.h>

enum {
    ANSWER_BYTES = CHANNEL_BODY_MAX,
    ENOUGH_BYTES = 2 << 20,
    ARENA_BYTES = 64 << 20,
    CLAIMS_TOLD = 100,
    DECISIONS_KEPT = 20,
    DECISIONS_BYTES = 256 * 1024,
    NAME_BYTES = 96,
};

void
cards_digest(const struct card_signed *card, char out[AGREEMENT_SIGN_HEX])
{
    agreement_sign_digest(card->text, out);
}

static void
tell_key(struct buf *out, const char *name, const uint8_t *key)
{
    char print[CARD_PRINT_BYTES];

    card_sign_print(key, print);
    told_word(out, name, print);
}

static void
tell_teams(struct buf *out, const char *name, const struct span *teams, size_t count)
{
    told_open(out, name, '[');
    for (size_t i = 0; i < count; i++) {
        told_item(out);
        told_value(out, teams[i]);
    }
    buf_add_char(out, ']');
}

/* Which it is, and where its node would be. */
static void
tell_signed(struct buf *out, const struct card_signed *card)
{
    char digest[AGREEMENT_SIGN_HEX];

    cards_digest(card, digest);
    told_text(out, "version", card->version);
    tell_key(out, "key", card->key);
    told_word(out, "sha256", digest);
    told_text(out, "url", card->node.url);
    told_text(out, "certificate", card->node.certificate);
    told_text(out, "from", card->accepted.from);
}

/* ---- what was decided ---- */

static void
decided_name(struct span team, char out[NAME_BYTES])
{
    (void)snprintf(out, NAME_BYTES, "card-decided.%.*s", (int)(team.n > 64 ? 64 : team.n), team.p);
}

static int
tell_decisions(
    struct core *core, struct arena *arena, struct span team, struct buf *out, struct err *err)
{
    char name[NAME_BYTES];
    struct span decided;

    decided_name(team, name);
    int rc = store_get(core->store, arena, name, &decided, err);
    told_name(out, "decided");
    if (rc == 0 && decided.n > 0)
        buf_add_span(out, decided);
    else
        buf_add_text(out, "[]");
    return rc;
}

/* ---- those that wait ---- */

struct claims {
    struct buf *out;
    uint64_t more; /* than CLAIMS_TOLD */
    uint32_t told;
};

static void
tell_claim(void *ctx, const char *what)
{
    struct claims *claims = ctx;

    if (claims->told == CLAIMS_TOLD) {
        claims->more++;
        return;
    }
    claims->told++;
    told_item(claims->out);
    told_value(claims->out, span_of(what));
}

static int
tell_claims(const struct cards_world *world, struct arena *arena, const struct cards_read *card,
    struct buf *out, struct err *err)
{
    struct claims claims = {.out = out};

    told_open(out, "claims", '[');
    int rc = cards_claims(world, arena, card, tell_claim, &claims, err);
    buf_add_char(out, ']');
    told_number(out, "claims_more", claims.more);
    return rc;
}

/* The card itself, and what was known of its team. */
static int
tell_whole(const struct cards_world *world, const struct cards_read *card, struct buf *out,
    struct err *err)
{
    struct team_id known = roster_find(world->roster, card->card.id);

    told_name(out, "card");
    int rc = card_sign_document(out, &card->card, false, false, err);
    told_name(out, "before");
    if (known.index != 0 && roster_team(world->roster, known)->card.n > 0)
        buf_add_span(out, roster_team(world->roster, known)->card);
    else
        buf_add_text(out, "null");
    return rc;
}

static int
tell_waiting(const struct cards_world *world, struct arena *arena, struct cards_read *card,
    bool whole, struct buf *out, struct err *err)
{
    struct card_judgement judgement;
    struct cards_read known;
    int rc = cards_judge(world, arena, card, &known, &judgement, err);

    if (rc != 0)
        return rc;
    told_item(out);
    buf_add_char(out, '{');
    told_text(out, "team", card->card.id);
    told_text(out, "name", card->team.name);
    tell_signed(out, &card->card);
    told_time(out, "since", card->card.accepted.time_us);
    told_word(out, "why", judgement.why);
    tell_teams(out, "sponsors", judgement.sponsors, judgement.sponsor_count);
    rc = tell_claims(world, arena, card, out, err);
    if (rc == 0 && whole)
        rc = tell_whole(world, card, out, err);
    buf_add_char(out, '}');
    return rc;
}

/* What is asked for: all, from a place on, or those of one team. */
struct asked_cards {
    struct span team; /* n 0: all */
    int from;
    uint32_t limit;
};

static int
tell_cards(const struct cards_world *world, const struct asked_cards *asked,
    struct cards_waiting *waiting, struct buf *out, struct err *err)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct cards_read card;
    uint64_t damaged = 0;
    uint32_t told = 0;
    int rc = arena == NULL ? err_set(err, ERR_NO_MEMORY, "no memory to read cards") : 1;

    if (asked->team.n > 0)
        cards_waiting_only(waiting, asked->team);
    waiting->at = asked->from < waiting->count ? asked->from : waiting->count;
    while (rc == 1 && told < asked->limit && out->n < ENOUGH_BYTES) {
        arena_reset(arena);
        rc = cards_waiting_next(waiting, arena, &card, err);
        damaged += rc == ERR_BAD_CARD;
        if (rc == ERR_BAD_CARD)
            rc = 1;
        else if (rc == 1) {
            int wrong = tell_waiting(world, arena, &card, asked->team.n > 0, out, err);
            rc = wrong == 0 ? 1 : wrong;
            told++;
        }
    }
    arena_free(arena);
    buf_add_char(out, ']');
    told_number(out, "damaged", damaged);
    return rc < 0 ? rc : 0;
}

static int
answer_cards(
    struct core *core, const struct ask *ask, const struct asked_cards *asked, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct cards_waiting waiting = {.names = NULL};
    struct cards_world world;
    char next[NAME_BYTES];
    int rc = cards_here(core, clock_now_us(), &world, err);

    buf_add_text(&out, "{\"items\":[");
    if (rc == 0)
        rc = cards_waiting_open(core->options.home, &waiting, err);
    if (rc == 0)
        rc = tell_cards(&world, asked, &waiting, &out, err);
    (void)snprintf(next, sizeof next, "%d", waiting.at);
    told_word(&out, "next", waiting.at < waiting.count ? next : NULL);
    told_number(&out, "waiting", (uint64_t)waiting.count);
    if (rc == 0 && asked->team.n > 0)
        rc = tell_decisions(core, ask->arena, asked->team, &out, err);
    cards_waiting_close(&waiting);
    buf_add_char(&out, '}');
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}

int
core_cards(struct core *core, struct ask *ask, struct err *err)
{
    struct asked_cards asked = {.limit = wire_u32(&ask->in)};
    struct span next = wire_text(&ask->in);
    uint64_t from = 0;
    int rc = wire_end(&ask->in, "a question for cards", err);

    if (rc == 0 && next.n > 0 && (!span_u64(next, &from) || from > CARDS_WAITING_MAX))
        rc = err_set_field(err, ERR_BAD_VALUE, "next", 4, "next: it is none that was given");
    asked.from = (int)from;
    return rc == 0 ? answer_cards(core, ask, &asked, err) : rc;
}

int
core_team_cards(struct core *core, struct ask *ask, struct err *err)
{
    const struct asked_cards asked = {.team = wire_text(&ask->in), .limit = CARDS_WAITING_MAX};
    int rc = wire_end(&ask->in, "a question for a team's cards", err);

    return rc == 0 ? answer_cards(core, ask, &asked, err) : rc;
}

/* ---- a team's ---- */

static bool
is_told(const struct keyring *ring, struct span team, const struct card_key *key, size_t before)
{
    const struct card_key *one;
    size_t at = 0;

    while ((one = keyring_each(ring, team, &at)) != NULL && at < before)
        if (memcmp(one->bytes, key->bytes, CARD_KEY_BYTES) == 0)
            return true;
    return false;
}

/* A key that stands in several places ends with the last of them. */
static int64_t
ends(const struct keyring *ring, struct span team, const struct card_key *key)
{
    const struct card_key *one;
    int64_t until_us = key->until_us;
    size_t at = 0;

    while ((one = keyring_each(ring, team, &at)) != NULL)
        if (memcmp(one->bytes, key->bytes, CARD_KEY_BYTES) == 0 && one->until_us > until_us)
            until_us = one->until_us;
    return until_us;
}

static void
tell_keys(const struct cards_world *world, struct span team, const struct cards_read *accepted,
    struct buf *out)
{
    const struct card_key *key;
    size_t at = 0;

    told_open(out, "keys", '[');
    while ((key = keyring_each(world->ring, team, &at)) != NULL) {
        int64_t until_us = ends(world->ring, team, key);
        if (is_told(world->ring, team, key, at))
            continue;
        told_item(out);
        buf_add_char(out, '{');
        tell_key(out, "fingerprint", key->bytes);
        told_flag(out, "known", world->now_us < until_us);
        told_flag(out, "signs",
            accepted != NULL && memcmp(accepted->card.key, key->bytes, CARD_KEY_BYTES) == 0);
        told_time(out, "until", until_us == INT64_MAX ? 0 : until_us);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void
tell_vouches(const struct cards_world *world, const struct cards_read *accepted, struct buf *out)
{
    told_open(out, "vouches", '[');
    for (size_t i = 0; accepted != NULL && i < accepted->card.vouch_count; i++) {
        const struct card_vouch *vouch = &accepted->card.vouches[i];
        told_item(out);
        buf_add_char(out, '{');
        told_text(out, "by", vouch->by);
        tell_key(out, "key", vouch->by_key);
        told_time(out, "time", vouch->time_us);
        told_flag(
            out, "known", keyring_knows(world->ring, vouch->by, vouch->by_key, world->now_us));
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void
tell_accepted(const struct cards_read *accepted, struct buf *out)
{
    const struct card_acceptance *how = accepted == NULL ? NULL : &accepted->card.accepted;

    if (how == NULL) {
        told_word(out, "signed", NULL);
        return;
    }
    told_open(out, "signed", '{');
    tell_signed(out, &accepted->card);
    told_word(out, "as", card_basis_words[how->basis]);
    tell_teams(out, "sponsors", how->sponsors, how->sponsor_count);
    told_time(out, "accepted", how->time_us);
    buf_add_char(out, '}');
}

int
cards_tell_team(struct core *core, struct arena *arena, const struct team *team, struct buf *out,
    struct err *err)
{
    struct cards_waiting waiting = {.names = NULL};
    struct cards_world world;
    struct cards_read accepted;
    int found = cards_find(core->options.home, team->id, arena, &accepted, err);
    int rc = found < 0 && found != ERR_BAD_CARD ? found : 0;
    const struct cards_read *card = found == 1 ? &accepted : NULL;

    if (rc == 0)
        rc = cards_here(core, clock_now_us(), &world, err);
    if (rc == 0)
        rc = cards_waiting_open(core->options.home, &waiting, err);
    if (rc == 0) {
        tell_accepted(card, out);
        tell_keys(&world, team->id, card, out);
        tell_vouches(&world, card, out);
        cards_waiting_only(&waiting, team->id);
        told_number(out, "waiting", (uint64_t)waiting.count);
        rc = tell_decisions(core, arena, team->id, out, err);
    }
    cards_waiting_close(&waiting);
    return rc;
}

/* ---- one decision more ---- */

static void
add_decision(const struct ask *ask, const struct cards_decision *decision, struct buf *out)
{
    buf_add_char(out, '{');
    told_time(out, "at", clock_now_us());
    told_word(out, "what", decision->what);
    told_text(out, "account", ask->asker.name);
    tell_key(out, "key", decision->card->key);
    told_text(out, "version", decision->card->version);
    told_text(out, "why", decision->reason);
    buf_add_char(out, '}');
}

int
cards_note(struct core *core, const struct ask *ask, const struct cards_decision *decision,
    struct err *err)
{
    struct json *json = json_new(DECISIONS_BYTES);
    struct buf text = buf_new(DECISIONS_BYTES);
    char name[NAME_BYTES];
    struct json_value list;
    struct json_value item;
    struct span none;
    struct span old = {NULL, 0};
    uint32_t kept = 1;

    decided_name(decision->card->id, name);
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for what was decided")
                          : store_get(core->store, ask->arena, name, &old, err);
    buf_add_char(&text, '[');
    add_decision(ask, decision, &text);
    if (rc == 0 && old.n > 0)
        rc = json_parse_copy(json, old, &list, err);
    if (rc == 0 && old.n > 0)
        for (struct json_iter it = json_iter(list);
             kept < DECISIONS_KEPT && json_next(&it, &none, &item); kept++) {
            buf_add_char(&text, ',');
            json_add_value(&text, item);
        }
    buf_add_char(&text, ']');
    if (rc == 0)
        rc = buf_check(&text, "what was decided", err);
    if (rc == 0)
        rc = store_set(core->store, name, buf_span(&text), err);
    json_free(json);
    buf_free(&text);
    return rc;
}
