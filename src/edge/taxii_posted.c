#include "edge/taxii_posted.h"
#include "edge/taxii_batch.h"
#include "fmt/stix_check.h"

int
posted_fault(
    struct arena *arena, struct posted *posted, size_t i, const char *message, struct err *err)
{
    size_t n = strlen(message);

    if (posted->results[i].message.n > 0)
        return 0;
    const char *copy = arena_copy(arena, message, n);
    if (copy == NULL)
        return arena_full(err, "a request's objects");
    posted->results[i].message = (struct span){copy, n};
    return 0;
}

static struct span
kept(struct arena *arena, struct span text)
{
    const char *copy = arena_copy(arena, text.p, text.n);

    return (struct span){copy, copy == NULL ? 0 : text.n};
}

static int
encode(struct arena *arena, struct json_value item, struct buf *text, struct page_object *object,
    struct err *why)
{
    text->n = 0;
    text->full = false;
    json_add_value(text, item);
    if (text->full)
        return err_set(why, ERR_LIMIT, "the object is larger than %d bytes", PAGE_OBJECT_MAX);
    object->json = kept(arena, buf_span(text));
    return object->json.n == 0 ? arena_full(why, "a request's objects") : 0;
}

/* The version as a status resource has it. */
static struct span
version_text(struct arena *arena, int64_t version_us)
{
    struct buf text = buf_new(64);
    struct span out = {NULL, 0};

    if (version_us != 0) {
        stix_check_add_time(&text, version_us);
        out = kept(arena, buf_span(&text));
    }
    buf_free(&text);
    return out;
}

static int
read_one(struct arena *arena, struct json_value item, struct buf *text, struct posted *out,
    size_t i, struct err *err)
{
    struct stix_checked checked;
    struct err why = {0};
    struct page_object *object = &out->objects[i];
    int rc = stix_check(item, &checked, &why);

    object->id = checked.id.n == 0 ? checked.id : kept(arena, checked.id);
    object->version_us = checked.version_us;
    object->spec = checked.spec;
    out->results[i].id = object->id;
    out->results[i].version = version_text(arena, checked.version_us);
    if (rc == 0)
        rc = encode(arena, item, text, object, &why);
    if (rc == 0)
        return 0;
    object->json = (struct span){NULL, 0};
    return err_is_senders(rc) ? posted_fault(arena, out, i, why.msg, err) : (*err = why, rc);
}

static size_t
count_items(struct json_value list)
{
    struct json_iter it = json_iter(list);
    struct json_value item;
    struct span key;
    size_t n = 0;

    while (json_next(&it, &key, &item))
        n++;
    return n;
}

int
posted_read(
    struct arena *arena, struct json *json, struct span body, struct posted *out, struct err *err)
{
    struct json_value root;
    struct json_value list;
    struct json_value item;
    struct span key;
    int rc = json_parse_copy(json, body, &root, err);

    *out = (struct posted){.count = 0};
    if (rc != 0)
        return rc;
    if (json_type(root) != JSON_OBJECT || !json_get(root, "objects", &list)
        || json_type(list) != JSON_ARRAY)
        return err_set_field(
            err, ERR_BAD_TYPE, "objects", 7, "an envelope is wanted: {\"objects\": [...]}");
    out->count = count_items(list);
    out->objects = arena_zalloc(arena, out->count + 1, sizeof *out->objects);
    out->results = arena_zalloc(arena, out->count + 1, sizeof *out->results);
    if (out->objects == NULL || out->results == NULL)
        return arena_full(err, "a request's objects");
    struct buf text = buf_new(PAGE_OBJECT_MAX);
    size_t i = 0;
    for (struct json_iter it = json_iter(list); rc == 0 && json_next(&it, &key, &item); i++)
        rc = read_one(arena, item, &text, out, i, err);
    buf_free(&text);
    return rc == 0 ? taxii_batch_read(arena, list, out, err) : rc;
}
