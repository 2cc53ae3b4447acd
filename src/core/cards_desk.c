/* What this node's people decide about other teams' cards while it runs: accept, refuse, vouch.
 * Inputs stand in tables/inputs.def. */
#include "core/cards.h"
#include "core/cards_answer.h"
#include "core/register.h"
#include "core/state.h"
#include "core/told.h"

enum { ANSWER_BYTES = 64 * 1024, WHAT_REFUSE = 0, WHAT_ACCEPT, WHAT_VOUCH, WHATS };

struct deciding {
    uint8_t what;
    struct span team;
    struct span sha256; /* of the card that was read */
    struct span reason;
    struct cards_read card;
    bool waits; /* else it is the one that was accepted */
};

/* ---- which card ---- */

static bool
is_meant(const struct deciding *d, const struct cards_read *card)
{
    char digest[AGREEMENT_SIGN_HEX];

    cards_digest(&card->card, digest);
    return span_equal(card->card.id, d->team) && span_equal_nocase(d->sha256, span_of(digest));
}

/* 1: it waits; 0: it does not. *OTHERS: how many of the team do. */
static int
find_waiting(const struct core *core, struct deciding *d, struct arena *arena, size_t *others,
    struct err *err)
{
    struct cards_waiting waiting;
    struct cards_read one;
    int rc = cards_waiting_open(core->options.home, &waiting, err);

    cards_waiting_only(&waiting, d->team);
    for (bool more = rc == 0; more && !d->waits; more = rc == 1 || rc == ERR_BAD_CARD) {
        rc = cards_waiting_next(&waiting, arena, &one, err);
        if (rc != 1 || !span_equal(one.card.id, d->team))
            continue;
        d->waits = is_meant(d, &one);
        d->card = one;
        (*others)++;
    }
    cards_waiting_close(&waiting);
    return d->waits ? 1 : rc;
}

static int
find_card(const struct core *core, struct deciding *d, struct arena *arena, struct err *err)
{
    size_t others = 0;
    int rc = find_waiting(core, d, arena, &others, err);

    if (rc != 0)
        return rc == 1 ? 0 : rc;
    rc = cards_find(core->options.home, d->team, arena, &d->card, err);
    if (rc == 1 && is_meant(d, &d->card))
        return 0;
    if (rc < 0)
        return rc;
    return rc == 1 || others > 0
        ? err_set_field(err, ERR_CONFLICT, "sha256", 6,
            "another card of %.*s is there now; look at it again", SPAN_ARGS(d->team))
        : err_set(err, ERR_NOT_FOUND, "no card of %.*s waits, or was accepted", SPAN_ARGS(d->team));
}

/* ---- what is done ---- */

static int
accept(const struct core *core, struct register_desk *desk, struct deciding *d, struct arena *arena,
    struct err *err)
{
    if (!d->waits)
        return err_set(
            err, ERR_EXISTS, "this card of %.*s was accepted already", SPAN_ARGS(d->team));
    return cards_accept(
        core->options.home, arena, &d->card, desk->registry->ring, desk->now_us, err);
}

static int
refuse(const struct core *core, struct deciding *d, struct err *err)
{
    return d->waits ? cards_drop(core->options.home, &d->card, err)
                    : cards_forget(core->options.home, d->team, err);
}

static int
vouch(struct core *core, struct register_desk *desk, struct deciding *d, struct arena *arena,
    struct err *err)
{
    int rc = register_key(core, desk, err);

    return rc == 0 ? cards_vouch(core->options.home, arena, &d->card, span_of(desk->registry->team),
               &desk->key, desk->registry->ring, desk->now_us, err)
                   : rc;
}

static int
carry_out(struct core *core, struct deciding *d, struct arena *arena, struct err *err)
{
    struct register_desk desk = {0};
    int rc = register_open_cards(core, &desk, err);

    if (rc == 0)
        rc = find_card(core, d, arena, err);
    if (rc == 0)
        rc = cards_check_other(&d->card, register_own(core), err);
    if (rc == 0 && d->what == WHAT_ACCEPT)
        rc = accept(core, &desk, d, arena, err);
    else if (rc == 0 && d->what == WHAT_REFUSE)
        rc = refuse(core, d, err);
    else if (rc == 0)
        rc = vouch(core, &desk, d, arena, err);
    register_close(&desk);
    return rc;
}

/* ---- what is told of it ---- */

static void
tell(struct core *core, const struct ask *ask, const struct cards_decision *decision)
{
    const struct cards_news news = {.card = decision->card,
        .what = decision->told,
        .account = ask->asker.name,
        .why = decision->reason};

    cards_tell(core, &news);
}

static int
answer(struct core *core, const struct ask *ask, const struct cards_decision *decision,
    struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    char print[CARD_PRINT_BYTES];

    card_sign_print(decision->card->key, print);
    buf_add_char(&out, '{');
    told_text(&out, "team", decision->card->id);
    told_word(&out, "what", decision->what);
    told_word(&out, "key", print);
    told_text(&out, "version", decision->card->version);
    buf_add_char(&out, '}');
    int rc = buf_check(&out, "an answer", err);
    if (rc == 0)
        rc = core_answer_durable(core, ask, buf_span(&out), err);
    buf_free(&out);
    return rc;
}

int
cards_decided(struct core *core, const struct ask *ask, const struct cards_decision *decision,
    struct err *err)
{
    int rc = core_begin(core, err);

    core->register_state = 0; /* so that it is read anew, whatever the files' times say */
    if (rc == 0)
        rc = cards_note(core, ask, decision, err);
    if (rc == 0)
        rc = register_renew(core, err);
    if (rc == 0)
        rc = answer(core, ask, decision, err);
    if (rc == 0)
        tell(core, ask, decision);
    return rc;
}

static int
finish(struct core *core, const struct ask *ask, const struct deciding *d, struct err *err)
{
    static const char *const words[WHATS][2] = {
        {"refused", "is refused"}, {"accepted", "is accepted"}, {"vouched", "is vouched for"}};
    bool forgets = d->what == WHAT_REFUSE && !d->waits;
    const struct cards_decision decision = {.what = forgets ? "forgotten" : words[d->what][0],
        .told = forgets ? "counts no more" : words[d->what][1],
        .reason = d->reason,
        .card = &d->card.card};

    return cards_decided(core, ask, &decision, err);
}

int
core_card_decide(struct core *core, struct ask *ask, struct err *err)
{
    struct deciding d = {.what = wire_u8(&ask->in)};

    d.team = wire_text(&ask->in);
    d.sha256 = wire_text(&ask->in);
    d.reason = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a decision about a card", err);
    if (rc == 0 && d.what >= WHATS)
        rc = err_set(err, ERR_INTERNAL, "there is no such decision about a card");
    if (rc == 0)
        rc = carry_out(core, &d, ask->arena, err);
    return rc == 0 ? finish(core, ask, &d, err) : rc;
}
