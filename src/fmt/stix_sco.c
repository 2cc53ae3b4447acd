#include "fmt/stix_sco.h"

#include "base/hash.h"

#include <stdlib.h>

static const struct {
    struct span word;
    enum stix_sco_type type;
} types[] = {{{"ipv4-addr", 9}, SCO_ADDRESS}, {{"ipv6-addr", 9}, SCO_ADDRESS},
    {{"network-traffic", 15}, SCO_TRAFFIC}, {{"domain-name", 11}, SCO_DOMAIN},
    {{"url", 3}, SCO_URL}, {{"autonomous-system", 17}, SCO_ASN}, {{"email-addr", 10}, SCO_EMAIL},
    {{"user-account", 12}, SCO_ACCOUNT}, {{"file", 4}, SCO_FILE}, {{"mac-addr", 8}, SCO_MAC},
    {{"artifact", 8}, SCO_OTHER}, {{"directory", 9}, SCO_OTHER}, {{"email-message", 13}, SCO_OTHER},
    {{"mutex", 5}, SCO_OTHER}, {{"process", 7}, SCO_OTHER}, {{"software", 8}, SCO_OTHER},
    {{"windows-registry-key", 20}, SCO_OTHER}, {{"x509-certificate", 16}, SCO_OTHER}};

enum stix_sco_type
stix_sco_type(struct span type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (span_equal(type, types[i].word))
            return types[i].type;
    return SCO_NONE;
}

bool
stix_sco_is_read(enum stix_sco_type type, struct span member)
{
    static const char *const read[] = {[SCO_ADDRESS] = "value belongs_to_refs",
        [SCO_ASN] = "number",
        [SCO_DOMAIN] = "value resolves_to_refs",
        [SCO_URL] = "value",
        [SCO_EMAIL] = "value",
        [SCO_ACCOUNT] = "account_login",
        [SCO_FILE] = "hashes name",
        [SCO_MAC] = "value",
        [SCO_TRAFFIC] = "src_ref dst_ref src_port dst_port protocols",
        [SCO_OTHER] = ""};
    struct span rest = SPAN("type id spec_version defanged ");
    struct span word;

    while (span_next(&rest, ' ', &word))
        if (span_equal(word, member))
            return true;
    rest = type == SCO_NONE ? (struct span){NULL, 0} : span_of(read[type]);
    while (span_next(&rest, ' ', &word))
        if (span_equal(word, member))
            return true;
    return false;
}

static struct span
text_of(struct json_value v)
{
    return json_type(v) == JSON_STRING ? json_string(v) : (struct span){NULL, 0};
}

static int64_t
number_of(struct json_value v)
{
    return json_type(v) == JSON_INT ? json_int(v) : -1;
}

/* Texts of an array, at most ROOM; MORE is set if there are others. */
static void
read_list(struct json_value v, struct span *out, size_t room, bool *more)
{
    struct json_value item;
    struct span key;
    size_t n = 0;

    if (json_type(v) != JSON_ARRAY) {
        *more = true;
        return;
    }
    for (struct json_iter it = json_iter(v); json_next(&it, &key, &item);) {
        if (n < room && json_type(item) == JSON_STRING)
            out[n++] = json_string(item);
        else
            *more = true;
    }
}

static void
read_hashes(struct json_value v, struct stix_sco *out)
{
    struct json_value item;
    struct span key;

    if (json_type(v) != JSON_OBJECT) {
        out->more = true;
        return;
    }
    for (struct json_iter it = json_iter(v); json_next(&it, &key, &item);) {
        int which = span_equal_nocase(key, SPAN("MD5")) ? SCO_MD5
            : span_equal_nocase(key, SPAN("SHA-1")) || span_equal_nocase(key, SPAN("SHA1"))
            ? SCO_SHA1
            : span_equal_nocase(key, SPAN("SHA-256")) || span_equal_nocase(key, SPAN("SHA256"))
            ? SCO_SHA256
            : SCO_HASH;
        if (out->hashes[which].n > 0)
            out->more = true;
        else
            out->hashes[which] = text_of(item);
    }
}

static bool
read_traffic(struct stix_sco *out, struct span key, struct json_value v)
{
    if (span_equal(key, SPAN("src_ref")))
        out->src = text_of(v);
    else if (span_equal(key, SPAN("dst_ref")))
        out->dst = text_of(v);
    else if (span_equal(key, SPAN("src_port")))
        out->src_port = number_of(v);
    else if (span_equal(key, SPAN("dst_port")))
        out->dst_port = number_of(v);
    else if (span_equal(key, SPAN("protocols")))
        read_list(v, out->protocols, 4, &out->more);
    else
        return false;
    return true;
}

static void
read_member(struct stix_sco *out, struct span key, struct json_value v)
{
    if (!stix_sco_is_read((enum stix_sco_type)out->type, key)) {
        out->more = true;
        return;
    }
    if (out->type == SCO_TRAFFIC && read_traffic(out, key, v))
        return;
    if (span_equal(key, SPAN("value")) || span_equal(key, SPAN("account_login"))
        || span_equal(key, SPAN("name")))
        out->value = text_of(v);
    else if (span_equal(key, SPAN("number")))
        out->number = number_of(v);
    else if (span_equal(key, SPAN("hashes")))
        read_hashes(v, out);
    else if (span_ends(key, SPAN("_to_refs")))
        read_list(v, &out->src, 1, &out->more);
}

void
stix_sco_read(struct json_value object, struct span id, struct stix_sco *out)
{
    struct json_value v;
    struct span key;
    struct span type = json_get(object, "type", &v) ? text_of(v) : (struct span){NULL, 0};

    *out = (struct stix_sco){.id = id,
        .src_port = -1,
        .dst_port = -1,
        .number = -1,
        .type = (uint8_t)stix_sco_type(type)};
    for (struct json_iter it = json_iter(object); json_next(&it, &key, &v);)
        read_member(out, key, v);
}

struct stix_sco_store {
    struct arena *arena;
    struct table *ids;
    struct stix_sco **at; /* by index in ids */
    size_t used;
    bool lossy;
};

static bool
clear(struct stix_sco_store *store)
{
    table_free(store->ids);
    arena_free(store->arena);
    store->ids = table_new(STIX_SCO_COUNT);
    store->arena = arena_new(STIX_SCO_BYTES);
    return store->ids != NULL && store->arena != NULL;
}

struct stix_sco_store *
stix_sco_store_new(void)
{
    struct stix_sco_store *store = calloc(1, sizeof *store);

    if (store == NULL)
        return NULL;
    store->at = calloc(STIX_SCO_COUNT, sizeof(struct stix_sco *));
    if (store->at == NULL || !clear(store)) {
        stix_sco_store_free(store);
        return NULL;
    }
    return store;
}

void
stix_sco_store_free(struct stix_sco_store *store)
{
    if (store == NULL)
        return;
    table_free(store->ids);
    arena_free(store->arena);
    free(store->at);
    free(store);
}

static bool
copy_text(struct arena *arena, struct span *text)
{
    if (text->n == 0)
        return true;
    text->p = arena_copy(arena, text->p, text->n);
    return text->p != NULL;
}

static bool
copy_texts(struct arena *arena, struct stix_sco *sco)
{
    bool good = copy_text(arena, &sco->id) && copy_text(arena, &sco->raw)
        && copy_text(arena, &sco->value) && copy_text(arena, &sco->src)
        && copy_text(arena, &sco->dst);

    for (size_t i = 0; i < 4; i++)
        good = good && copy_text(arena, &sco->protocols[i]);
    for (size_t i = 0; i < SCO_HASHES; i++)
        good = good && copy_text(arena, &sco->hashes[i]);
    return good;
}

static bool
put(struct stix_sco_store *store, const struct stix_sco *sco)
{
    struct stix_sco *copy = arena_alloc(store->arena, sizeof *copy);
    uint32_t index;

    if (copy == NULL)
        return false;
    *copy = *sco;
    copy->fresh = true;
    if (!copy_texts(store->arena, copy) || table_add(store->ids, copy->id, &index, NULL) != 0)
        return false;
    store->at[index] = copy;
    return true;
}

/* Keep only what nobody used yet. */
static bool
forget_used(struct stix_sco_store *store)
{
    struct table *ids = store->ids;
    struct arena *arena = store->arena;
    size_t count = table_count(ids);
    size_t kept = 0;
    bool good;

    /* Copying pays only if much becomes free: otherwise each addition would copy all. */
    store->lossy = true;
    if (store->used < count / 4)
        return false;
    store->used = 0;
    store->ids = NULL;
    store->arena = NULL;
    good = clear(store);
    for (size_t i = 0; i < count; i++) {
        struct stix_sco *sco = store->at[i];
        if (good && (!sco->used || sco->fresh)) {
            good = put(store, sco);
            kept++;
        }
    }
    table_free(ids);
    arena_free(arena);
    return good && kept < count;
}

int
stix_sco_store_add(struct stix_sco_store *store, const struct stix_sco *sco, struct err *err)
{
    struct stix_sco *old = stix_sco_store_find(store, sco->id);

    if (old != NULL && span_equal(old->raw, sco->raw)) {
        store->used -= old->used && !old->fresh;
        old->fresh = true;
        return 0;
    }
    if (store->arena != NULL && put(store, sco))
        return 0;
    if (store->arena != NULL && forget_used(store) && put(store, sco))
        return 0;
    store->lossy = true;
    return arena_full(err, "keeping observables for the observed-data that refer to them");
}

struct stix_sco *
stix_sco_store_find(const struct stix_sco_store *store, struct span id)
{
    int64_t index = store->ids == NULL ? -1 : table_find(store->ids, id);

    return index < 0 ? NULL : store->at[index];
}

void
stix_sco_store_use(struct stix_sco_store *store, struct stix_sco *sco)
{
    store->used += !sco->used || sco->fresh;
    sco->used = true;
    sco->fresh = false;
}

bool
stix_sco_store_lossy(const struct stix_sco_store *store)
{
    return store->lossy;
}

size_t
stix_sco_store_count(const struct stix_sco_store *store)
{
    return store->ids == NULL ? 0 : table_count(store->ids);
}

struct stix_sco *
stix_sco_store_at(const struct stix_sco_store *store, size_t i)
{
    return store->at[i];
}
