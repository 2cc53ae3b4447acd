#include "edge/taxii_pieces.h"

#include <stdlib.h>
#include <zstd.h>

struct piece {
    char *body;
    uint32_t n;
    uint64_t used; /* when it was used last, in joins */
};

enum { PIECES_MAX = 4096 };

struct taxii_pieces {
    uint64_t numbers[PIECES_MAX]; /* apart, as they are searched */
    struct piece pieces[PIECES_MAX];
    size_t count;
    size_t bytes;
    size_t max_bytes;
    uint64_t now;
    uint64_t rested; /* when it was asked whether somebody joins */
    ZSTD_DCtx *unpacker;
};

struct taxii_pieces *
taxii_pieces_new(size_t max_bytes)
{
    struct taxii_pieces *pieces = calloc(1, sizeof *pieces);

    if (pieces == NULL)
        return NULL;
    pieces->max_bytes = max_bytes;
    pieces->unpacker = ZSTD_createDCtx();
    if (pieces->unpacker == NULL) {
        free(pieces);
        return NULL;
    }
    return pieces;
}

void
taxii_pieces_free(struct taxii_pieces *pieces)
{
    if (pieces == NULL)
        return;
    for (size_t i = 0; i < pieces->count; i++)
        free(pieces->pieces[i].body);
    (void)ZSTD_freeDCtx(pieces->unpacker);
    free(pieces);
}

size_t
taxii_pieces_bytes(const struct taxii_pieces *pieces)
{
    return pieces == NULL ? 0 : pieces->bytes;
}

static struct piece *
find(struct taxii_pieces *pieces, uint64_t number)
{
    for (size_t i = 0; i < pieces->count; i++)
        if (pieces->numbers[i] == number)
            return &pieces->pieces[i];
    return NULL;
}

static void
drop(struct taxii_pieces *pieces, size_t i)
{
    free(pieces->pieces[i].body);
    pieces->bytes -= pieces->pieces[i].n;
    pieces->count--;
    pieces->pieces[i] = pieces->pieces[pieces->count];
    pieces->numbers[i] = pieces->numbers[pieces->count];
}

void
taxii_pieces_rest(struct taxii_pieces *pieces)
{
    if (pieces == NULL)
        return;
    while (pieces->rested == pieces->now && pieces->count > 0)
        drop(pieces, pieces->count - 1);
    pieces->rested = pieces->now;
}

/* Room for N more bytes: what was not used for longest goes. */
static void
make_room(struct taxii_pieces *pieces, size_t n)
{
    while (pieces->count > 0
        && (pieces->count == PIECES_MAX || pieces->bytes + n > pieces->max_bytes)) {
        size_t oldest = 0;
        for (size_t i = 1; i < pieces->count; i++)
            if (pieces->pieces[i].used < pieces->pieces[oldest].used)
                oldest = i;
        drop(pieces, oldest);
    }
}

static int
unpack(struct taxii_pieces *pieces, const struct page_run *run, struct piece **out, struct err *err)
{
    make_room(pieces, run->raw_bytes);
    char *body = malloc(run->raw_bytes + 1);
    if (body == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a piece of a collection");
    size_t n =
        ZSTD_decompressDCtx(pieces->unpacker, body, run->raw_bytes, run->packed.p, run->packed.n);
    if (ZSTD_isError(n) || n != run->raw_bytes) {
        free(body);
        return err_set(err, ERR_INTERNAL, "piece %llu of a collection does not unpack to %u bytes",
            (unsigned long long)run->piece, run->raw_bytes);
    }
    *out = &pieces->pieces[pieces->count];
    **out = (struct piece){.body = body, .n = run->raw_bytes};
    pieces->numbers[pieces->count++] = run->piece;
    pieces->bytes += run->raw_bytes;
    return 0;
}

static int
join_run(struct taxii_pieces *pieces, const struct page_run *run, struct buf *out, struct err *err)
{
    struct piece *piece = find(pieces, run->piece);

    if (piece == NULL && run->packed.n == 0)
        return 1;
    if (piece == NULL) {
        int rc = unpack(pieces, run, &piece, err);
        if (rc != 0)
            return rc;
    }
    piece->used = ++pieces->now;
    if (run->end > piece->n || run->begin > run->end)
        return err_set(err, ERR_INTERNAL, "a run lies outside piece %llu of a collection",
            (unsigned long long)run->piece);
    if (run->end == run->begin)
        return 0;
    if (out->n > 0 && out->p[out->n - 1] != '[')
        buf_add_char(out, ',');
    buf_add(out, piece->body + run->begin, run->end - run->begin);
    return 0;
}

int
taxii_pieces_join(
    struct taxii_pieces *pieces, const struct page *page, struct buf *out, struct err *err)
{
    size_t before = out->n;
    size_t n = page->run_count;

    for (size_t i = 0; i < page->run_count; i++)
        n += page->runs[i].end - page->runs[i].begin;
    if (n > 0 && buf_reserve(out, n) == NULL)
        return buf_check(out, "a page of objects", err);
    for (size_t i = 0; i < page->run_count; i++) {
        int rc = join_run(pieces, &page->runs[i], out, err);
        if (rc != 0) {
            out->n = before;
            return rc;
        }
    }
    return buf_check(out, "a page of objects", err);
}
