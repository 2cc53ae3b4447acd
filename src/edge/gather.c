#include "edge/gather.h"

#include "fmt/stix_batch.h"

void
gather_init(struct gather *gather)
{
    *gather = (struct gather){.objects = buf_new(GATHER_BYTES_MAX)};
}

void
gather_free(struct gather *gather)
{
    buf_free(&gather->objects);
}

static struct span
type_of(struct json_value object)
{
    struct json_value type;

    return json_type(object) == JSON_OBJECT && json_get(object, "type", &type)
            && json_type(type) == JSON_STRING
        ? json_string(type)
        : (struct span){NULL, 0};
}

static void
add(struct gather *gather, struct json_value object)
{
    struct span type = type_of(object);

    if (gather->objects.n > 0)
        buf_add_char(&gather->objects, ',');
    json_add_value(&gather->objects, object);
    if (span_equal(type, SPAN("observed-data")) || span_equal(type, SPAN("note")))
        gather->item = gather->objects.n;
    if (span_equal(type, SPAN(STIX_BATCH_TYPE)))
        gather->whole = gather->objects.n;
}

static int
no_page(const char *what, struct err *err)
{
    return err_set(err, ERR_BAD_ANSWER, "what it gives is no page of a collection: %s", what);
}

int
gather_page(struct gather *gather, struct json *json, struct span body, struct err *err)
{
    struct json_value root;
    struct json_value list;
    struct json_value item;
    struct span key;
    struct err why = {0};

    if (json_parse_copy(json, body, &root, &why) != 0)
        return no_page(why.msg, err);
    if (json_type(root) != JSON_OBJECT)
        return no_page("no JSON object", err);
    gather->more = json_get(root, "more", &item) && json_type(item) == JSON_TRUE;
    size_t before = gather->objects.n;
    if (json_get(root, "objects", &list)) { /* an empty envelope has none */
        if (json_type(list) != JSON_ARRAY)
            return no_page("objects is no list", err);
        for (struct json_iter it = json_iter(list); json_next(&it, &key, &item);)
            add(gather, item);
    }
    if (gather->more && gather->objects.n == before)
        return no_page("more is to come after nothing", err);
    return buf_check(&gather->objects, "what waits for the end of its delivery", err);
}

size_t
gather_ready(const struct gather *gather)
{
    size_t n = gather->objects.n;

    if (gather->more && (gather->whole > 0 || n <= GATHER_BYTES_MAX - GATHER_PAGE_MAX))
        return gather->whole;
    return gather->more && gather->item > 0 ? gather->item : n;
}

void
gather_drop(struct gather *gather, size_t n)
{
    struct buf *objects = &gather->objects;
    size_t at = n < objects->n ? n + 1 : n; /* the comma, too */

    memmove(objects->p, objects->p + at, objects->n - at);
    objects->n -= at;
    gather->whole = gather->item = 0;
}
