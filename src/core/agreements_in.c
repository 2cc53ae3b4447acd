#include "core/agreements_in.h"

#include "core/register.h"
#include "flow/abroad.h"
#include "flow/abroad_later.h"
#include "flow/agreement_foreign.h"
#include "flow/agreements.h"
#include "fmt/jcs.h"
#include "sys/clock.h"

#include <stdlib.h>

enum { EVENTS_MAX = 1000, AGAIN_BYTES = 64 << 20 };
/* Signatures are checked over the whole text each: so much is hashed for one object, at most. */
#define HASHED_BYTES ((size_t)64 << 20)

/* ---- what is said ---- */

static bool
is_of_parties(struct json_value agreement)
{
    struct json_value kind;

    return json_type(agreement) == JSON_OBJECT && json_get(agreement, "kind", &kind)
        && (span_equal(json_string(kind), SPAN("bilateral"))
            || span_equal(json_string(kind), SPAN("multilateral")));
}

static bool
is_revoked(struct json_value object)
{
    struct json_value revoked;

    return json_get(object, "revoked", &revoked) && json_type(revoked) == JSON_TRUE;
}

static int
read_document(const struct exchange_object *object, struct json_value value,
    struct foreign_word *word, struct err *err)
{
    static const char *const name = "the agreement";
    struct buf text = buf_new(PAGE_OBJECT_MAX);
    struct agreement_set set = {0};
    int rc = jcs_add(&text, value, err);

    if (rc == 0)
        rc = buf_check(&text, name, err);
    const struct span whole = buf_span(&text);
    if (rc == 0)
        rc = agreements_parse(object->arena, &whole, &name, 1, &set, err);
    buf_free(&text);
    if (rc != 0)
        return rc;
    word->document = &set.agreements[0];
    return word->document->signature_count * word->document->text.n > HASHED_BYTES
        ? err_set(err, ERR_LIMIT, "it has too many signatures for its length")
        : 0;
}

static int
read_events(const struct exchange_object *object, struct foreign_word *word, struct err *err)
{
    struct json_value list;
    struct json_value item;
    struct span none;
    size_t count = 0;

    if (!json_get(object->json, "events", &list))
        return 0;
    if (json_type(list) != JSON_ARRAY)
        return err_set_field(err, ERR_BAD_TYPE, "events", 6, "must be a list");
    for (struct json_iter it = json_iter(list); json_next(&it, &none, &item);)
        count++;
    if (count > EVENTS_MAX)
        return err_set_field(err, ERR_LIMIT, "events", 6, "more than %d events", EVENTS_MAX);
    struct journal_told *events = arena_zalloc(object->arena, count + 1, sizeof *events);
    int rc = events == NULL ? arena_full(err, "events") : 0;
    for (struct json_iter it = json_iter(list); rc == 0 && json_next(&it, &none, &item);)
        rc = journal_told_read(object->arena, item, &events[word->event_count++], err);
    word->events = events;
    return rc;
}

/* ---- what is told of it here ---- */

static void
tell_refused(struct core *core, const struct foreign_word *word, const struct err *why)
{
    const struct agreement *a = word->document;
    const struct register_news news = {.agreement = a != NULL ? a->id : SPAN(""),
        .title = a != NULL ? a->title : SPAN(""),
        .team = word->sender,
        .event = "not-taken",
        .why = why->msg};

    register_tell(core, &news);
}

static void
tell_unknown(const struct core *core, const struct foreign_news *news)
{
    const struct agreement_taken *t = &news->taken;
    char key[AGREEMENT_SIGN_BASE64_BYTES];

    for (size_t i = t->kept; i < t->a.signature_count; i++) {
        if (t->rows[i].mark == MARK_GOOD)
            continue;
        agreement_sign_base64(t->rows[i].key, sizeof t->rows[i].key, key);
        core_tell(core,
            "the signature of %.*s under %.*s counts as none: its key is not known to be theirs. "
            "Ask them by another way whether it is %s, then: comity agreement key --trust %.*s %s",
            SPAN_ARGS(t->rows[i].party), SPAN_ARGS(t->a.id), key, SPAN_ARGS(t->rows[i].party), key);
    }
}

/* Once: the same word comes again with each change of the agreement. */
static void
tell_strange(
    const struct core *core, const struct foreign_word *word, const struct foreign_news *news)
{
    char key[AGREEMENT_SIGN_BASE64_BYTES];

    agreement_sign_base64(news->strange.key, sizeof news->strange.key, key);
    core_tell(core,
        "%.*s shows a \"%.*s\" of %.*s under %.*s by the key %s, which is not known to be theirs: "
        "it is taken in once it is known, by their card (`comity team waiting`) or by `comity "
        "agreement key --trust %.*s %s`",
        SPAN_ARGS(word->sender), SPAN_ARGS(news->strange.what), SPAN_ARGS(news->strange.team),
        SPAN_ARGS(word->document->id), key, SPAN_ARGS(news->strange.team), key);
}

static void
tell_taken(struct core *core, const struct foreign_word *word, const struct foreign_news *news)
{
    const struct agreement_taken *t = &news->taken;
    struct register_news told = {.agreement = t->a.id, .title = t->a.title, .team = word->sender};

    told.event = journal_words[JOURNAL_PROPOSED];
    if (news->proposed)
        register_tell(core, &told);
    told.event = journal_words[JOURNAL_SIGNED];
    for (size_t i = t->kept; i < t->a.signature_count; i++) {
        told.team = t->rows[i].party;
        register_tell(core, &told);
    }
    for (size_t i = 0; i < news->event_count; i++) {
        told.team = news->events[i]->event.by;
        told.event = journal_words[news->events[i]->event.type];
        register_tell(core, &told);
    }
    if (news->unknown)
        tell_unknown(core, news);
}

/* ---- taking in ---- */

/* What one request says: looked at in the register as it is with all before it, told and written at
 * the end, each file once. */
struct agreements_in {
    struct register_desk desk;
    struct taken_word *first;
    struct taken_word **end;
};

/* In the request's arena. */
struct taken_word {
    struct foreign_word word;
    struct foreign_news news;
    struct taken_word *next;
};

static int
open_desk(struct core *core, struct err *err)
{
    struct agreements_in *in = calloc(1, sizeof *in);

    if (in == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to take in agreements");
    in->end = &in->first;
    core->agreements_in = in;
    int rc = register_open(core, &in->desk, err);
    if (rc != 0 && err_kind((enum err_code)rc) != ERR_KIND_OURS)
        rc = err->code = ERR_IO; /* the sender may try again, once it is mended here */
    return rc;
}

/* Once more, under the lock: somebody may have been faster. */
static int
keep(struct core *core, struct arena *arena, struct foreign_word *word, struct foreign_news *news,
    struct err *err)
{
    struct taken_word *taken = arena_zalloc(arena, 1, sizeof *taken);
    int rc = taken == NULL            ? arena_full(err, "agreements")
        : core->agreements_in == NULL ? open_desk(core, err)
                                      : 0;

    if (rc != 0)
        return rc;
    struct agreements_in *in = core->agreements_in;
    word->now_us = in->desk.now_us;
    rc = agreement_foreign_look(in->desk.registry, arena, word, news, err);
    if (rc != 0 || !agreement_foreign_is_news(news))
        return rc;
    rc = agreement_foreign_keep(in->desk.registry, arena, word, news, &in->desk.key, err);
    if (rc != 0)
        return rc;
    *taken = (struct taken_word){.word = *word, .news = *news};
    *in->end = taken;
    in->end = &taken->next;
    return 0;
}

static int
look(struct core *core, struct arena *arena, struct foreign_word *word, struct foreign_news *news,
    struct err *err)
{
    struct registry *empty = NULL;
    const struct registry *registry = core->basis.registry;
    int rc = 0;

    if (core->agreements_in != NULL)
        return keep(core, arena, word, news, err);
    if (registry == NULL) {
        rc = registry_open(core->options.home, REGISTRY_READ, core->roster, &empty, err);
        registry = empty;
    }
    if (rc == 0)
        rc = agreement_foreign_look(registry, arena, word, news, err);
    registry_close(empty);
    if (rc == 0 && agreement_foreign_is_news(news))
        rc = keep(core, arena, word, news, err);
    return rc;
}

/* How it stands there is hearsay, and no reason to refuse anything. */
static void
note(struct core *core, const struct exchange_object *object, const struct foreign_word *word)
{
    struct json_value standing;
    struct abroad said = {.team = word->sender,
        .time_us = object->now_us,
        .signatures = word->document->signature_count};
    struct err err;

    if (!json_get(object->json, "standing", &standing)
        || !abroad_is_standing(json_string(standing)))
        return;
    said.standing = json_string(standing);
    if (abroad_note(object->arena, core->options.home, word->document->id, &said, &err) != 0)
        core_tell(core, "what %.*s says of an agreement could not be noted: %s",
            SPAN_ARGS(word->sender), err.msg);
}

/* ---- what a key is not known of ---- */

static int
keep_word(const struct core *core, const struct exchange_object *object,
    const struct foreign_word *word, bool *made, struct err *err)
{
    struct buf text = buf_new(PAGE_OBJECT_MAX);

    json_add_value(&text, object->json);
    int rc = buf_check(&text, "an agreement", err);
    if (rc == 0)
        rc = abroad_later_keep(
            core->options.home, word->document->id, word->sender, buf_span(&text), made, err);
    buf_free(&text);
    return rc;
}

/* It needs to wait no more: all of it was judged, or will never be taken in. */
static void
drop_word(const struct core *core, const struct foreign_word *word)
{
    struct err err;

    if (abroad_later_drop(core->options.home, word->document->id, word->sender, &err) != 0)
        core_tell(core, "what waits for a key stays: %s", err.msg);
}

/* What was passed over waits for its key; what is news waits until it is written
 * (agreements_in_end). The sender hears of its own. */
static int
settle(struct core *core, const struct exchange_object *object, const struct foreign_word *word,
    const struct foreign_news *news, struct err *err)
{
    struct err why;
    bool made = false;

    if (news->strange.team.n == 0 && !agreement_foreign_is_news(news))
        drop_word(core, word);
    if (news->strange.team.n == 0)
        return 0;
    int rc = keep_word(core, object, word, &made, &why);
    if (rc != 0)
        core_tell(core, "what %.*s says of an agreement cannot wait for a key: %s",
            SPAN_ARGS(word->sender), why.msg);
    if (made)
        tell_strange(core, word, news);
    if (!span_equal(news->strange.team, word->sender))
        return 0;
    return err_set(err, ERR_NOT_ALLOWED,
        "a \"%.*s\" in it is by a key that is not known here to be yours%s",
        SPAN_ARGS(news->strange.what), rc == 0 ? "; it is taken in once that key is known" : "");
}

int
agreements_in_end(struct core *core, int rc, struct err *err)
{
    struct agreements_in *in = core->agreements_in;

    if (in == NULL)
        return rc;
    if (rc == 0)
        rc = registry_settle(in->desk.registry, err);
    for (const struct taken_word *t = in->first; rc == 0 && t != NULL; t = t->next) {
        tell_taken(core, &t->word, &t->news);
        if (t->news.strange.team.n == 0)
            drop_word(core, &t->word);
    }
    register_close(&in->desk);
    free(in);
    core->agreements_in = NULL;
    return rc;
}

static int
take(struct core *core, const struct exchange_object *object, struct json_value agreement,
    struct err *err)
{
    struct foreign_word word = {
        .own = register_own(core), .sender = object->team, .now_us = object->now_us};
    struct foreign_news news = {0};
    int rc = read_document(object, agreement, &word, err);

    if (rc == 0)
        rc = read_events(object, &word, err);
    if (rc == 0)
        rc = look(core, object->arena, &word, &news, err);
    if (rc == 0) {
        note(core, object, &word);
        rc = settle(core, object, &word, &news, err);
    } else if (word.document != NULL && (rc == ERR_BAD_VALUE || rc == ERR_NOT_ALLOWED)) {
        drop_word(core, &word);
    }
    if (rc != 0)
        tell_refused(core, &word, err);
    /* What the command's user would have done wrong the sender did here. */
    if (rc == ERR_BAD_AGREEMENT)
        rc = err->code = ERR_BAD_VALUE;
    return rc == 0 ? 1 : rc;
}

/* What is refused is told, and waits if it may; false: this machine could not do it now. */
static bool
again(struct core *core, struct arena *arena, const struct abroad_later_word *waits)
{
    struct json *json = json_new(ABROAD_LATER_BYTES);
    struct exchange_object object = {.team = waits->team, .now_us = clock_now_us(), .arena = arena};
    struct err err;
    int rc = json == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory for what other nodes said")
                          : json_parse_copy(json, waits->object, &object.json, &err);

    if (rc == 0)
        rc = exchange_agreement(core, &object, &err);
    json_free(json);
    bool ours = rc < 0 && err_kind((enum err_code)rc) == ERR_KIND_OURS;
    rc = agreements_in_end(core, ours ? rc : 0, &err);
    if (rc != 0)
        core_tell(core, "what waited for a key cannot be kept yet: %s", err.msg);
    return rc == 0;
}

void
agreements_again(struct core *core)
{
    uint64_t keys = core->basis.registry == NULL ? 0 : keyring_digest(core->basis.registry->ring);
    struct abroad_later later = {0};
    struct abroad_later_word waits;
    struct err err = {0};
    bool done = true;

    if (keys == core->agreement_keys)
        return;
    struct arena *arena = arena_new(AGAIN_BYTES);
    int rc = arena == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory to read it")
                           : abroad_later_open(core->options.home, &later, &err);
    for (bool more = rc == 0; more; more = rc == 1) {
        rc = abroad_later_next(&later, arena, &waits, &err);
        if (rc == 1)
            done = again(core, arena, &waits) && done;
        arena_reset(arena);
    }
    if (rc == 0 && done)
        core->agreement_keys = keys;
    if (rc < 0)
        core_tell(
            core, "what other nodes said of agreements cannot be looked at again: %s", err.msg);
    abroad_later_close(&later);
    arena_free(arena);
}

int
exchange_agreement(struct core *core, const struct exchange_object *object, struct err *err)
{
    struct json_value agreement;

    if (core->options.agreements != NULL || register_own(core).n == 0)
        return 0;
    if (!json_get(object->json, "agreement", &agreement) || !is_of_parties(agreement))
        return 0;
    /* That it is shown no more changes nothing: an end is an event, and signed. */
    return is_revoked(object->json) ? 1 : take(core, object, agreement, err);
}
