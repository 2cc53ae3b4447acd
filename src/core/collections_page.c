/* Pages of a collection's objects, and taking objects out (TAXII 2.1, sections 5.3 to 5.8). */
#include "core/collections.h"

static const struct store_collection *
find(struct collections *c, const struct asker *asker, struct span name, unsigned wanted,
    struct err *err)
{
    unsigned may;
    const struct store_collection *at = collections_find(c, name, asker, &may);

    if (at == NULL)
        (void)err_set(err, ERR_NOT_FOUND, "there is no such collection");
    else if ((may & wanted) != wanted)
        (void)err_set(err, ERR_NOT_ALLOWED, "the collection is not for you to %s",
            (wanted & COLLECTION_WRITE) != 0 ? "change" : "read");
    return at != NULL && (may & wanted) == wanted ? at : NULL;
}

static void
query_of(uint32_t collection, const struct page_question *q, struct store_page_query *out)
{
    const struct page_filter *f = &q->filter;

    *out = (struct store_page_query){.collection = collection,
        .after_us = q->after_us,
        .limit = q->limit,
        .ids = f->ids,
        .id_count = f->id_count,
        .types = f->types,
        .type_count = f->type_count,
        .specs = f->specs,
        .spec_count = f->spec_count,
        .named_us = f->named_us,
        .named_count = f->named_count};
    out->no_bodies = q->no_bodies;
    out->rows_only = q->what != PAGE_OBJECTS;
    out->runs_only = q->what == PAGE_OBJECTS;
    out->versions = (uint8_t)((f->first ? VERSIONS_FIRST : 0) | (f->last ? VERSIONS_LAST : 0)
        | (f->all ? VERSIONS_ALL : 0) | (f->named_count > 0 ? VERSIONS_NAMED : 0));
}

/* Runs as the front wants them: each piece once, and none that it has. Returns the bytes of pieces.
 */
static size_t
runs_of(const struct store_page *from, struct page *to)
{
    size_t bytes = 0;

    for (size_t i = 0; i < from->run_count; i++) {
        const struct store_run *run = &from->runs[i];
        bool sent = false;
        for (size_t k = 0; !sent && k < i; k++)
            sent = from->runs[k].piece == run->piece;
        to->runs[i] = (struct page_run){.piece = run->piece,
            .packed = sent ? (struct span){NULL, 0} : run->packed,
            .raw_bytes = run->raw_bytes,
            .begin = run->begin,
            .end = run->end};
        bytes += to->runs[i].packed.n;
    }
    to->run_count = from->run_count;
    return bytes;
}

static void
rows_of(const struct store_page *from, struct page *to)
{
    for (size_t i = 0; i < from->row_count; i++)
        to->rows[i] = (struct page_row){
            from->rows[i].id, from->rows[i].added_us, from->rows[i].version_us, from->rows[i].spec};
    to->row_count = from->row_count;
}

static size_t
raw_bytes(const struct store_page *page)
{
    size_t n = 0;

    for (size_t i = 0; i < page->run_count; i++)
        n += page->runs[i].end - page->runs[i].begin;
    return n;
}

/* No front unpacks it. */
static bool
has_giant(const struct store_page *page)
{
    for (size_t i = 0; i < page->run_count; i++)
        if (page->runs[i].raw_bytes > PAGE_UNPACKED_MAX)
            return true;
    return false;
}

static int
answer(const struct page_question *q, const struct store_page *from, struct arena *arena,
    struct buf *out, bool *too_large, struct err *err)
{
    struct page page = {.more = from->more};
    bool objects = q->what == PAGE_OBJECTS;
    bool giant = objects && has_giant(from);

    page.runs = arena_zalloc(arena, from->run_count + 1, sizeof *page.runs);
    page.rows = arena_zalloc(arena, objects ? 1 : from->row_count + 1, sizeof *page.rows);
    if (page.runs == NULL || page.rows == NULL)
        return arena_full(err, "a page of objects");
    page.first_us = from->first_us;
    page.last_us = from->last_us;
    if (!objects)
        rows_of(from, &page);
    *too_large = objects
        && (runs_of(from, &page) > PAGE_PACKED_MAX || raw_bytes(from) > PAGE_UNPACKED_MAX || giant);
    if (*too_large && from->row_count > 1)
        return 0;
    if (giant)
        return err_set(err, ERR_LIMIT,
            "the next object is too large to be given; its manifest says of when it is");
    page_add(out, &page);
    return buf_check(out, "a page of objects", err);
}

/* A page of many large objects, or from many large pieces, does not fit a message: fewer do. */
int
collections_page(struct collections *c, const struct asker *asker, const struct page_question *q,
    struct arena *arena, struct buf *out, struct err *err)
{
    const struct store_collection *at = find(c, asker, q->collection, COLLECTION_READ, err);
    struct store_page_query query;
    bool too_large = true;
    int rc = 0;

    if (at == NULL)
        return (int)err->code;
    query_of(at->number, q, &query);
    while (rc == 0 && too_large) {
        struct store_page page;
        rc = store_page(collections_store(c), arena, &query, &page, err);
        if (rc == 0)
            rc = answer(q, &page, arena, out, &too_large, err);
        if (too_large && page.row_count <= 1)
            break;
        query.limit = query.limit > 1 ? query.limit / 2 : 1;
    }
    return rc;
}

int
collections_remove(struct collections *c, const struct asker *asker, const struct page_question *q,
    struct arena *arena, struct err *err)
{
    const struct store_collection *at =
        find(c, asker, q->collection, COLLECTION_READ | COLLECTION_WRITE, err);
    struct store_page_query query;
    uint64_t count = 0;

    (void)arena;
    if (at == NULL)
        return (int)err->code;
    if (asker->kind == PRINCIPAL_PARTNER)
        return err_set(err, ERR_NOT_ALLOWED,
            "only the node's own people take objects out; ask them, or post a version that is "
            "revoked");
    query_of(at->number, q, &query);
    int rc = store_remove(collections_store(c), &query, &count, err);
    if (rc == 0 && count == 0)
        rc = err_set(err, ERR_NOT_FOUND, "the collection has no such object");
    return rc;
}
