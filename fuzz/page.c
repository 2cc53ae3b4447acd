/* What a broken role might say of pages and feeds, and what a client may give as `next` or Accept:
 * nothing is read beyond its end, and what is read well says the same when it is written again. */
#include "fuzz.h"

#include "edge/misp_event.h"
#include "edge/taxii_media.h"
#include "edge/taxii_pieces.h"
#include "edge/taxii_query.h"

static void
pages(struct arena *arena, struct span bytes)
{
    struct page page;
    struct err err;
    struct buf again = buf_new((size_t)64 << 20);

    if (page_take(arena, bytes, &page, &err) == 0) {
        struct taxii_pieces *pieces = taxii_pieces_new(1 << 20);
        struct buf out = buf_new((size_t)16 << 20);
        page_add(&again, &page);
        MUST(again.n == bytes.n);
        (void)!taxii_pieces_join(pieces, &page, &out, &err);
        buf_free(&out);
        taxii_pieces_free(pieces);
    }
    buf_free(&again);
}

static void
questions(struct arena *arena, struct span bytes)
{
    struct page_question question;
    struct page_add_question add;
    struct page_collection *list;
    struct feed_manifest manifest;
    struct feed_part part;
    struct err err;
    size_t count;
    struct wire_in in = wire_in(bytes);

    (void)!page_question_take(arena, &in, &question, &err);
    in = wire_in(bytes);
    (void)!page_add_question_take(arena, &in, &add, &err);
    (void)!page_collections_take(arena, bytes, &list, &count, &err);
    (void)!feed_manifest_take(arena, bytes, &manifest, &err);
    (void)!feed_part_take(arena, bytes, &part, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct span bytes = {(const char *)data, size};
    struct span filters;
    int64_t us;

    MUST(arena != NULL);
    pages(arena, bytes);
    questions(arena, bytes);
    (void)taxii_query_next_read(arena, bytes, &us, &filters);
    (void)taxii_media_accepted(bytes);
    (void)misp_event_first(bytes, SPAN("c"), &us);
    arena_free(arena);
    return 0;
}
