#include "edge/taxii_batch.h"

#include "base/base64.h"
#include "fmt/items.h"
#include "fmt/stix_batch.h"

/* What is being computed: the items from BEGIN on, up to the batch's object. */
struct range {
    struct json_iter begin;
    size_t first;
    struct items_salt salt;
    struct merkle_tree tree;
    struct buf canonical;
};

static bool
is_type(struct json_value object, const char *type)
{
    struct json_value v;

    return json_get(object, "type", &v) && json_type(v) == JSON_STRING
        && span_equal(json_string(v), span_of(type));
}

static bool
is_item(struct json_value object)
{
    return is_type(object, "observed-data") || is_type(object, "note");
}

static size_t
count_batches(struct json_value list)
{
    struct json_iter it = json_iter(list);
    struct json_value item;
    struct span key;
    size_t count = 0;

    while (json_next(&it, &key, &item))
        count += is_type(item, STIX_BATCH_TYPE);
    return count;
}

static bool
read_salt(struct json_value object, struct items_salt *out)
{
    struct json_value v;

    return json_get(object, "salt", &v) && json_type(v) == JSON_STRING
        && base64_exact(json_string(v), out->bytes, sizeof out->bytes);
}

static int
add_item(struct range *range, struct json_value item, struct err *err)
{
    struct merkle_hash made[MERKLE_LEVELS];
    struct merkle_hash leaf;
    struct items_salt salt;

    range->canonical.n = 0;
    int rc = items_canonical_value(item, &range->canonical, err);
    if (rc != 0)
        return rc;
    items_salt_of(&range->salt, range->tree.size, &salt);
    items_leaf(&salt, buf_span(&range->canonical), &leaf);
    (void)merkle_add(&range->tree, &leaf, made);
    return 0;
}

/* The items of the object at position AT, which are posted from range->first on. */
static int
read_range(struct range *range, struct posted *posted, size_t at, struct err *err)
{
    struct posted_batches *batches = &posted->batches;
    struct json_iter it = range->begin;
    struct json_value item;
    struct span key;
    int rc = 0;

    range->tree.size = 0;
    for (size_t i = range->first; rc == 0 && i < at && json_next(&it, &key, &item); i++) {
        if (!is_item(item))
            continue;
        batches->of[i] = (uint32_t)batches->count;
        rc = add_item(range, item, err);
    }
    struct page_batch *batch = &batches->list[batches->count];
    batch->items = range->tree.size;
    merkle_root(&range->tree, &batch->root);
    return rc;
}

static int
read_all(struct json_value list, struct posted *posted, struct range *range, struct err *err)
{
    struct json_iter it = json_iter(list);
    struct json_value item;
    struct span key;
    int rc = 0;

    range->begin = it;
    for (size_t i = 0; rc == 0 && json_next(&it, &key, &item); i++) {
        if (!is_type(item, STIX_BATCH_TYPE))
            continue;
        if (read_salt(item, &range->salt)) {
            rc = read_range(range, posted, i, err);
            posted->objects[i].batch = &posted->batches.list[posted->batches.count++];
        }
        range->begin = it;
        range->first = i + 1;
    }
    return rc;
}

int
taxii_batch_read(
    struct arena *arena, struct json_value list, struct posted *posted, struct err *err)
{
    size_t count = count_batches(list);
    struct posted_batches *batches = &posted->batches;
    struct range range = {.canonical = buf_new(ITEMS_BYTES_MAX)};

    if (count == 0)
        return 0;
    batches->list = arena_zalloc(arena, count, sizeof *batches->list);
    batches->of = arena_alloc(arena, posted->count * sizeof *batches->of);
    if (batches->list == NULL || batches->of == NULL)
        return arena_full(err, "a request's batches");
    for (size_t i = 0; i < posted->count; i++)
        batches->of[i] = POSTED_NO_BATCH;
    int rc = read_all(list, posted, &range, err);
    buf_free(&range.canonical);
    explicit_bzero(&range.salt, sizeof range.salt);
    return rc;
}

void
taxii_batch_rejected(struct posted *posted)
{
    const struct posted_batches *batches = &posted->batches;

    for (size_t i = 0; batches->of != NULL && i < posted->count; i++)
        if (batches->of[i] != POSTED_NO_BATCH && posted->results[i].message.n > 0)
            batches->list[batches->of[i]].rejected++;
}
