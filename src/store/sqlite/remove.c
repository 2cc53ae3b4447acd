/* remove.c: how do objects leave a collection, and which versions are first and last then?
 *
 * What is removed is removed: the piece is written anew without it. Everything that matches is
 * found before anything is taken out, so that "the last version" means the last before.
 */
#include "store/sqlite/match.h"

#include <string.h>

enum { FOUND_BYTES = 64 << 20 };

struct found {
    uint64_t piece;
    int64_t added_us;
};

struct removal {
    struct store *store;
    struct arena *arena;
    struct arena *bodies; /* of one piece */
    struct match match;
    struct list found; /* in order of piece */
    struct piece piece;
};

static int
find_entries(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct removal *r = ctx;
    struct buf *copy = &r->store->work[WORK_ENTRIES];
    struct span bytes = db_bytes(row, 0);
    struct entries entries;

    copy->n = 0;
    copy->full = false;
    buf_add(copy, bytes.p, bytes.n);
    int rc = buf_check(copy, "a piece", err);
    if (rc == 0)
        rc = entries_read(buf_span(copy), &entries, err);
    for (uint32_t i = 0; rc == 0 && i < entries.count; i++) {
        int64_t added_us = r->piece.first_us + entries.all[i].added;
        if (added_us <= r->match.query->after_us
            || !match_entry(&r->match, &entries, &entries.all[i]))
            continue;
        struct found *found = list_add(&r->found);
        if (found == NULL)
            rc = arena_full(err, "objects are removed");
        else
            *found = (struct found){r->piece.number, added_us};
    }
    return rc;
}

static int
find_piece(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct removal *r = ctx;

    r->piece.number = (uint64_t)sqlite3_column_int64(row, 0);
    r->piece.first_us = sqlite3_column_int64(row, 1);
    if (!match_piece(&r->match, sqlite3_column_int64(row, 2) > 0, db_bytes(row, 4)))
        return 0;
    return EACH(r->store, S_PIECE_ENTRIES, find_entries, r, err, INT(r->piece.number));
}

/* ---- the piece without them ---- */

static bool
is_found(const struct found *found, size_t count, int64_t added_us)
{
    for (size_t i = 0; i < count; i++)
        if (found[i].added_us == added_us)
            return true;
    return false;
}

static int
forget_version(
    struct store *store, const struct piece *piece, const struct entry *entry, struct err *err)
{
    char id[STORE_ID_BYTES];
    size_t n = entries_id(&piece->entries, entry, id);

    return RUN(store, S_OBJECT_REMOVE, err, INT(piece->collection), TEXT(((struct span){id, n})),
        INT(entry->version_us));
}

/* Entries and body that stay are moved together; the types and texts behind the entries stay where
 * they are told to be, as the entries in front become fewer and the gap is kept. */
struct rest {
    struct buf body;
    struct entry kept[PIECE_OBJECTS];
    uint32_t count;
    uint32_t lasts;
};

static void
keep_entry(struct rest *rest, const struct entry *entry, struct span body)
{
    struct entry *kept = &rest->kept[rest->count];

    *kept = *entry;
    if (rest->count > 0)
        buf_add_char(&rest->body, ',');
    kept->at = (uint32_t)rest->body.n;
    buf_add(&rest->body, body.p + entry->at, entry->n);
    rest->count++;
    rest->lasts += (entry->flags & ENTRY_LAST) != 0;
}

static void
write_kept(const struct rest *rest, const struct entries *entries, struct buf *out)
{
    size_t gap = (entries->count - rest->count) * sizeof(struct entry);
    size_t tail = ENTRIES_HEAD + entries->count * sizeof(struct entry);
    const uint32_t head[2] = {rest->count, entries->type_count};

    out->n = 0;
    out->full = false;
    buf_add(out, (const char *)head, sizeof head);
    for (uint32_t i = 0; i < rest->count; i++) {
        struct entry entry = rest->kept[i];
        if (entry.type == ENTRY_TEXT)
            entry.id.text.at -= (uint32_t)gap;
        buf_add(out, (const char *)&entry, sizeof entry);
    }
    buf_add(out, entries->bytes.p + tail, entries->bytes.n - tail);
}

static int
write_rest(struct store *store, const struct piece *piece, struct rest *rest, struct err *err)
{
    struct buf *entries = &store->work[WORK_FILTER];

    if (rest->count == 0) {
        int rc = RUN(store, S_PIECE_REMOVE, err, INT(piece->collection), INT(piece->last_us));
        return rc != 0 ? rc : RUN(store, S_PIECE_BODY_REMOVE, err, INT(piece->number));
    }
    write_kept(rest, &piece->entries, entries);
    int rc = buf_check(entries, "a piece", err);
    if (rc == 0)
        rc = buf_check(&rest->body, "a piece", err);
    if (rc == 0)
        rc = pack(store->packer, buf_span(&rest->body), &store->work[WORK_PACKED], err);
    if (rc == 0)
        rc = RUN(store, S_PIECE_CUT, err, INT(rest->count), INT(rest->lasts),
            INT(piece->collection), INT(piece->last_us));
    if (rc == 0)
        rc = RUN(store, S_PIECE_BODY_CUT, err, BLOB(buf_span(entries)), INT(rest->body.n),
            BLOB(buf_span(&store->work[WORK_PACKED])), INT(piece->number));
    return rc;
}

static int
cut_entries(struct removal *r, const struct piece *piece, struct span body,
    const struct found *found, size_t count, struct list *ids, struct err *err)
{
    struct rest rest = {.body = buf_new(PACK_MAX_BYTES)};
    char id[STORE_ID_BYTES];
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < piece->entries.count; i++) {
        const struct entry *entry = &piece->entries.all[i];
        if (!is_found(found, count, piece->first_us + entry->added)) {
            keep_entry(&rest, entry, body);
        } else if (piece->indexed) {
            size_t n = entries_id(&piece->entries, entry, id);
            struct span *kept = list_add(ids);
            if (kept == NULL || (kept->p = arena_copy(r->arena, id, n)) == NULL)
                rc = arena_full(err, "objects are removed");
            else
                kept->n = n;
            if (rc == 0)
                rc = forget_version(r->store, piece, entry, err);
        }
    }
    if (rc == 0)
        rc = write_rest(r->store, piece, &rest, err);
    buf_free(&rest.body);
    return rc;
}

static int
cut_piece(
    struct removal *r, const struct found *found, size_t count, struct list *ids, struct err *err)
{
    struct piece piece;
    struct span packed;
    struct span body;

    arena_reset(r->bodies);
    int rc = piece_load(r->store, found->piece, r->bodies, &piece, &packed, err);
    if (rc == 0)
        rc = pack_open(r->store->packer, r->bodies, packed, piece.raw_bytes, &body, err);
    return rc != 0 ? rc : cut_entries(r, &piece, body, found, count, ids, err);
}

/* The versions of ID that are at the ends now are told so. */
static int
promote(struct removal *r, struct span id, struct err *err)
{
    const enum statement ends[] = {S_OBJECT_OLDEST, S_OBJECT_NEWEST};
    const uint8_t flags[] = {ENTRY_FIRST, ENTRY_LAST};
    int rc = 0;

    for (int i = 0; rc == 0 && i < 2; i++) {
        int64_t at[3]; /* version_us, added_us, piece */
        bool there;
        rc = NUMBERS(
            r->store, ends[i], at, 3, &there, err, INT(r->match.query->collection), TEXT(id));
        if (rc == 0 && there)
            rc = piece_flag(r->store, (uint64_t)at[2], at[1], flags[i], 0, err);
    }
    return rc;
}

static int
remove_found(struct removal *r, struct err *err)
{
    const struct found *found = (const struct found *)(const void *)r->found.items;
    struct list ids = {.arena = r->arena, .size = sizeof(struct span)};
    int rc = 0;

    for (size_t i = 0, n; rc == 0 && i < r->found.count; i += n) {
        for (n = 1; i + n < r->found.count && found[i + n].piece == found[i].piece;)
            n++;
        rc = cut_piece(r, found + i, n, &ids, err);
    }
    for (size_t i = 0; rc == 0 && i < ids.count; i++)
        rc = promote(r, ((const struct span *)(const void *)ids.items)[i], err);
    if (rc == 0 && r->found.count > 0)
        rc = RUN(r->store, S_COLLECTION_SHRANK, err, INT(r->found.count),
            INT(r->match.query->collection));
    return rc;
}

static int
removal_begin(
    struct removal *r, struct store *store, const struct store_page_query *query, struct err *err)
{
    r->store = store;
    r->arena = arena_new(FOUND_BYTES);
    r->bodies = arena_new((size_t)2 * FOUND_BYTES);
    r->found = (struct list){.arena = r->arena, .size = sizeof(struct found)};
    if (r->arena == NULL || r->bodies == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to remove objects");
    return match_begin(&r->match, query, r->arena, err);
}

static void
removal_end(struct removal *r)
{
    arena_free(r->arena);
    arena_free(r->bodies);
}

int
store_remove(
    struct store *store, const struct store_page_query *query, uint64_t *count, struct err *err)
{
    struct removal r;
    int rc = removal_begin(&r, store, query, err);

    *count = 0;
    if (rc == 0)
        rc = EACH(store, S_PIECE_AFTER, find_piece, &r, err, INT(query->collection),
            INT(query->after_us));
    if (rc == 0)
        rc = remove_found(&r, err);
    if (rc == 0)
        *count = r.found.count;
    removal_end(&r);
    return rc;
}

int
piece_empty(struct store *store, uint32_t collection, uint64_t number, struct err *err)
{
    const struct store_page_query all = {
        .collection = collection, .after_us = INT64_MIN, .versions = VERSIONS_ALL};
    struct removal r;
    int rc = removal_begin(&r, store, &all, err);

    if (rc == 0)
        rc = piece_load(store, number, NULL, &r.piece, NULL, err);
    if (rc == 0)
        rc = EACH(store, S_PIECE_ENTRIES, find_entries, &r, err, INT(number));
    if (rc == 0)
        rc = remove_found(&r, err);
    removal_end(&r);
    return rc;
}
