#include "flow/blocked.h"

#include "base/hash.h"

#include <stdlib.h>

enum { KEY_BYTES = 12, NAME_BYTES_MAX = 256, ARENA_BYTES = 256 << 20 };

struct blocked {
    struct arena *arena;
    struct table *keys;
    struct table *names;
    struct blocked_kind *kinds;
    size_t room;
};

int
blocked_new(struct blocked **out, struct err *err)
{
    struct blocked *b = calloc(1, sizeof *b);

    *out = b;
    if (b == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to count what is blocked");
    b->arena = arena_new(ARENA_BYTES);
    b->keys = table_new(BLOCKED_KINDS_MAX);
    b->names = table_new(BLOCKED_PROVIDERS_MAX);
    return b->arena != NULL && b->keys != NULL && b->names != NULL
        ? 0
        : err_set(err, ERR_NO_MEMORY, "no memory to count what is blocked");
}

void
blocked_free(struct blocked *b)
{
    if (b == NULL)
        return;
    arena_free(b->arena);
    table_free(b->keys);
    table_free(b->names);
    free(b->kinds);
    free(b);
}

/* Beyond what any clause can name, or beyond the limit, one provider is as good as another. */
static int
name_provider(struct blocked *b, struct span name, uint32_t *out, struct err *err)
{
    const struct span others = SPAN("\x01");
    int64_t known = table_find(b->names, name);

    if (known < 0
        && (name.n > NAME_BYTES_MAX || table_count(b->names) + 1 >= BLOCKED_PROVIDERS_MAX)) {
        name = others;
        known = table_find(b->names, name);
    }
    if (known >= 0) {
        *out = (uint32_t)known;
        return 0;
    }
    const char *copy = arena_copy(b->arena, name.n > 0 ? name.p : "", name.n);
    if (copy == NULL)
        return arena_full(err, "the list of providers");
    return table_add(b->names, (struct span){copy, name.n}, out, err);
}

static int
add_kind(struct blocked *b, const struct blocked_kind *kind, struct span key, struct err *err)
{
    size_t count = table_count(b->keys);
    uint32_t index;

    if (count == BLOCKED_KINDS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d kinds of reports are blocked; ask about fewer",
            BLOCKED_KINDS_MAX);
    if (count == b->room) {
        size_t room = b->room == 0 ? 256 : 2 * b->room;
        struct blocked_kind *kinds = realloc(b->kinds, room * sizeof *kinds);
        if (kinds == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory to count what is blocked");
        b->kinds = kinds;
        b->room = room;
    }
    const char *copy = arena_copy(b->arena, key.p, key.n);
    if (copy == NULL)
        return arena_full(err, "what is blocked");
    b->kinds[count] = *kind;
    return table_add(b->keys, (struct span){copy, key.n}, &index, err);
}

int
blocked_add(struct blocked *b, const struct report *report, enum tlp tlp,
    const struct flow_outcome *outcome, struct err *err)
{
    const struct verdict *v = &outcome->verdict;
    struct blocked_kind kind = {.count = 1,
        .recipient = outcome->recipient.index,
        .classification = (uint8_t)report->classification,
        .tlp = (uint8_t)tlp,
        .effect = v->effect,
        .reason = v->reason};
    uint32_t provider = 0;
    char key[KEY_BYTES];

    if (v->effect == EFFECT_RELEASE || kind.recipient == 0)
        return 0;
    int rc = name_provider(b, report->provider, &provider, err);
    if (rc != 0)
        return rc;
    memcpy(key, &kind.recipient, 4);
    memcpy(key + 4, &provider, 4);
    key[8] = (char)kind.classification;
    key[9] = (char)kind.tlp;
    key[10] = (char)kind.effect;
    key[11] = (char)kind.reason;
    int64_t known = table_find(b->keys, (struct span){key, sizeof key});
    if (known >= 0) {
        b->kinds[known].count++;
        return 0;
    }
    kind.provider = table_key(b->names, provider);
    return add_kind(b, &kind, (struct span){key, sizeof key}, err);
}

const struct blocked_kind *
blocked_kinds(const struct blocked *b, size_t *count)
{
    *count = table_count(b->keys);
    return b->kinds;
}
