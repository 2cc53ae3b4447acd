/* What another team's node shows of an agreement: whatever it says, it is looked at to its end;
 * what is kept is no news any more; and nobody's word counts whose key is not known. What an input
 * says is signed here first, too, so that what stands behind the signatures is reached. */
#include "fuzz.h"

#include "flow/agreement_foreign.h"
#include "flow/agreements.h"
#include "flow/registry_private.h"
#include "fmt/jcs.h"

enum { ROOM = 1 << 20, EVENTS = 16 };
static const int64_t now_us = INT64_C(1780000000000000);

struct world {
    struct arena *arena;
    struct json *json;
    struct registry registry;
    struct agreement_key own;
    struct agreement_key north;
    struct agreement document;
    bool read; /* there is one */
    struct journal_told told[EVENTS];
    size_t count;
};

static void
open_world(struct world *w)
{
    static const uint8_t seeds[2][AGREEMENT_SIGN_SEED_BYTES] = {{1}, {2}};
    struct card_key key = {.until_us = INT64_MAX};

    *w = (struct world){.arena = arena_new((size_t)64 << 20), .json = json_new((size_t)4 << 20)};
    MUST(w->arena != NULL && w->json != NULL);
    agreement_sign_key(seeds[0], &w->own);
    agreement_sign_key(seeds[1], &w->north);
    w->registry = (struct registry){.team = "south.test",
        .arena = w->arena,
        .ring = keyring_new(),
        .seen_us = INT64_MIN,
        .lock = -1};
    w->registry.journal.last_us = INT64_MIN;
    memset(w->registry.journal.head, '0', AGREEMENT_SIGN_HEX - 1);
    w->registry.events = arena_zalloc(w->arena, 1, sizeof(struct journal_event *));
    w->registry.agreements = arena_zalloc(w->arena, 1, sizeof *w->registry.agreements);
    MUST(w->registry.ring != NULL && w->registry.events != NULL);
    memcpy(key.bytes, w->own.public, sizeof key.bytes);
    MUST(keyring_add(w->registry.ring, SPAN("south.test"), &key, NULL) == 0);
    memcpy(key.bytes, w->north.public, sizeof key.bytes);
    MUST(keyring_add(w->registry.ring, SPAN("north.test"), &key, NULL) == 0);
}

static void
read_document(struct world *w, struct json_value value)
{
    static const char *const name = "input";
    struct buf text = buf_new(ROOM);
    struct agreement_set set = {0};

    if (jcs_add(&text, value, NULL) == 0 && !text.full) {
        const struct span whole = buf_span(&text);
        if (agreements_parse(w->arena, &whole, &name, 1, &set, NULL) == 0 && set.count == 1)
            w->document = set.agreements[0], w->read = true;
    }
    buf_free(&text);
}

static struct span
text_of(struct json_value event, const char *key)
{
    struct json_value v;

    return json_get(event, key, &v) && json_type(v) == JSON_STRING ? json_string(v) : SPAN("");
}

/* The line that north's journal would have of what EVENT says. */
static void
sign_event(struct world *w, struct json_value event, int64_t at_us)
{
    struct json *json = json_new(ROOM);
    struct buf line = buf_new(ROOM);
    char digest[AGREEMENT_SIGN_HEX];
    struct json_value root;

    agreement_sign_digest(w->document.text, digest);
    struct journal_event made = {.agreement = w->document.id,
        .digest = span_of(digest),
        .by = SPAN("north.test"),
        .reason = text_of(event, "reason"),
        .time_us = at_us,
        .at_us = at_us + (int64_t)text_of(event, "at").n};
    while (made.type < JOURNAL_TYPE_COUNT
        && !span_equal(text_of(event, "event"), span_of(journal_words[made.type])))
        made.type++;
    if (made.type < JOURNAL_TYPE_COUNT && w->count < EVENTS
        && journal_line(SPAN("00"), &made, &w->north, &line, NULL) == 0
        && json_parse_copy(json, (struct span){line.p, line.n - 1}, &root, NULL) == 0
        && journal_told_read(w->arena, root, &w->told[w->count], NULL) == 0)
        w->count++;
    buf_free(&line);
    json_free(json);
}

static void
read_events(struct world *w, struct json_value list, bool sign)
{
    struct json_value item;
    struct span none;
    int64_t at_us = now_us - EVENTS;

    w->count = 0;
    for (struct json_iter it = json_iter(list); w->count < EVENTS && json_next(&it, &none, &item);)
        if (sign && w->document.text.n > 0)
            sign_event(w, item, at_us++);
        else if (journal_told_read(w->arena, item, &w->told[w->count], NULL) == 0)
            w->count++;
}

static void
show(struct world *w)
{
    const struct foreign_word word = {.own = SPAN("south.test"),
        .sender = SPAN("north.test"),
        .document = &w->document,
        .events = w->told,
        .event_count = w->count,
        .now_us = now_us};
    struct foreign_news news;
    struct err err = {0};
    int rc = agreement_foreign_look(&w->registry, w->arena, &word, &news, &err);

    MUST(rc == 0 || err.msg[0] != '\0');
    if (rc != 0 || !agreement_foreign_is_news(&news))
        return;
    if (agreement_foreign_keep(&w->registry, w->arena, &word, &news, &w->own, &err) != 0)
        return;
    MUST(agreement_foreign_look(&w->registry, w->arena, &word, &news, &err) == 0);
    MUST(!agreement_foreign_is_news(&news));
    MUST(!agreement_sign_has(&w->registry.agreements[0], word.own));
    MUST(registry_standing(&w->registry, 0, now_us) != STANDING_IN_FORCE);
}

static void
sign_document(struct world *w)
{
    struct agreement_signature *row = arena_zalloc(w->arena, 1, sizeof *row);

    if (row == NULL || w->document.text.n == 0
        || agreement_sign(
               w->arena, &w->document, SPAN("north.test"), now_us - EVENTS, &w->north, row, NULL)
            != 0)
        return;
    w->document.signatures = row;
    w->document.signature_count = 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span text = {size == 0 ? "" : (const char *)data, size};
    struct json_value root;
    struct json_value document;
    struct json_value events;
    struct world w;

    open_world(&w);
    if (json_parse_copy(w.json, text, &root, NULL) == 0 && json_type(root) == JSON_OBJECT
        && json_get(root, "agreement", &document))
        read_document(&w, document);
    bool told = w.read && json_get(root, "events", &events) && json_type(events) == JSON_ARRAY;
    for (int sign = 0; w.read && sign < 2; sign++) {
        if (sign == 1)
            sign_document(&w);
        if (told)
            read_events(&w, events, sign == 1);
        show(&w);
    }
    registry_forget_later(&w.registry);
    keyring_free(w.registry.ring);
    json_free(w.json);
    arena_free(w.arena);
    return 0;
}
