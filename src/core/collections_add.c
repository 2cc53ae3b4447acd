/* Objects that somebody posts, and what became of them (TAXII 2.1, sections 4.3 and 5.5). */
#include "base/hash.h"
#include "base/time.h"
#include "core/collections.h"
#include "core/collections_private.h"
#include "core/exchange.h"
#include "fmt/stix_check.h"
#include "fmt/stix_words.h"

enum { STATUS_BYTES = 4 << 20, STATUS_LIST_MAX = 20000, POSTER_BYTES = 400, UUID_TEXT = 36 };

/* One request's objects for a collection. */
struct adding {
    struct collections *c;
    const struct asker *asker;
    const struct store_collection *to;
    const struct collections_ways *ways;
    int64_t now_us;
    struct arena *arena;
    struct store_object *objects; /* of the piece */
    size_t count;
    struct buf body;
    struct store_object *shown; /* of the piece for the community */
    size_t shown_count;
    struct buf shown_body;
    struct span author; /* the last one that was looked up, and whose it is */
    struct span owner;
};

/* ---- one object ---- */

/* Who posts an object first is who may post its next versions. What has none is made of its values
 * alone, so that several teams come to the same id: to refuse it would tell who was first. */
static int
check_poster(struct adding *a, const struct page_object *object, struct err *err)
{
    struct span id = object->id;
    char name[POSTER_BYTES];
    struct span team = a->asker->team.n > 0 ? a->asker->team : SPAN("-");
    struct span known;

    if (id.n > sizeof name - 16)
        return err_set_field(err, ERR_BAD_NAME, "id", 2, "the id is too long");
    memcpy(name, "posted.", 7);
    memcpy(name + 7, id.p, id.n);
    name[7 + id.n] = '\0';
    int rc = object->version_us == 0
        ? 0
        : store_get(collections_store(a->c), a->arena, name, &known, err);
    if (rc != 0 || object->version_us == 0)
        return rc;
    if (known.n == 0)
        return store_set(collections_store(a->c), name, team, err);
    if (span_equal(known, team) || a->asker->kind != PRINCIPAL_PARTNER)
        return 0;
    return err_set_field(err, ERR_NOT_ALLOWED, "id", 2,
        "the object is another team's: only that team may post versions of it");
}

static int
check_identity(struct adding *a, struct span identity, const char *field, struct err *err)
{
    if (a->author.n == 0 || !span_equal(a->author, identity)) {
        a->author = (struct span){arena_copy(a->arena, identity.p, identity.n), identity.n};
        if (a->author.p == NULL)
            return arena_full(err, "posted objects");
        a->owner = a->ways->owner_of(a->ways->ctx, a->author);
    }
    if (a->owner.n == 0 || span_equal(a->owner, a->asker->team))
        return 0;
    return err_set_field(err, ERR_NOT_ALLOWED, field, strlen(field),
        "it names the team %.*s, and you are %.*s", SPAN_ARGS(a->owner), SPAN_ARGS(a->asker->team));
}

/* Nobody speaks for another team of the directory, nor says who that is. */
static int
check_author(struct adding *a, struct json_value object, struct span id, struct err *err)
{
    struct json_value v;
    int rc = 0;

    if (a->asker->kind != PRINCIPAL_PARTNER || a->ways->owner_of == NULL)
        return 0;
    if (span_starts(id, SPAN("identity--")))
        rc = check_identity(a, id, "id", err);
    return rc == 0 && json_get(object, "created_by_ref", &v)
        ? check_identity(a, json_string(v), "created_by_ref", err)
        : rc;
}

/* Marked, and only with what may be told to all partners? */
static bool
for_community(struct json_value object)
{
    struct json_value refs;
    struct json_value item;
    struct span key;

    if (json_get(object, "type", &item) && span_equal(json_string(item), SPAN("csirt-agreement")))
        return false; /* the parties' own */
    if (json_get(object, "granular_markings", &item)
        || !json_get(object, "object_marking_refs", &refs) || json_type(refs) != JSON_ARRAY)
        return false;
    for (struct json_iter it = json_iter(refs); json_next(&it, &key, &item);) {
        enum tlp tlp =
            json_type(item) == JSON_STRING ? stix_words_tlp(json_string(item)) : TLP_UNKNOWN;
        if (tlp != TLP_CLEAR && tlp != TLP_GREEN)
            return false;
    }
    return true;
}

static void
put(struct buf *body, struct store_object *object, const struct page_object *from)
{
    if (body->n > 0)
        buf_add_char(body, ',');
    *object = (struct store_object){.at = (uint32_t)body->n,
        .n = (uint32_t)from->json.n,
        .version_us = from->version_us,
        .id = from->id,
        .spec = from->spec};
    buf_add_span(body, from->json);
}

/* Does it mean something between nodes? 1: it was taken, and is not kept here. */
static int
take(struct adding *a, const struct page_object *object, struct json_value value, struct err *err)
{
    if (a->ways->take == NULL || a->asker->kind != PRINCIPAL_PARTNER
        || a->to->kind != COLLECTION_INTAKE)
        return 0;
    const struct exchange_object one = {.team = a->asker->team,
        .page = object,
        .json = value,
        .now_us = a->now_us,
        .arena = a->arena};
    return a->ways->take(a->ways->ctx, &one, err);
}

/* The front's word is not taken for it: the object is read again. */
static int
add_one(struct adding *a, const struct page_object *object, struct err *err)
{
    struct json_value value;
    struct stix_checked checked;

    if (object->json.n > PAGE_OBJECT_MAX)
        return err_set(err, ERR_LIMIT, "the object is larger than %d bytes", PAGE_OBJECT_MAX);
    int rc = json_parse_copy(collections_json(a->c), object->json, &value, err);
    if (rc == 0)
        rc = stix_check(value, &checked, err);
    if (rc == 0
        && (!span_equal(checked.id, object->id) || checked.version_us != object->version_us
            || checked.spec != object->spec))
        rc = err_set(err, ERR_INTERNAL, "an object is not what the front says it is");
    if (rc == 0)
        rc = take(a, object, value, err);
    if (rc == 1)
        return 0;
    if (rc == 0)
        rc = check_author(a, value, object->id, err);
    if (rc != 0 || (a->to->kind == COLLECTION_INTAKE && stix_words_is_definition(object->id)))
        return rc; /* definitions are the node's own, and the same everywhere */
    rc = check_poster(a, object, err);
    if (rc != 0)
        return rc;
    put(&a->body, &a->objects[a->count++], object);
    if (a->to->kind == COLLECTION_INTAKE && for_community(value))
        put(&a->shown_body, &a->shown[a->shown_count++], object);
    return 0;
}

/* ---- all of them ---- */

static int
append(struct adding *a, uint32_t collection, const struct buf *body,
    const struct store_object *objects, size_t count, struct err *err)
{
    struct store_piece piece = {.collection = collection,
        .body = buf_span(body),
        .objects = objects,
        .count = count,
        .indexed = true};
    int64_t first_us;
    size_t added;
    int rc = buf_check(body, "posted objects", err);

    if (rc != 0 || count == 0)
        return rc;
    return store_append(collections_store(a->c), &piece, a->now_us, &first_us, &added, err);
}

/* A sender's fault, or what may not be, is told of its object; the node's own ends the request. */
static bool
is_told(int rc)
{
    return err_is_senders(rc) || rc == ERR_NOT_ALLOWED;
}

static int
add_all(struct adding *a, const struct page_add_question *q, struct buf *out, struct err *err)
{
    struct page_result *results = arena_zalloc(a->arena, q->object_count + 1, sizeof *results);

    if (results == NULL)
        return arena_full(err, "posted objects");
    for (size_t i = 0; i < q->object_count; i++) {
        struct err why = {0};
        int rc = add_one(a, &q->objects[i], &why);
        if (rc != 0 && !is_told(rc)) {
            *err = why;
            return rc;
        }
        results[i].id = q->objects[i].id;
        if (rc != 0)
            results[i].message =
                (struct span){arena_copy(a->arena, why.msg, strlen(why.msg)), strlen(why.msg)};
        if (rc != 0 && results[i].message.p == NULL)
            return arena_full(err, "posted objects");
    }
    int rc = append(a, a->to->number, &a->body, a->objects, a->count, err);
    if (rc == 0)
        rc = append(a, collections_the(a->c, COLLECTION_COMMUNITY), &a->shown_body, a->shown,
            a->shown_count, err);
    page_results_add(out, results, q->object_count);
    return rc == 0 ? buf_check(out, "results of posted objects", err) : rc;
}

static int
add_objects(struct adding *a, const struct page_add_question *q, struct buf *out, struct err *err)
{
    int rc;

    a->objects = arena_zalloc(a->arena, q->object_count + 1, sizeof *a->objects);
    a->shown = arena_zalloc(a->arena, q->object_count + 1, sizeof *a->shown);
    if (a->objects == NULL || a->shown == NULL)
        return arena_full(err, "posted objects");
    a->body = buf_new(CHANNEL_BODY_MAX);
    a->shown_body = buf_new(CHANNEL_BODY_MAX);
    rc = add_all(a, q, out, err);
    buf_free(&a->body);
    buf_free(&a->shown_body);
    return rc;
}

/* ---- the status resource (section 4.3.1) ---- */

static void
random_uuid(char out[UUID_TEXT + 1])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[16];
    char *at = out;

    hash_random(bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = hex[bytes[i] >> 4];
        *at++ = hex[bytes[i] & 15];
    }
    *at = '\0';
}

static void
add_detail(struct buf *out, const struct page_result *result)
{
    /* What has no id is told of by the nil one, as an id must stand there. */
    static const char nil[] = "unknown--00000000-0000-0000-0000-000000000000";
    bool known = result->id.n > 0 && result->id.n <= STIX_TYPE_MAX + 2 + UUID_TEXT;

    buf_add_text(out, "{\"id\":");
    json_add_string(out, known ? result->id : span_of(nil));
    buf_add_text(out, ",\"version\":");
    json_add_string(out, result->version);
    if (result->message.n > 0) {
        buf_add_text(out, ",\"message\":");
        json_add_string(out, result->message);
    }
    buf_add_char(out, '}');
}

static void
add_details(struct buf *out, const char *name, const struct page_add_question *q, bool failed)
{
    bool first = true;

    for (size_t i = 0; i < q->result_count; i++) {
        if ((q->results[i].message.n > 0) != failed)
            continue;
        if (first)
            buf_format(out, ",\"%s\":[", name);
        else
            buf_add_char(out, ',');
        first = false;
        add_detail(out, &q->results[i]);
    }
    if (!first)
        buf_add_char(out, ']');
}

static void
add_status(struct buf *out, const char *id, const struct page_add_question *q)
{
    char time[TIME_TEXT_BYTES];
    size_t failed = 0;
    size_t n = time_format_us(q->since_us, time);

    for (size_t i = 0; i < q->result_count; i++)
        failed += q->results[i].message.n > 0 ? 1 : 0;
    buf_format(out,
        "{\"id\":\"%s\",\"status\":\"complete\",\"request_timestamp\":\"%.*s\","
        "\"total_count\":%zu,\"success_count\":%zu,\"failure_count\":%zu,\"pending_count\":0",
        id, (int)n, time, q->result_count, q->result_count - failed, failed);
    /* Lists are whole or left out: their length is the count. */
    if (q->result_count <= STATUS_LIST_MAX)
        add_details(out, "successes", q, false);
    add_details(out, "failures", q, true);
    buf_add_char(out, '}');
}

/* Whose status it is stands in front of it, so that nobody else is told. */
static int
end(struct adding *a, const struct page_add_question *q, struct buf *out, struct err *err)
{
    struct buf kept = buf_new(STATUS_BYTES);
    char id[UUID_TEXT + 1];

    random_uuid(id);
    add_status(out, id, q);
    buf_format(&kept, "%u ", a->asker->principal);
    buf_add_span(&kept, buf_span(out));
    int rc = buf_check(&kept, "the status of a request", err);
    if (rc == 0)
        rc =
            store_status_add(collections_store(a->c), span_of(id), buf_span(&kept), a->now_us, err);
    buf_free(&kept);
    return rc;
}

int
collections_add(struct collections *c, const struct asker *asker, const struct page_add_question *q,
    const struct collections_ways *ways, int64_t now_us, struct arena *arena, struct buf *out,
    struct err *err)
{
    struct adding a = {.c = c, .asker = asker, .ways = ways, .now_us = now_us, .arena = arena};
    unsigned may;

    a.to = collections_find(c, q->collection, asker, &may);
    if (a.to == NULL)
        return err_set(err, ERR_NOT_FOUND, "there is no such collection");
    if ((may & COLLECTION_WRITE) == 0)
        return err_set(err, ERR_NOT_ALLOWED, "the collection is not for you to change");
    return q->object_count > 0 ? add_objects(&a, q, out, err) : end(&a, q, out, err);
}

/* Of one that is another's no more is said than of one that is not there. */
static int
no_status(struct err *err)
{
    return err_set(
        err, ERR_NOT_FOUND, "there is no such status; one is kept 24 hours, for who posted");
}

int
collections_status(struct collections *c, const struct asker *asker, struct span id,
    struct arena *arena, struct buf *out, struct err *err)
{
    struct span kept = {NULL, 0};
    struct span whose;
    uint64_t principal;
    int rc = id.n == UUID_TEXT ? store_status(collections_store(c), arena, id, &kept, err)
                               : no_status(err);

    if (rc != 0)
        return rc == ERR_NOT_FOUND ? no_status(err) : rc;
    if (!span_next(&kept, ' ', &whose) || !span_u64(whose, &principal)
        || principal != asker->principal)
        return no_status(err);
    buf_add_span(out, kept);
    return buf_check(out, "a status", err);
}
