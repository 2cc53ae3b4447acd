#include "base/hash.h"
#include "store/sqlite/piece.h"

#include <string.h>

enum { KEY_ID = 1, KEY_TYPE = 2, UUID_TEXT = 36 };

uint64_t
piece_key_id(struct span id)
{
    return hash_bytes(id.p, id.n, KEY_ID);
}

uint64_t
piece_key_type(struct span type)
{
    return hash_bytes(type.p, type.n, KEY_TYPE);
}

static int
nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_dash(int i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool
entry_uuid(struct span id, struct span *type, uint8_t uuid[16])
{
    if (id.n < UUID_TEXT + 3 || id.n > UUID_TEXT + 2 + 255)
        return false;
    const char *text = id.p + id.n - UUID_TEXT;
    if (text[-1] != '-' || text[-2] != '-')
        return false;
    for (int i = 0, out = 0; i < UUID_TEXT; i++) {
        if (is_dash(i)) {
            if (text[i] != '-')
                return false;
            continue;
        }
        int high = nibble(text[i]);
        int low = nibble(text[++i]);
        if (high < 0 || low < 0)
            return false;
        uuid[out++] = (uint8_t)(high << 4 | low);
    }
    *type = (struct span){id.p, id.n - UUID_TEXT - 2};
    return true;
}

static int
bad(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_STORE, "the entries of a piece are damaged: %s", what);
}

int
entries_read(struct span bytes, struct entries *out, struct err *err)
{
    uint32_t head[2];
    size_t at;

    if (bytes.n < ENTRIES_HEAD + 1)
        return bad(err, "they end early");
    memcpy(head, bytes.p, sizeof head);
    at = ENTRIES_HEAD + (size_t)head[0] * sizeof(struct entry);
    if (head[0] > PIECE_OBJECTS || at >= bytes.n || head[1] >= ENTRY_TEXT)
        return bad(err, "their counts");
    out->all = (const struct entry *)(const void *)(bytes.p + ENTRIES_HEAD);
    out->count = head[0];
    out->bytes = bytes;
    out->type_count = head[1];
    for (uint32_t i = 0; i < head[1]; i++) {
        size_t n = at < bytes.n ? (unsigned char)bytes.p[at] : 0;
        if (n == 0 || n > bytes.n - at - 1)
            return bad(err, "their types");
        out->types[i] = (struct span){bytes.p + at + 1, n};
        at += 1 + n;
    }
    for (uint32_t i = 0; i < head[0]; i++) {
        const struct entry *e = &out->all[i];
        if (e->type == ENTRY_TEXT ? e->id.text.n > STORE_ID_BYTES || e->id.text.at > bytes.n
                    || e->id.text.n > bytes.n - e->id.text.at
                                  : e->type >= head[1])
            return bad(err, "an id");
    }
    return 0;
}

struct span
entry_text_type(struct span id)
{
    for (size_t i = 0; i + 1 < id.n; i++)
        if (id.p[i] == '-' && id.p[i + 1] == '-')
            return (struct span){id.p, i};
    return (struct span){id.p, 0};
}

struct span
entries_type(const struct entries *entries, const struct entry *entry)
{
    if (entry->type != ENTRY_TEXT)
        return entries->types[entry->type];
    return entry_text_type((struct span){entries->bytes.p + entry->id.text.at, entry->id.text.n});
}

size_t
entries_id(const struct entries *entries, const struct entry *entry, char *out)
{
    static const char digits[] = "0123456789abcdef";

    if (entry->type == ENTRY_TEXT) {
        memcpy(out, entries->bytes.p + entry->id.text.at, entry->id.text.n);
        return entry->id.text.n;
    }
    struct span type = entries->types[entry->type];
    memcpy(out, type.p, type.n);
    char *p = out + type.n;
    *p++ = '-';
    *p++ = '-';
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[entry->id.uuid[i] >> 4];
        *p++ = digits[entry->id.uuid[i] & 15];
    }
    return (size_t)(p - out);
}

/* ---- stored pieces ---- */

struct load {
    struct store *store;
    struct arena *arena;
    struct piece *piece;
    struct span *packed;
    bool there;
};

static int
take_piece(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct load *load = ctx;
    struct buf *copy = &load->store->work[WORK_ENTRIES];
    struct span bytes = db_bytes(row, 0);

    load->there = true;
    copy->n = 0;
    copy->full = false;
    buf_add(copy, bytes.p, bytes.n);
    load->piece->raw_bytes = (uint32_t)sqlite3_column_int64(row, 1);
    load->piece->collection = (uint32_t)sqlite3_column_int64(row, 3);
    load->piece->last_us = sqlite3_column_int64(row, 4);
    int rc = buf_check(copy, "a piece", err);
    if (rc == 0 && load->packed != NULL)
        rc = db_keep(row, 2, load->arena, load->packed, err);
    if (rc == 0)
        rc = entries_read(buf_span(copy), &load->piece->entries, err);
    return rc == 0 ? DB_ENOUGH : rc;
}

int
piece_load(struct store *store, uint64_t number, struct arena *arena, struct piece *out,
    struct span *packed, struct err *err)
{
    struct load load = {.store = store, .arena = arena, .piece = out, .packed = packed};
    int64_t about[4] = {0};
    bool there = false;

    out->number = number;
    int rc = EACH(store, S_PIECE_ENTRIES, take_piece, &load, err, INT(number));
    if (rc == 0 && load.there)
        rc = NUMBERS(
            store, S_PIECE_GET, about, 4, &there, err, INT(out->collection), INT(out->last_us));
    if (rc == 0 && !there)
        return err_set(err, ERR_BAD_STORE, "%s: the piece %llu is not whole", store->path,
            (unsigned long long)number);
    out->first_us = about[0];
    out->objects = (uint32_t)about[1];
    out->lasts = (uint32_t)about[2];
    out->indexed = about[3] != 0;
    return rc;
}

static struct entry *
find_added(struct piece *piece, int64_t added_us)
{
    struct entry *all = (struct entry *)piece->entries.all;

    for (uint32_t i = 0; i < piece->entries.count; i++)
        if (piece->first_us + all[i].added == added_us)
            return &all[i];
    return NULL;
}

int
piece_flag(struct store *store, uint64_t number, int64_t added_us, uint8_t set, uint8_t clear,
    struct err *err)
{
    struct piece piece;
    int rc = piece_load(store, number, NULL, &piece, NULL, err);

    if (rc != 0)
        return rc;
    struct entry *entry = find_added(&piece, added_us);
    if (entry == NULL)
        return err_set(err, ERR_BAD_STORE, "%s: an object is not in its piece %llu", store->path,
            (unsigned long long)number);
    uint8_t before = entry->flags;
    entry->flags = (uint8_t)((entry->flags | set) & ~clear);
    rc = RUN(store, S_PIECE_MARK, err, BLOB(buf_span(&store->work[WORK_ENTRIES])), INT(number));
    int lasts = (int)piece.lasts + (entry->flags & ENTRY_LAST) - (before & ENTRY_LAST);
    if (rc == 0 && lasts != (int)piece.lasts)
        rc = RUN(store, S_PIECE_LASTS, err, INT(lasts), INT(piece.collection), INT(piece.last_us));
    return rc;
}
