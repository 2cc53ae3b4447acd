#include "model/page.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are sent as they lie in memory");

/* Room for COUNT things of SIZE, which take at least LEAST bytes each in what is left of IN: a
 * count that the message cannot hold is refused before memory is taken for it. */
static void *
list_room(struct arena *arena, struct wire_in *in, size_t count, size_t least, size_t size)
{
    if (in->bad || count > in->n / least) {
        in->bad = true;
        return NULL;
    }
    void *list = arena_zalloc(arena, count + 1, size);
    if (list == NULL)
        in->bad = true;
    return list;
}

/* ---- collections ---- */

void
page_collections_add(struct buf *out, const struct page_collection *list, size_t count)
{
    wire_add_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct page_collection *c = &list[i];
        wire_add_u8(out, c->kind);
        wire_add_u8(out, (uint8_t)((c->can_read ? 1 : 0) | (c->can_write ? 2 : 0)));
        wire_add_text(out, c->id);
        wire_add_text(out, c->title);
        wire_add_text(out, c->description);
        wire_add_text(out, c->alias);
        wire_add_text(out, c->team);
        wire_add_u64(out, c->objects);
        wire_add_i64(out, c->last_us);
    }
}

int
page_collections_take(struct arena *arena, struct span body, struct page_collection **list,
    size_t *count, struct err *err)
{
    struct wire_in in = wire_in(body);

    *count = wire_u32(&in);
    *list = list_room(arena, &in, *count, 38, sizeof **list);
    for (size_t i = 0; !in.bad && i < *count; i++) {
        struct page_collection *c = &(*list)[i];
        c->kind = wire_u8(&in);
        uint8_t may = wire_u8(&in);
        c->can_read = (may & 1) != 0;
        c->can_write = (may & 2) != 0;
        c->id = wire_text(&in);
        c->title = wire_text(&in);
        c->description = wire_text(&in);
        c->alias = wire_text(&in);
        c->team = wire_text(&in);
        c->objects = wire_u64(&in);
        c->last_us = wire_i64(&in);
    }
    return wire_end(&in, "a list of collections", err);
}

/* ---- questions ---- */

static void
add_texts(struct buf *out, const struct span *texts, size_t count)
{
    wire_add_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        wire_add_text(out, texts[i]);
}

static const struct span *
take_texts(struct arena *arena, struct wire_in *in, size_t *count)
{
    *count = wire_u32(in);
    struct span *texts = list_room(arena, in, *count, 4, sizeof *texts);
    for (size_t i = 0; !in->bad && i < *count; i++)
        texts[i] = wire_text(in);
    return texts;
}

void
page_question_add(struct buf *out, const struct page_question *q)
{
    const struct page_filter *f = &q->filter;

    wire_add_u8(out, q->what);
    wire_add_text(out, q->collection);
    wire_add_i64(out, q->after_us);
    wire_add_u32(out, q->limit);
    add_texts(out, f->ids, f->id_count);
    add_texts(out, f->types, f->type_count);
    wire_add_text(out, (struct span){(const char *)f->specs, f->spec_count});
    wire_add_u8(out, (uint8_t)((f->first ? 1 : 0) | (f->last ? 2 : 0) | (f->all ? 4 : 0)));
    wire_add_u32(out, (uint32_t)f->named_count);
    for (size_t i = 0; i < f->named_count; i++)
        wire_add_i64(out, f->named_us[i]);
    wire_add_u8(out, q->no_bodies);
}

static void
take_versions(struct arena *arena, struct wire_in *in, struct page_filter *f)
{
    uint8_t which = wire_u8(in);

    f->first = (which & 1) != 0;
    f->last = (which & 2) != 0;
    f->all = (which & 4) != 0;
    f->named_count = wire_u32(in);
    int64_t *named = list_room(arena, in, f->named_count, 8, sizeof *named);
    for (size_t i = 0; !in->bad && i < f->named_count; i++)
        named[i] = wire_i64(in);
    f->named_us = named;
}

int
page_question_take(
    struct arena *arena, struct wire_in *in, struct page_question *q, struct err *err)
{
    struct page_filter *f = &q->filter;

    *q = (struct page_question){.what = wire_u8(in)};
    q->collection = wire_text(in);
    q->after_us = wire_i64(in);
    q->limit = wire_u32(in);
    f->ids = take_texts(arena, in, &f->id_count);
    f->types = take_texts(arena, in, &f->type_count);
    struct span specs = wire_text(in);
    f->specs = (const uint8_t *)specs.p;
    f->spec_count = specs.n;
    take_versions(arena, in, f);
    q->no_bodies = wire_u8(in) != 0;
    if (q->what > PAGE_VERSIONS || q->limit == 0 || q->limit > PAGE_LIMIT_MAX)
        in->bad = true;
    return wire_end(in, "a question for objects", err);
}

/* ---- pages ---- */

void
page_add(struct buf *out, const struct page *page)
{
    wire_add_u8(out, page->more ? 1 : 0);
    wire_add_i64(out, page->first_us);
    wire_add_i64(out, page->last_us);
    wire_add_u32(out, (uint32_t)page->run_count);
    for (size_t i = 0; i < page->run_count; i++) {
        const struct page_run *run = &page->runs[i];
        wire_add_u64(out, run->piece);
        wire_add_u32(out, run->raw_bytes);
        wire_add_u32(out, run->begin);
        wire_add_u32(out, run->end);
        wire_add_text(out, run->packed);
    }
    wire_add_u32(out, (uint32_t)page->row_count);
    for (size_t i = 0; i < page->row_count; i++) {
        wire_add_text(out, page->rows[i].id);
        wire_add_i64(out, page->rows[i].added_us);
        wire_add_i64(out, page->rows[i].version_us);
        wire_add_u8(out, page->rows[i].spec);
    }
}

static void
take_run(struct wire_in *in, struct page_run *run)
{
    run->piece = wire_u64(in);
    run->raw_bytes = wire_u32(in);
    run->begin = wire_u32(in);
    run->end = wire_u32(in);
    run->packed = wire_text(in);
    if (run->begin > run->end || run->end > run->raw_bytes || run->raw_bytes > PAGE_UNPACKED_MAX)
        in->bad = true;
}

int
page_take(struct arena *arena, struct span body, struct page *page, struct err *err)
{
    struct wire_in in = wire_in(body);

    *page = (struct page){.more = wire_u8(&in) != 0};
    page->first_us = wire_i64(&in);
    page->last_us = wire_i64(&in);
    page->run_count = wire_u32(&in);
    page->runs = list_room(arena, &in, page->run_count, 24, sizeof *page->runs);
    for (size_t i = 0; !in.bad && i < page->run_count; i++)
        take_run(&in, &page->runs[i]);
    page->row_count = wire_u32(&in);
    page->rows = list_room(arena, &in, page->row_count, 21, sizeof *page->rows);
    for (size_t i = 0; !in.bad && i < page->row_count; i++) {
        page->rows[i].id = wire_text(&in);
        page->rows[i].added_us = wire_i64(&in);
        page->rows[i].version_us = wire_i64(&in);
        page->rows[i].spec = wire_u8(&in);
    }
    return wire_end(&in, "a page of objects", err);
}

/* ---- adding ---- */

void
page_results_add(struct buf *out, const struct page_result *list, size_t count)
{
    wire_add_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_add_text(out, list[i].id);
        wire_add_text(out, list[i].version);
        wire_add_text(out, list[i].message);
    }
}

static const struct page_result *
take_results(struct arena *arena, struct wire_in *in, size_t *count)
{
    *count = wire_u32(in);
    struct page_result *list = list_room(arena, in, *count, 12, sizeof *list);
    for (size_t i = 0; !in->bad && i < *count; i++) {
        list[i].id = wire_text(in);
        list[i].version = wire_text(in);
        list[i].message = wire_text(in);
    }
    return list;
}

int
page_results_take(struct arena *arena, struct wire_in *in, struct page_result **list, size_t *count,
    struct err *err)
{
    *list = (struct page_result *)take_results(arena, in, count);
    return wire_end(in, "results of added objects", err);
}

static void
add_batch(struct buf *out, const struct page_batch *batch)
{
    wire_add_u8(out, batch != NULL);
    if (batch == NULL)
        return;
    wire_add_u64(out, batch->items);
    wire_add_text(out, (struct span){(const char *)batch->root.bytes, sizeof batch->root.bytes});
    wire_add_u32(out, batch->stored);
    wire_add_u32(out, batch->duplicate);
    wire_add_u32(out, batch->rejected);
}

static int
take_batch(struct arena *arena, struct wire_in *in, const struct page_batch **out, struct err *err)
{
    *out = NULL;
    if (wire_u8(in) == 0)
        return 0;
    struct page_batch *batch = arena_zalloc(arena, 1, sizeof *batch);
    if (batch == NULL)
        return arena_full(err, "objects to be added");
    batch->items = wire_u64(in);
    struct span root = wire_text(in);
    if (root.n == sizeof batch->root.bytes)
        memcpy(batch->root.bytes, root.p, root.n);
    else
        in->bad = true;
    batch->stored = wire_u32(in);
    batch->duplicate = wire_u32(in);
    batch->rejected = wire_u32(in);
    *out = batch;
    return 0;
}

void
page_add_question_add(struct buf *out, const struct page_add_question *q)
{
    wire_add_text(out, q->collection);
    wire_add_i64(out, q->since_us);
    wire_add_u32(out, (uint32_t)q->object_count);
    for (size_t i = 0; i < q->object_count; i++) {
        wire_add_text(out, q->objects[i].id);
        wire_add_i64(out, q->objects[i].version_us);
        wire_add_u8(out, q->objects[i].spec);
        wire_add_text(out, q->objects[i].json);
        add_batch(out, q->objects[i].batch);
    }
    page_results_add(out, q->results, q->result_count);
}

int
page_add_question_take(
    struct arena *arena, struct wire_in *in, struct page_add_question *q, struct err *err)
{
    *q = (struct page_add_question){.collection = wire_text(in)};
    q->since_us = wire_i64(in);
    q->object_count = wire_u32(in);
    struct page_object *objects = list_room(arena, in, q->object_count, 18, sizeof *objects);
    int rc = 0;
    for (size_t i = 0; rc == 0 && !in->bad && i < q->object_count; i++) {
        objects[i].id = wire_text(in);
        objects[i].version_us = wire_i64(in);
        objects[i].spec = wire_u8(in);
        objects[i].json = wire_text(in);
        rc = take_batch(arena, in, &objects[i].batch, err);
    }
    if (rc != 0)
        return rc;
    q->objects = objects;
    q->results = take_results(arena, in, &q->result_count);
    return wire_end(in, "objects to be added", err);
}
