#include "core/partner_keys.h"

#include "fmt/json.h"

#include <stdlib.h>

enum { USES = NOTE_USE_RECEIPT, KEYS_BYTES = 64 * 1024 * 1024, CARD_BYTES = 1024 * 1024 };

/* By enum note_use, less one: the member of a card's `node`, and of which kind its key is. */
static const struct {
    const char *member;
    enum note_algorithm algorithm;
} uses[USES] = {{"log", NOTE_ED25519}, {"witness", NOTE_COSIGNATURE}, {"receipt", NOTE_ED25519}};

struct one {
    const struct note_key *keys[USES];
};

struct partner_keys {
    struct json *json;
    struct arena *arena;
    struct one *all; /* by roster index, as of `knowledge` */
    uint32_t knowledge;
};

struct partner_keys *
partner_keys_new(void)
{
    struct partner_keys *keys = calloc(1, sizeof *keys);

    if (keys == NULL)
        return NULL;
    keys->arena = arena_new(KEYS_BYTES);
    keys->json = json_new(CARD_BYTES);
    if (keys->arena != NULL && keys->json != NULL)
        return keys;
    partner_keys_free(keys);
    return NULL;
}

void
partner_keys_free(struct partner_keys *keys)
{
    if (keys == NULL)
        return;
    arena_free(keys->arena);
    json_free(keys->json);
    free(keys);
}

static const struct note_key *
read_key(struct arena *arena, struct json_value node, size_t use)
{
    struct json_value v;
    struct note_key key;

    if (!json_get(node, uses[use].member, &v) || json_type(v) != JSON_STRING)
        return NULL;
    struct span text = json_string(v);
    const char *copy = arena_copy(arena, text.p, text.n);
    struct note_key *kept = arena_zalloc(arena, 1, sizeof *kept);
    if (copy == NULL || kept == NULL || note_key_parse((struct span){copy, text.n}, &key, NULL) != 0
        || key.algorithm != uses[use].algorithm)
        return NULL;
    *kept = key;
    return kept;
}

static void
read_card(struct partner_keys *keys, const struct team *team, struct one *out)
{
    struct json_value card;
    struct json_value node;

    if (team->card.n == 0 || json_parse_copy(keys->json, team->card, &card, NULL) != 0
        || !json_get(card, "node", &node))
        return;
    for (size_t use = 0; use < USES; use++)
        out->keys[use] = read_key(keys->arena, node, use);
}

static void
read_all(struct core *core)
{
    struct partner_keys *keys = core->partner_keys;
    size_t count = roster_count(core->roster);

    if (keys->all != NULL && keys->knowledge == core->knowledge)
        return;
    arena_reset(keys->arena);
    keys->knowledge = core->knowledge;
    keys->all = arena_zalloc(keys->arena, count + 1, sizeof *keys->all);
    for (uint32_t i = 1; keys->all != NULL && i <= count; i++)
        read_card(keys, roster_team(core->roster, (struct team_id){i}), &keys->all[i]);
}

const struct note_key *
partner_key(struct core *core, struct span team, enum note_use use)
{
    struct team_id id = roster_find(core->roster, team);

    read_all(core);
    return id.index == 0 || core->partner_keys->all == NULL
        ? NULL
        : core->partner_keys->all[id.index].keys[use - 1];
}
