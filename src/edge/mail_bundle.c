#include "edge/mail_bundle.h"

#include "fmt/stix_batch.h"
#include "fmt/stix_id.h"
#include "fmt/stix_object.h"
#include "fmt/stix_words.h"
#include "fmt/writer.h"

enum { OBJECT_BYTES = 16 * 1024 * 1024 };

/* ---- splitting ---- */

/* The next object of REST; false at its end. Only brackets and strings are looked at. */
static bool
next_object(struct span *rest, struct span *object)
{
    bool in_string = false;
    size_t depth = 0;
    size_t begin = 0;

    while (begin < rest->n && rest->p[begin] != '{')
        begin++;
    for (size_t i = begin; i < rest->n; i++) {
        char c = rest->p[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && c == '{')
            depth++;
        else if (!in_string && c == '}' && --depth == 0) {
            *object = (struct span){rest->p + begin, i + 1 - begin};
            *rest = (struct span){rest->p + i + 1, rest->n - i - 1};
            return true;
        }
    }
    return false;
}

/* ---- counting ---- */

static int
count_word(struct arena *arena, struct mail_words *words, struct span word, struct err *err)
{
    for (size_t i = 0; i < words->count; i++)
        if (span_equal(words->list[i].word, word)) {
            words->list[i].count++;
            return 0;
        }
    if (words->count == MAIL_WORDS_MAX) {
        words->others++;
        return 0;
    }
    char *copy = arena_copy(arena, word.p, word.n);
    if (copy == NULL)
        return arena_full(err, "a mail's words are counted");
    words->list[words->count++] = (struct mail_word){{copy, word.n}, 1};
    return 0;
}

static struct span
text_of(struct json_value object, const char *name)
{
    struct json_value value;

    return json_get(object, name, &value) && json_type(value) == JSON_STRING ? json_string(value)
                                                                             : SPAN("");
}

static uint64_t
number_of(struct json_value object, const char *name)
{
    struct json_value value;

    return json_get(object, name, &value) && json_type(value) == JSON_UINT ? json_uint(value)
        : json_get(object, name, &value) && json_type(value) == JSON_INT && json_int(value) >= 0
        ? (uint64_t)json_int(value)
        : 0;
}

static bool
member(struct json_value object, const char *name, enum json_type type, struct json_value *out)
{
    return json_get(object, name, out) && json_type(*out) == type;
}

static void
take_markings(struct json_value object, struct mail_bundle *out)
{
    struct json_value list;
    struct json_value item;
    struct span key;

    if (!member(object, "object_marking_refs", JSON_ARRAY, &list))
        return;
    for (struct json_iter it = json_iter(list); json_next(&it, &key, &item);) {
        enum tlp tlp =
            json_type(item) == JSON_STRING ? stix_words_tlp(json_string(item)) : TLP_UNKNOWN;
        if (tlp > out->tlp)
            out->tlp = tlp;
    }
}

/* What Comity's extension says of a report. */
static int
take_report(struct arena *arena, struct json_value own, struct mail_bundle *out, struct err *err)
{
    struct json_value value;
    struct json_value item;
    struct span key;
    struct span class = SPAN("");
    int rc = 0;

    out->reports++;
    if (member(own, "classification", JSON_OBJECT, &value))
        class = text_of(value, "type");
    rc = count_word(arena, &out->classifications, class.n > 0 ? class : SPAN("unclassified"), err);
    if (rc != 0 || !member(own, "clauses", JSON_ARRAY, &value))
        return rc;
    for (struct json_iter it = json_iter(value); rc == 0 && json_next(&it, &key, &item);)
        if (json_type(item) == JSON_STRING)
            rc = count_word(arena, &out->clauses, json_string(item), err);
    return rc;
}

static int
take_delivery(struct arena *arena, struct json_value object, struct mail_bundle *out, size_t *room,
    struct err *err)
{
    struct span id = text_of(object, "id");
    struct span log = text_of(object, "log");
    struct span dashes = SPAN("comity-batch--");

    if (out->delivery_count == *room) {
        size_t more = *room == 0 ? 64 : *room * 2;
        struct mail_delivery *list = arena_alloc(arena, more * sizeof *list);
        if (list == NULL)
            return arena_full(err, "a mail's deliveries are listed");
        if (out->delivery_count > 0)
            memcpy(list, out->deliveries, out->delivery_count * sizeof *list);
        out->deliveries = list;
        *room = more;
    }
    if (span_starts(id, dashes))
        id = (struct span){id.p + dashes.n, id.n - dashes.n};
    char *texts[] = {arena_copy(arena, id.p, id.n), arena_copy(arena, log.p, log.n)};
    if (texts[0] == NULL || texts[1] == NULL)
        return arena_full(err, "a mail's deliveries are listed");
    out->deliveries[out->delivery_count++] = (struct mail_delivery){{texts[0], id.n},
        {texts[1], log.n}, number_of(object, "entry"), number_of(object, "items")};
    return 0;
}

/* ---- all of it ---- */

struct reading {
    struct arena *arena;
    struct json *json;
    struct buf *bundle;
    struct mail_bundle *out;
    struct stix_id own;
    size_t room;
};

static bool
is_referred_to(struct span type)
{
    static const char *const types[] = {"ipv4-addr", "ipv6-addr", "domain-name", "url",
        "autonomous-system", "file", "network-traffic", "email-addr", "user-account", "mac-addr",
        "software", "x509-certificate", "identity"};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (span_equal(type, span_of(types[i])))
            return true;
    return false;
}

static int
look_at(struct reading *r, struct json_value object, struct err *err)
{
    struct json_value extensions;
    struct json_value own;
    struct span type = text_of(object, "type");

    r->out->revoked += stix_object_revoked(object);
    take_markings(object, r->out);
    if (span_equal(type, SPAN("comity-batch")))
        return take_delivery(r->arena, object, r->out, &r->room, err);
    if (member(object, "extensions", JSON_OBJECT, &extensions)
        && member(extensions, STIX_COMITY_EXTENSION, JSON_OBJECT, &own))
        return take_report(r->arena, own, r->out, err);
    r->out->others += !is_referred_to(type);
    return 0;
}

/* What every bundle begins with stands in its head already. */
static int
take(struct reading *r, struct span object, struct err *err)
{
    struct json_value root;
    int rc = json_parse_copy(r->json, object, &root, err);

    if (rc != 0)
        return err_set(err, ERR_INTERNAL, "an object of a mail is no JSON: %s", err->msg);
    struct span id = text_of(root, "id");
    if (stix_words_is_definition(id) || span_equal(id, (struct span){r->own.text, r->own.n}))
        return 0;
    buf_add_text(r->bundle, ",\n");
    buf_add_span(r->bundle, object);
    return look_at(r, root, err);
}

int
mail_bundle_read(struct arena *arena, const struct mail_task *task, struct span objects,
    struct buf *bundle, struct mail_bundle *out, struct err *err)
{
    const struct release_note note = {
        .origin = task->own, .recipient = task->team, .made_us = task->date_us};
    struct reading r = {
        .arena = arena, .json = json_new(OBJECT_BYTES), .bundle = bundle, .out = out};
    struct span object;
    int rc = 0;

    *out = (struct mail_bundle){.tlp = TLP_UNKNOWN};
    if (r.json == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a JSON parser");
    stix_id_make(&r.own, "identity", STIX_ID_OWN, task->own);
    stix_write_head(bundle, &note);
    stix_batch_write_definition(bundle);
    while (rc == 0 && next_object(&objects, &object))
        rc = take(&r, object, err);
    stix_write_tail(bundle);
    json_free(r.json);
    out->text = buf_span(bundle);
    return rc == 0 ? buf_check(bundle, "a mail's bundle", err) : rc;
}
