#include "flow/card.h"
#include "flow/cards.h"

/* What was claimed until now, at any time as the new card's claims are: by the accepted card, else
 * by the directory's. */
static int
find_before(const struct cards_world *world, struct arena *arena, const struct cards_read *known,
    struct span id, struct team *out, bool *has, struct err *err)
{
    struct team_id team = roster_find(world->roster, id);
    struct json_value root;
    struct err why;

    *has = known != NULL || team.index != 0;
    if (known != NULL)
        *out = known->team;
    if (known != NULL || team.index == 0)
        return 0;
    *out = *roster_team(world->roster, team);
    struct json *json = json_new(CARD_SIGNED_BYTES_MAX);
    if (json == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to read a card");
    int rc = 0;
    if (out->card.n > 0 && json_parse_copy(json, out->card, &root, &why) == 0)
        rc = card_read(arena, root, CARD_ANY_TIME, out, err);
    json_free(json);
    return rc;
}

/* Of the same key: what others said of it before counts beside what this copy brings. */
static int
gather(const struct cards_world *world, struct arena *arena, const struct cards_read *known,
    struct card_signed *card, struct err *err)
{
    struct cards_read waiting;
    int rc = cards_find_waiting(world->home, card, arena, &waiting, err);

    if (known != NULL)
        (void)card_accept_gather(card, &known->card, world->ring, world->now_us);
    if (rc == 1)
        (void)card_accept_gather(card, &waiting.card, world->ring, world->now_us);
    return rc < 0 ? rc : 0;
}

/* What was accepted of the team (*THERE: KNOWN, or NULL), and what was claimed until now. */
static int
find_standing(const struct cards_world *world, struct arena *arena, struct span id,
    struct cards_read *known, const struct cards_read **there, struct team *before,
    bool *has_before, struct err *err)
{
    int rc = cards_find(world->home, id, arena, known, err);

    *there = rc == 1 ? known : NULL;
    if (rc < 0 && rc != ERR_BAD_CARD) /* a damaged file is as none */
        return rc;
    return find_before(world, arena, *there, id, before, has_before, err);
}

int
cards_claims(const struct cards_world *world, struct arena *arena, const struct cards_read *card,
    card_claims_told *tell, void *ctx, struct err *err)
{
    const struct cards_read *there;
    struct cards_read known;
    struct team before;
    bool has_before = false;
    int rc = find_standing(world, arena, card->card.id, &known, &there, &before, &has_before, err);

    if (rc == 0)
        card_claims_each(has_before ? &before : NULL, world->roster, &card->team, tell, ctx);
    return rc;
}

int
cards_judge(const struct cards_world *world, struct arena *arena, struct cards_read *card,
    struct cards_read *known, struct card_judgement *out, struct err *err)
{
    const struct cards_read *there;
    struct team before;
    bool has_before = false;
    int rc = find_standing(world, arena, card->card.id, known, &there, &before, &has_before, err);

    if (rc == 0)
        rc = gather(world, arena, there, &card->card, err);
    if (rc != 0)
        return rc;
    const struct card_question q = {.card = &card->card,
        .known = there == NULL ? NULL : &there->card,
        .ring = world->ring,
        .own = world->own,
        .team = &card->team,
        .before = has_before ? &before : NULL,
        .roster = world->roster,
        .now_us = world->now_us};
    card_accept(&q, out);
    return 0;
}
