/* page.c: which objects of a collection come next? */
#include "store/filter.h"
#include "store/sqlite/match.h"

#include <string.h>

struct paging {
    struct store *store;
    struct arena *arena;
    const struct store_page_query *query;
    struct match match;
    struct store_page *out;
    struct list runs;
    struct list rows;
    struct piece piece; /* as S_PIECE_AFTER tells it */
};

/* One more than may be shown is enough to know that there are more. */
static bool
enough(struct paging *paging)
{
    paging->out->more = paging->out->row_count == paging->query->limit;
    return paging->out->more;
}

static int
add_row(struct paging *paging, const struct entries *entries, const struct entry *entry,
    struct err *err)
{
    struct store_page *out = paging->out;
    char id[STORE_ID_BYTES];

    out->last_us = paging->piece.first_us + entry->added;
    if (out->row_count++ == 0)
        out->first_us = out->last_us;
    if (paging->query->runs_only)
        return 0;
    struct store_page_row *row = list_add(&paging->rows);
    size_t n = entries_id(entries, entry, id);

    if (row == NULL || (row->id.p = arena_copy(paging->arena, id, n)) == NULL)
        return arena_full(err, "a page is read");
    row->id.n = n;
    row->added_us = out->last_us;
    row->version_us = entry->version_us;
    row->spec = entry->spec;
    return 0;
}

/* Lengthens the last run, or starts one. */
static int
add_run(struct paging *paging, const struct entry *entry, bool *begun, struct err *err)
{
    struct store_run *runs = (struct store_run *)(void *)paging->runs.items;
    struct store_run *run = *begun ? &runs[paging->runs.count - 1] : NULL;

    if (run != NULL && run->end + 1 == entry->at) {
        run->end = entry->at + entry->n;
        return 0;
    }
    run = list_add(&paging->runs);
    if (run == NULL)
        return arena_full(err, "a page is read");
    run->piece = paging->piece.number;
    run->begin = entry->at;
    run->end = entry->at + entry->n;
    *begun = true;
    return 0;
}

/* The body of the piece's runs, from FIRST on. */
static int
add_body(struct paging *paging, sqlite3_stmt *row, size_t first, struct err *err)
{
    struct store_run *runs = (struct store_run *)(void *)paging->runs.items;
    struct span packed = {NULL, 0};
    int rc = 0;

    if (first < paging->runs.count && !paging->query->no_bodies)
        rc = db_keep(row, 2, paging->arena, &packed, err);

    for (size_t i = first; rc == 0 && i < paging->runs.count; i++) {
        runs[i].packed = packed;
        runs[i].raw_bytes = (uint32_t)sqlite3_column_int64(row, 1);
    }
    return rc;
}

static int
take_entries(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct paging *paging = ctx;
    struct buf *copy = &paging->store->work[WORK_ENTRIES];
    struct span bytes = db_bytes(row, 0);
    struct entries entries;
    size_t first = paging->runs.count;
    bool begun = false;

    copy->n = 0;
    copy->full = false;
    buf_add(copy, bytes.p, bytes.n);
    int rc = buf_check(copy, "a piece", err);
    if (rc == 0)
        rc = entries_read(buf_span(copy), &entries, err);
    for (uint32_t i = 0; rc == 0 && i < entries.count; i++) {
        const struct entry *entry = &entries.all[i];
        if (paging->piece.first_us + entry->added <= paging->query->after_us
            || !match_entry(&paging->match, &entries, entry))
            continue;
        if (enough(paging))
            break;
        rc = add_row(paging, &entries, entry, err);
        if (rc == 0 && !paging->query->rows_only)
            rc = add_run(paging, entry, &begun, err);
    }
    return rc == 0 ? add_body(paging, row, first, err) : rc;
}

static int
take_piece(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct paging *paging = ctx;

    paging->piece.number = (uint64_t)sqlite3_column_int64(row, 0);
    paging->piece.first_us = sqlite3_column_int64(row, 1);
    if (!match_piece(&paging->match, sqlite3_column_int64(row, 2) > 0, db_bytes(row, 4)))
        return 0;
    int rc =
        EACH(paging->store, S_PIECE_ENTRIES, take_entries, paging, err, INT(paging->piece.number));
    return rc == 0 && paging->out->more ? DB_ENOUGH : rc;
}

int
store_page(struct store *store, struct arena *arena, const struct store_page_query *query,
    struct store_page *out, struct err *err)
{
    struct paging paging = {.store = store,
        .arena = arena,
        .query = query,
        .out = out,
        .runs = {.arena = arena, .size = sizeof(struct store_run)},
        .rows = {.arena = arena, .size = sizeof(struct store_page_row)}};

    *out = (struct store_page){0};
    int rc = match_begin(&paging.match, query, arena, err);
    if (rc == 0)
        rc = EACH(store, S_PIECE_AFTER, take_piece, &paging, err, INT(query->collection),
            INT(query->after_us));
    out->runs = (struct store_run *)(void *)paging.runs.items;
    out->run_count = paging.runs.count;
    out->rows = (struct store_page_row *)(void *)paging.rows.items;
    return rc;
}
