#include "edge/taxii_query.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/time.h"
#include "base/wire.h"

enum { NEXT_HEAD = 16, FILTERS_MAX = 2048 };
/* Changed with the form of `next`, so that one of another form does not fit. */
#define NEXT_SEED UINT64_C(0x636f6d6974790001)

/* ---- next ---- */

static uint64_t
next_check(uint64_t after, struct span filters)
{
    return hash_bytes(filters.p, filters.n, hash_fold(after, NEXT_SEED, NEXT_SEED));
}

void
taxii_query_next(struct buf *out, const struct taxii_query *query, int64_t after_us)
{
    char bytes[NEXT_HEAD + FILTERS_MAX];
    size_t n = query->filters.n < FILTERS_MAX ? query->filters.n : FILTERS_MAX;

    wire_put(bytes, (uint64_t)after_us, 8);
    wire_put(bytes + 8, next_check((uint64_t)after_us, query->filters), 8);
    if (n > 0)
        memcpy(bytes + NEXT_HEAD, query->filters.p, n);
    base64_add_url(out, bytes, NEXT_HEAD + n);
}

bool
taxii_query_next_read(
    struct arena *arena, struct span next, int64_t *after_us, struct span *filters)
{
    char *bytes = next.n > TAXII_NEXT_MAX ? NULL : arena_alloc(arena, next.n + 1);
    size_t n;

    if (bytes == NULL || !base64_read_url(next, bytes, next.n, &n))
        return false;
    struct wire_in in = wire_in((struct span){bytes, n});
    *after_us = wire_i64(&in);
    uint64_t check = wire_u64(&in);
    *filters = (struct span){in.p, in.n};
    return !in.bad && check == next_check((uint64_t)*after_us, *filters);
}

/* ---- filters ---- */

struct reading {
    struct arena *arena;
    struct err *err;
    int rc;
    struct taxii_query *out;
    struct span *texts; /* of the filter that is being read */
    size_t count;
    bool seen; /* the parameter was there already */
    const char *name;
};

static int
bad(struct reading *r, enum err_code code, const char *text)
{
    if (r->rc == 0)
        r->rc = err_set_field(r->err, code, r->name, strlen(r->name), "%s: %s", r->name, text);
    return r->rc;
}

/* A comma is an OR (3.4): its parts, empty ones aside. */
static void
split_values(void *ctx, struct span value)
{
    struct reading *r = ctx;
    struct span part;

    if (r->seen)
        (void)bad(r, ERR_BAD_VALUE,
            "the parameter is there twice; several values are separated by commas");
    r->seen = true;
    if (r->texts == NULL)
        r->texts = arena_zalloc(r->arena, PAGE_FILTER_MAX, sizeof *r->texts);
    if (r->texts == NULL && r->rc == 0)
        r->rc = arena_full(r->err, "a request's filters");
    while (r->rc == 0 && span_next(&value, ',', &part)) {
        part = span_trim(part);
        if (part.n == 0)
            continue;
        if (r->count == PAGE_FILTER_MAX)
            (void)bad(r, ERR_LIMIT, "too many values");
        else
            r->texts[r->count++] = part;
    }
}

/* The values of parameter NAME, in the order in which they stand there. */
static const struct span *
values(const struct request *request, struct reading *r, const char *name, size_t *count)
{
    r->name = name;
    r->seen = false;
    r->count = 0;
    r->texts = NULL; /* most requests have none */
    request_query_each(request, name, split_values, r);
    *count = r->count;
    return r->texts;
}

static void
read_specs(struct reading *r, const struct span *texts, size_t count)
{
    uint8_t *specs = arena_alloc(r->arena, count + 1);

    r->out->filter.specs = specs;
    for (size_t i = 0; r->rc == 0 && i < count; i++) {
        if (specs == NULL)
            r->rc = arena_full(r->err, "a request's filters");
        else if (span_equal(texts[i], SPAN("2.1")))
            specs[r->out->filter.spec_count++] = 21;
        else if (span_equal(texts[i], SPAN("2.0")))
            specs[r->out->filter.spec_count++] = 20;
        else
            /* A version that nobody knows matches nothing. */
            specs[r->out->filter.spec_count++] = 0;
    }
}

static void
read_versions(struct reading *r, const struct span *texts, size_t count)
{
    struct page_filter *f = &r->out->filter;
    int64_t *named = arena_zalloc(r->arena, count + 1, sizeof *named);

    f->named_us = named;
    for (size_t i = 0; r->rc == 0 && i < count; i++) {
        if (span_equal(texts[i], SPAN("first")))
            f->first = true;
        else if (span_equal(texts[i], SPAN("last")))
            f->last = true;
        else if (span_equal(texts[i], SPAN("all")))
            f->all = true;
        else if (named == NULL)
            r->rc = arena_full(r->err, "a request's filters");
        else if (time_parse(texts[i], &named[f->named_count++], NULL) != 0)
            (void)bad(
                r, ERR_BAD_VALUE, "each version is first, last, all or a time as RFC 3339 has it");
    }
}

/* ---- the whole ---- */

static void
add_list(struct buf *out, const char *name, const struct span *texts, size_t count)
{
    if (count == 0)
        return;
    buf_format(out, "&%s=", name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        buf_add_span(out, texts[i]);
    }
}

static int
read_filters(const struct request *request, struct reading *r, enum page_what what,
    struct span collection, struct span id)
{
    struct page_filter *f = &r->out->filter;
    struct buf text = buf_new(FILTERS_MAX);
    size_t specs;
    size_t versions;
    const struct span *spec_texts;
    const struct span *version_texts;

    f->ids = values(request, r, "match[id]", &f->id_count);
    f->types = r->rc == 0 ? values(request, r, "match[type]", &f->type_count) : NULL;
    spec_texts = r->rc == 0 ? values(request, r, "match[spec_version]", &specs) : NULL;
    version_texts = r->rc == 0 ? values(request, r, "match[version]", &versions) : NULL;
    if (r->rc != 0)
        return r->rc;
    r->name = "match[spec_version]";
    read_specs(r, spec_texts, specs);
    r->name = "match[version]";
    read_versions(r, version_texts, versions);
    static const char *const words[] = {"o", "m", "v"};
    buf_format(&text, "%s&", words[what]);
    buf_add_span(&text, collection);
    add_list(&text, "p", &id, id.n > 0);
    add_list(&text, "i", f->ids, f->id_count);
    add_list(&text, "t", f->types, f->type_count);
    add_list(&text, "s", spec_texts, specs);
    add_list(&text, "v", version_texts, versions);
    if (text.full)
        (void)bad(r, ERR_LIMIT, "the filters are longer than 2 KiB; ask in several requests");
    r->out->filters.p = arena_copy(r->arena, text.p, text.n);
    r->out->filters.n = text.n;
    if (r->rc == 0 && r->out->filters.p == NULL)
        r->rc = arena_full(r->err, "a request's filters");
    buf_free(&text);
    return r->rc;
}

struct single {
    size_t count;
    struct span value;
};

static void
count_one(void *ctx, struct span value)
{
    struct single *s = ctx;

    s->count++;
    s->value = value;
}

/* The one value of NAME; n 0 when it is not there or empty. */
static struct span
single(const struct request *request, struct reading *r, const char *name)
{
    struct single s = {0, {NULL, 0}};

    r->name = name;
    request_query_each(request, name, count_one, &s);
    if (s.count > 1)
        (void)bad(r, ERR_BAD_VALUE, "the parameter is there twice");
    return s.value;
}

/* Clients that page through with a page size of 0 mean the server's own. */
static void
read_limit(const struct request *request, struct reading *r, uint32_t page_max)
{
    struct span text = single(request, r, "limit");
    uint64_t limit;

    r->out->limit = page_max;
    if (text.n == 0 || r->rc != 0 || span_equal(text, SPAN("0")))
        return;
    if (!span_u64(text, &limit))
        (void)bad(r, ERR_BAD_VALUE, "a positive number is wanted");
    else
        r->out->limit = limit > page_max ? page_max : (uint32_t)limit;
}

static void
read_place(const struct request *request, struct reading *r)
{
    struct span after = single(request, r, "added_after");
    struct span next = single(request, r, "next");
    struct span filters;
    int64_t next_us;

    r->out->after_us = INT64_MIN;
    r->name = "added_after";
    if (r->rc == 0 && after.n > 0 && time_parse(after, &r->out->after_us, r->err) != 0)
        (void)bad(r, ERR_BAD_TIME,
            "a time as RFC 3339 has it is wanted, such as 2026-11-25T12:00:00.000000Z");
    if (r->rc != 0 || next.n == 0)
        return;
    r->name = "next";
    if (!taxii_query_next_read(r->arena, next, &next_us, &filters))
        (void)bad(r, ERR_BAD_VALUE, "it is none that this server gave, or it was altered");
    else if (!span_equal(filters, r->out->filters))
        (void)bad(r, ERR_BAD_VALUE, "it belongs to a request with other filters");
    else if (next_us > r->out->after_us)
        r->out->after_us = next_us;
}

int
taxii_query_read(const struct request *request, struct arena *arena, enum page_what what,
    struct span collection, struct span id, uint32_t page_max, struct taxii_query *out,
    struct err *err)
{
    struct reading r = {.arena = arena, .err = err, .out = out};

    *out = (struct taxii_query){.after_us = INT64_MIN};
    read_limit(request, &r, page_max);
    if (r.rc == 0)
        (void)read_filters(request, &r, what, collection, id);
    if (r.rc == 0)
        read_place(request, &r);
    return r.rc;
}
