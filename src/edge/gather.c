#include "edge/gather.h"

#include "base/time.h"
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
    bool ends = span_equal(type, SPAN(STIX_BATCH_TYPE));

    if (ends && gather->parted) {
        gather->parted = false;
        gather->whole = gather->objects.n;
        return;
    }
    if (gather->objects.n > 0)
        buf_add_char(&gather->objects, ',');
    json_add_value(&gather->objects, object);
    if (span_equal(type, SPAN("observed-data")) || span_equal(type, SPAN("note")))
        gather->item = gather->objects.n;
    if (ends)
        gather->whole = gather->objects.n;
}

static bool
is_true(struct json_value object, const char *name)
{
    struct json_value v;

    return json_get(object, name, &v) && json_type(v) == JSON_TRUE;
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
    gather->more = is_true(root, "more");
    bool any = false;
    if (json_get(root, "objects", &list)) { /* an empty envelope has none */
        if (json_type(list) != JSON_ARRAY)
            return no_page("objects is no list", err);
        for (struct json_iter it = json_iter(list); json_next(&it, &key, &item); any = true)
            add(gather, item);
    }
    if (gather->more && !any)
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

/* The date of the first object of a manifest. */
static bool
first_date(struct json_value root, int64_t *out)
{
    struct json_value list;
    struct json_value item;
    struct json_value date;
    struct span key;

    if (!json_get(root, "objects", &list) || json_type(list) != JSON_ARRAY)
        return false;
    struct json_iter it = json_iter(list);
    return json_next(&it, &key, &item) && json_type(item) == JSON_OBJECT
        && json_get(item, "date_added", &date) && json_type(date) == JSON_STRING
        && time_parse(json_string(date), out, NULL) == 0;
}

int
gather_skip(
    struct gather *gather, struct json *json, struct span body, int64_t *at_us, struct err *err)
{
    struct json_value root;
    int64_t date_us;

    if (json_parse_copy(json, body, &root, NULL) != 0 || json_type(root) != JSON_OBJECT
        || !first_date(root, &date_us) || date_us <= *at_us)
        return err_set(err, ERR_BAD_ANSWER,
            "an object of it is too large, and its manifest does not say of when that is");
    gather->more = is_true(root, "more");
    gather->parted = true;
    *at_us = date_us;
    return 0;
}

void
gather_drop(struct gather *gather, size_t n)
{
    struct buf *objects = &gather->objects;
    size_t at = n < objects->n ? n + 1 : n; /* the comma, too */

    gather->parted = gather->parted || (gather->more && n > gather->whole);
    memmove(objects->p, objects->p + at, objects->n - at);
    objects->n -= at;
    gather->whole = gather->item = 0;
}
