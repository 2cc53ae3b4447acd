/* STIX 2.1 (and 2.0 where it differs little): bundles, TAXII envelopes, bare objects. Indicators of
 * plain values and observed-data become reports; every other object is carried whole in extra.stix,
 * without a classification, so that no verdict releases what was not understood. */
#include "fmt/reader.h"
#include "fmt/stix_id.h"
#include "fmt/stix_known.h"
#include "fmt/stix_map.h"
#include "fmt/stix_object.h"
#include "fmt/stix_split.h"
#include "fmt/stix_words.h"

#include <stdlib.h>

enum {
    SCRATCH_BYTES = 32 * 1024 * 1024,
    WAITING_BYTES = 64 * 1024 * 1024,
    LATER = 2, /* what it refers to has not come yet */
};

/* An object that refers to what may still come. */
struct waiting {
    struct waiting *next;
    struct span text;
    uint64_t number;
};

struct stix {
    const struct reader_options *options;
    const struct reader_sink *sink;
    struct json *json;
    struct json *other; /* for an object beside the current one; made when needed */
    struct arena *scratch;
    struct field *fields;
    struct report report;
    struct stix_known *known;
    struct stix_sco_store *scos;
    struct arena *waiting_memory;
    struct waiting *first;
    struct waiting **last;
    bool final; /* nothing more comes: do with what there is */
    struct span text;
    uint64_t number;
};

static int
text_field(
    struct stix *s, const char *name, struct span value, enum value_type type, struct err *err)
{
    struct field field = {.id = FIELD_OTHER,
        .type = (uint8_t)type,
        .class = FIELD_CLASS_TEXT,
        .name = span_of(name),
        .s = value.p,
        .n = (uint32_t)value.n};

    return value.n == 0 ? 0 : report_add(&s->report, &field, err);
}

/* What all objects say: marking and author. */
static int
common(struct stix *s, struct json_value root, struct err *err)
{
    struct span marking = stix_known_marking(s->known, root);
    int rc = stix_map_text(&s->report, FIELD_TLP, marking, err);

    if (rc == 0 && report_get(&s->report, FIELD_FEED_PROVIDER) == NULL) {
        /* Our own objects name the sender so; who observed it stands in the extension, or is not
         * told. */
        struct span author = stix_object_is_ours(root)
            ? (struct span){NULL, 0}
            : stix_known_name(s->known, stix_object_text(root, "created_by_ref"));
        if (author.n == 0 && s->options->provider != NULL)
            author = span_of(s->options->provider);
        rc = stix_map_text(&s->report, FIELD_FEED_PROVIDER, author, err);
    }
    return rc;
}

static void
start(struct stix *s)
{
    report_reset(&s->report, s->fields, REPORT_FIELDS_MAX);
    s->report.line = s->number;
}

/* The JSON texts of observables, as one array. */
static struct span
raw_list(struct stix *s, const struct stix_map_scos *scos)
{
    size_t n = 2;
    size_t at = 1;

    for (size_t i = 0; i < scos->count; i++)
        n += scos->at[i]->raw.n + 1;
    char *out = scos->count == 0 || scos->at[0]->raw.n == 0 ? NULL : arena_alloc(s->scratch, n);
    if (out == NULL)
        return (struct span){NULL, 0};
    out[0] = '[';
    for (size_t i = 0; i < scos->count; i++) {
        memcpy(out + at, scos->at[i]->raw.p, scos->at[i]->raw.n);
        at += scos->at[i]->raw.n;
        out[at++] = i + 1 < scos->count ? ',' : ']';
    }
    return (struct span){out, at};
}

static int
whole(struct stix *s, struct json_value root, const struct stix_map_scos *scos, struct err *why)
{
    struct span raw = {NULL, 0};
    struct buf text = buf_new(INPUT_LINE_MAX * 2);

    start(s);
    json_add_value(&text, root);
    int rc = buf_check(&text, "an object", why);
    raw = (struct span){rc == 0 ? arena_copy(s->scratch, text.p, text.n) : NULL, text.n};
    buf_free(&text);
    if (rc == 0 && raw.p == NULL)
        rc = arena_full(why, "an object kept whole");
    if (rc == 0)
        rc = text_field(s, "extra.stix_id", stix_object_text(root, "id"), VALUE_TEXT, why);
    if (rc == 0)
        rc = text_field(s, "extra.stix_type", stix_object_text(root, "type"), VALUE_TEXT, why);
    if (rc == 0)
        rc = text_field(s, "extra.stix", raw, VALUE_JSON, why);
    if (rc == 0 && scos != NULL)
        rc = text_field(s, "extra.stix_objects", raw_list(s, scos), VALUE_JSON, why);
    return rc == 0 ? common(s, root, why) : rc;
}

static int
hand_on(struct stix *s, int rc, struct err *why, struct err *err)
{
    if (rc == STIX_MAP_WHOLE)
        rc = err_set(why, ERR_INTERNAL, "an object that was to be kept whole was not");
    return reader_end_record(s->sink, &s->report, rc, why, s->text, err);
}

static int
reject(struct stix *s, struct err *why, struct err *err)
{
    why->line = s->number;
    return s->sink->reject(s->sink->ctx, why, s->text, err);
}

/* The observables that an observed-data names: in the store, or (2.0) inside it. */
static int
gather_refs(struct stix *s, struct json_value refs, struct stix_map_scos *out, struct err *err)
{
    struct json_value ref;
    struct span key;
    bool missing = false;

    for (struct json_iter it = json_iter(refs); json_next(&it, &key, &ref);) {
        if (json_type(ref) != JSON_STRING)
            return err_set_field(
                err, ERR_BAD_TYPE, "object_refs", 11, "each reference must be text");
        struct stix_sco *sco = stix_sco_store_find(s->scos, json_string(ref));
        if (sco == NULL)
            missing = true;
        else if (out->count < STIX_MAP_REFS_MAX)
            out->at[out->count++] = sco;
        else
            return STIX_MAP_WHOLE;
    }
    if (!missing)
        return 0;
    if (!s->final)
        return LATER;
    if (stix_sco_store_lossy(s->scos))
        return err_set_field(err, ERR_LIMIT, "object_refs", 11,
            "more observables lie between this object and what it refers to than are kept");
    return STIX_MAP_WHOLE;
}

static int
gather_inner(struct stix *s, struct json_value objects, struct stix_map_scos *out, struct err *err)
{
    struct json_value object;
    struct span key;

    for (struct json_iter it = json_iter(objects); json_next(&it, &key, &object);) {
        if (json_type(object) != JSON_OBJECT)
            return err_set_field(
                err, ERR_BAD_TYPE, "objects", 7, "each observable must be an object");
        if (out->count == STIX_MAP_REFS_MAX)
            return STIX_MAP_WHOLE;
        struct stix_sco *sco = arena_alloc(s->scratch, sizeof *sco);
        if (sco == NULL)
            return arena_full(err, "an observed-data's objects");
        stix_sco_read(object, key, sco);
        out->at[out->count++] = sco;
    }
    return 0;
}

static int
gather(struct stix *s, struct json_value root, struct stix_map_scos *out, struct err *err)
{
    struct json_value v;

    out->count = 0;
    if (json_get(root, "object_refs", &v) && json_type(v) == JSON_ARRAY)
        return gather_refs(s, v, out, err);
    if (json_get(root, "objects", &v) && json_type(v) == JSON_OBJECT)
        return gather_inner(s, v, out, err);
    return err_set_field(err, ERR_MISSING_FIELD, "object_refs", 11,
        "an observed-data must name its observables in object_refs (or, STIX 2.0, in objects)");
}

static int
map_observed(
    struct stix *s, struct json_value root, const struct stix_map_scos *scos, struct err *why)
{
    int rc;

    start(s);
    rc = scos == NULL ? 0 : stix_map_scos(&s->report, scos, why);
    if (rc == 0)
        rc = stix_object_observed(&s->report, s->scratch, root, why);
    return rc == 0 ? common(s, root, why) : rc;
}

static int
observed(struct stix *s, struct json_value root, struct err *err)
{
    struct stix_map_scos scos;
    struct err why = {0};
    int rc = gather(s, root, &scos, &why);

    if (rc == LATER)
        return LATER;
    if (rc == 0)
        rc = stix_object_revoked(root) ? STIX_MAP_WHOLE : map_observed(s, root, &scos, &why);
    if (rc == STIX_MAP_WHOLE)
        rc = whole(s, root, &scos, &why);
    for (size_t i = 0; i < scos.count; i++)
        if (scos.at[i]->raw.n > 0)
            stix_sco_store_use(s->scos, scos.at[i]);
    return hand_on(s, rc, &why, err);
}

/* A report of ours that kept no observable travels as a note. */
static int
note(struct stix *s, struct json_value root, struct err *err)
{
    struct err why = {0};
    int rc = stix_object_revoked(root) ? STIX_MAP_WHOLE : map_observed(s, root, NULL, &why);

    if (rc == STIX_MAP_WHOLE)
        rc = whole(s, root, NULL, &why);
    return hand_on(s, rc, &why, err);
}

/* Does every choice fit a report? */
static int
try_choices(
    struct stix *s, const struct report *base, const struct pattern *pattern, struct err *why)
{
    int rc = 0;

    for (const struct pattern_choice *c = pattern->choices; rc == 0 && c != NULL; c = c->next) {
        s->report = *base;
        rc = stix_map_choice(&s->report, c, why);
    }
    return rc;
}

static int
map_indicator(struct stix *s, struct json_value root, struct pattern *pattern, struct report *base,
    struct err *why)
{
    struct span kind = stix_object_text(root, "pattern_type");
    struct span text = stix_object_text(root, "pattern");
    int rc;

    if (stix_object_revoked(root) || (kind.n > 0 && !span_equal(kind, SPAN("stix"))))
        return STIX_MAP_WHOLE;
    if (text.n == 0)
        return err_set_field(
            why, ERR_MISSING_FIELD, "pattern", 7, "an indicator must have a pattern");
    rc = pattern_parse(s->scratch, text, pattern, why);
    if (rc != 0)
        return rc;
    if (!pattern->simple)
        return STIX_MAP_WHOLE;
    start(s);
    rc = stix_object_indicator(&s->report, s->scratch, root, why);
    if (rc == 0)
        rc = common(s, root, why);
    *base = s->report;
    return rc == 0 ? try_choices(s, base, pattern, why) : rc;
}

static int
indicator(struct stix *s, struct json_value root, struct err *err)
{
    struct pattern pattern = {.simple = false};
    struct report base;
    struct err why = {0};
    int rc = map_indicator(s, root, &pattern, &base, &why);

    if (rc != 0) {
        if (rc == STIX_MAP_WHOLE)
            rc = whole(s, root, NULL, &why);
        return hand_on(s, rc, &why, err);
    }
    for (const struct pattern_choice *c = pattern.choices; rc == 0 && c != NULL; c = c->next) {
        why = (struct err){0};
        s->report = base;
        rc = hand_on(s, stix_map_choice(&s->report, c, &why), &why, err);
    }
    return rc;
}

static int
keep_whole(struct stix *s, struct json_value root, struct err *err)
{
    struct err why = {0};
    int rc = whole(s, root, NULL, &why);

    return hand_on(s, rc, &why, err);
}

/* Another object of the same id takes this one's place before anything told of it. */
static int
push_out(struct stix *s, const struct stix_sco *old, struct err *err)
{
    struct json_value root;
    struct span text = s->text;
    int rc;

    if (s->other == NULL)
        s->other = json_new(INPUT_LINE_MAX);
    if (s->other == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an observable");
    s->text = old->raw;
    rc = json_parse_copy(s->other, old->raw, &root, err);
    if (rc == 0)
        rc = keep_whole(s, root, err);
    s->text = text;
    return rc;
}

/* An observable waits in the store for what refers to it; unreferenced ones come out at the end. */
static int
observable(struct stix *s, struct json_value root, struct span id, struct err *err)
{
    struct stix_sco sco;
    struct err why = {0};

    if (id.n == 0)
        return keep_whole(s, root, err);
    const struct stix_sco *old = stix_sco_store_find(s->scos, id);
    if (old != NULL && !old->used && !span_equal(old->raw, s->text)) {
        int rc = push_out(s, old, err);
        if (rc != 0)
            return rc;
    }
    stix_sco_read(root, id, &sco);
    sco.raw = s->text;
    int rc = stix_sco_store_add(s->scos, &sco, &why);
    return rc == 0 ? 0 : reject(s, &why, err);
}

/* A frame without a list of objects: an empty bundle or an empty TAXII envelope. */
static bool
is_empty_frame(struct json_value root, struct span type)
{
    struct json_value v;
    struct json_iter it = json_iter(root);
    struct span key;

    if (type.n == 0)
        return json_get(root, "more", &v) || !json_next(&it, &key, &v);
    return span_equal(type, SPAN("bundle")) && !json_get(root, "objects", &v);
}

/* The sender as a bundle of ours has it, which is no report. */
static bool
is_own_sender(struct json_value root, struct span type, struct span id)
{
    struct stix_id own;

    if (!span_equal(type, SPAN("identity")))
        return false;
    stix_id_make(&own, "identity", STIX_ID_OWN, stix_object_text(root, "name"));
    return span_equal(span_of(own.text), id);
}

static int
by_type(struct stix *s, struct json_value root, struct span type, struct err *err)
{
    struct span id = stix_object_text(root, "id");
    bool definition = span_equal(type, SPAN("marking-definition"))
        || span_equal(type, SPAN("extension-definition")) || span_equal(type, SPAN("identity"));

    if (definition) {
        stix_known_learn(s->known, root, type, id);
        bool frame = stix_words_is_definition(id) || is_own_sender(root, type, id);
        return frame ? 0 : keep_whole(s, root, err);
    }
    if (stix_sco_type(type) != SCO_NONE)
        return observable(s, root, id, err);
    if (!s->final && !stix_known_all_markings(s->known, root))
        return LATER;
    if (span_equal(type, SPAN("observed-data")))
        return observed(s, root, err);
    if (span_equal(type, SPAN("indicator")))
        return indicator(s, root, err);
    if (span_equal(type, SPAN("note")) && stix_object_is_ours(root))
        return note(s, root, err);
    return keep_whole(s, root, err);
}

static int
parsed(struct stix *s, struct json_value root, struct err *err)
{
    struct err why = {0};
    struct span type = {NULL, 0};
    int rc = 0;

    if (json_type(root) != JSON_OBJECT)
        rc = err_set(&why, ERR_BAD_TYPE, "a STIX object must be a JSON object");
    if (rc == 0)
        rc = json_check_duplicates(root, &why);
    if (rc == 0) {
        type = stix_object_text(root, "type");
        if (is_empty_frame(root, type))
            return 0;
        if (type.n == 0)
            rc = err_set_field(
                &why, ERR_MISSING_FIELD, "type", 4, "a STIX object must say its type");
    }
    return rc != 0 ? reject(s, &why, err) : by_type(s, root, type, err);
}

static int
one_object(struct stix *s, struct span text, uint64_t number, struct err *err)
{
    struct json_value root;
    struct err why = {0};

    s->text = span_trim(text);
    s->number = number;
    arena_reset(s->scratch);
    start(s);
    int rc = json_parse(s->json, text, &root, &why);
    return rc != 0 ? reject(s, &why, err) : parsed(s, root, err);
}

/* Keep it for the end; when the room for that is used up, do with what is known now. */
static int
wait(struct stix *s, struct span text, uint64_t number, struct err *err)
{
    struct waiting *w = arena_alloc(s->waiting_memory, sizeof *w);
    char *copy = w == NULL ? NULL : arena_alloc(s->waiting_memory, text.n + INPUT_PADDING);

    if (copy == NULL) {
        s->final = true;
        int rc = one_object(s, text, number, err);
        s->final = false;
        return rc;
    }
    memcpy(copy, text.p, text.n);
    memset(copy + text.n, ' ', INPUT_PADDING);
    *w = (struct waiting){NULL, {copy, text.n}, number};
    *s->last = w;
    s->last = &w->next;
    return 0;
}

static int
on_object(void *ctx, struct span text, uint64_t number, struct err *err)
{
    struct stix *s = ctx;
    int rc = one_object(s, text, number, err);

    return rc == LATER ? wait(s, text, number, err) : rc;
}

static int
on_bad(void *ctx, const struct err *why, struct span head, uint64_t number, struct err *err)
{
    struct stix *s = ctx;
    struct err copy = *why;

    s->number = number;
    s->text = head;
    return reject(s, &copy, err);
}

/* Observables that nothing referred to. */
static int
left_over(struct stix *s, struct err *err)
{
    struct json_value root;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < stix_sco_store_count(s->scos); i++) {
        struct stix_sco *sco = stix_sco_store_at(s->scos, i);
        if (sco->used)
            continue;
        arena_reset(s->scratch);
        s->text = sco->raw;
        s->number = 0;
        rc = json_parse_copy(s->json, sco->raw, &root, err);
        if (rc == 0)
            rc = keep_whole(s, root, err);
    }
    return rc;
}

static int
read_all(struct stix *s, struct input *input, struct err *err)
{
    struct stix_split_sink sink = {s, on_object, on_bad};
    int rc = stix_split(input, &sink, err);

    s->final = true;
    for (struct waiting *w = s->first; rc == 0 && w != NULL; w = w->next)
        rc = one_object(s, w->text, w->number, err);
    return rc == 0 ? left_over(s, err) : rc;
}

int
stix_read(struct input *input, const struct reader_options *options, const struct reader_sink *sink,
    struct err *err)
{
    struct stix s = {.options = options, .sink = sink};
    int rc;

    s.last = &s.first;
    s.json = json_new(INPUT_LINE_MAX);
    s.scratch = arena_new(SCRATCH_BYTES);
    s.waiting_memory = arena_new(WAITING_BYTES);
    s.fields = calloc(REPORT_FIELDS_MAX, sizeof *s.fields);
    s.known = stix_known_new();
    s.scos = stix_sco_store_new();
    if (s.json == NULL || s.scratch == NULL || s.waiting_memory == NULL || s.fields == NULL
        || s.known == NULL || s.scos == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory to read %s", input_name(input));
    else
        rc = read_all(&s, input, err);
    json_free(s.json);
    json_free(s.other);
    arena_free(s.scratch);
    arena_free(s.waiting_memory);
    free(s.fields);
    stix_known_free(s.known);
    stix_sco_store_free(s.scos);
    return rc;
}
