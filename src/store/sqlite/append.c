/* append.c: how do objects come into a collection? */
#include "store/filter.h"
#include "store/sqlite/piece.h"

#include <string.h>

/* The piece that is being filled. */
struct builder {
    struct store *store;
    const struct store_piece *from;
    uint64_t number; /* 0: none is begun */
    int64_t first_us;
    int64_t next_us; /* date_added of the next object */
    uint32_t count;
    uint32_t lasts;
    size_t added;           /* objects, all pieces */
    uint32_t reports_given; /* of from->reports, to pieces before */
    size_t passed;          /* of from->objects */
    struct entry entries[PIECE_OBJECTS];
    struct span texts[PIECE_OBJECTS]; /* ids of ENTRY_TEXT */
    struct span types[ENTRY_TEXT];
    uint32_t type_count;
    uint64_t keys[2 * PIECE_OBJECTS];
    size_t key_count;
};

static int
check_piece(const struct store_piece *piece, struct err *err)
{
    if (piece->count > STORE_PIECE_OBJECTS || piece->body.n > STORE_PIECE_BYTES)
        return err_set(err, ERR_LIMIT, "%zu objects of %zu bytes at once; at most %d of %d",
            piece->count, piece->body.n, (int)STORE_PIECE_OBJECTS, (int)STORE_PIECE_BYTES);
    for (size_t i = 0; i < piece->count; i++) {
        const struct store_object *object = &piece->objects[i];
        if (object->at > piece->body.n || object->n > piece->body.n - object->at)
            return err_set(err, ERR_INTERNAL, "object %zu is not within its piece", i);
        if (object->id.n == 0 || object->id.n > STORE_ID_BYTES)
            return err_set(err, ERR_LIMIT, "an object's id has %zu bytes; 1 to %d are possible",
                object->id.n, (int)STORE_ID_BYTES);
    }
    return 0;
}

static void
add_type(struct buf *out, struct span type)
{
    buf_add_char(out, (char)type.n);
    buf_add_span(out, type);
}

/* Head, entries, types, texts: doc/store-schema.md. */
static void
write_entries(struct builder *b, struct buf *out)
{
    const uint32_t head[2] = {b->count, b->type_count};
    size_t at = sizeof head + b->count * sizeof b->entries[0];

    out->n = 0;
    out->full = false;
    for (uint32_t i = 0; i < b->type_count; i++)
        at += 1 + b->types[i].n;
    for (uint32_t i = 0; i < b->count; i++)
        if (b->entries[i].type == ENTRY_TEXT) {
            b->entries[i].id.text.at = (uint32_t)at;
            b->entries[i].id.text.n = (uint32_t)b->texts[i].n;
            at += b->texts[i].n;
        }
    buf_add(out, (const char *)head, sizeof head);
    buf_add(out, (const char *)b->entries, b->count * sizeof b->entries[0]);
    for (uint32_t i = 0; i < b->type_count; i++)
        add_type(out, b->types[i]);
    for (uint32_t i = 0; i < b->count; i++)
        if (b->entries[i].type == ENTRY_TEXT)
            buf_add_span(out, b->texts[i]);
    buf_add_char(out, '\0');
}

/* Reports are spread over the pieces as their objects are. */
static uint32_t
reports_of(struct builder *b)
{
    uint64_t until = b->passed >= b->from->count
        ? b->from->reports
        : (uint64_t)b->from->reports * b->passed / b->from->count;
    uint32_t mine = (uint32_t)until - b->reports_given;

    b->reports_given = (uint32_t)until;
    return mine;
}

static int
write_piece(struct builder *b, struct err *err)
{
    struct buf *work = b->store->work;
    int64_t last_us = b->next_us - 1;
    struct span filter;

    write_entries(b, &work[WORK_ENTRIES]);
    int rc = buf_check(&work[WORK_ENTRIES], "a piece's entries", err);
    if (rc == 0)
        rc = filter_make(&work[WORK_FILTER], b->keys, b->key_count, &filter, err);
    if (rc == 0)
        rc = pack(b->store->packer, buf_span(&work[WORK_BODY]), &work[WORK_PACKED], err);
    if (rc == 0)
        rc = RUN(b->store, S_PIECE_ADD, err, INT(b->from->collection), INT(last_us), INT(b->number),
            INT(b->first_us), INT(b->count), INT(b->lasts), INT(b->from->indexed),
            INT(reports_of(b)), INT(b->from->batch), BLOB(filter), INT(b->from->keep_until_us));
    if (rc == 0)
        rc = RUN(b->store, S_PIECE_BODY_ADD, err, INT(b->number), INT(b->from->collection),
            INT(last_us), BLOB(buf_span(&work[WORK_ENTRIES])), INT(work[WORK_BODY].n),
            BLOB(buf_span(&work[WORK_PACKED])));
    return rc;
}

static void
start_piece(struct builder *b)
{
    struct buf *body = &b->store->work[WORK_BODY];

    body->n = 0;
    body->full = false;
    b->number = 0;
    b->count = 0;
    b->lasts = 0;
    b->type_count = 0;
    b->key_count = 0;
}

static int
end_piece(struct builder *b, struct err *err)
{
    int rc = b->count == 0 ? 0 : write_piece(b, err);

    start_piece(b);
    return rc;
}

/* Room for OBJECT in the piece that is being filled, or a new one. */
static int
make_room(struct builder *b, const struct store_object *object, struct err *err)
{
    size_t n = b->store->work[WORK_BODY].n;
    int rc = 0;

    if (b->count == PIECE_OBJECTS || (b->count > 0 && n + 1 + object->n > PIECE_BYTES)
        || b->type_count == ENTRY_TEXT - 1)
        rc = end_piece(b, err);
    if (rc != 0 || b->count > 0)
        return rc;
    b->first_us = b->next_us;
    return db_next(b->store, SPAN("piece"), &b->number, err);
}

static uint8_t
type_index(struct builder *b, struct span type)
{
    for (uint32_t i = 0; i < b->type_count; i++)
        if (span_equal(b->types[i], type))
            return (uint8_t)i;
    b->types[b->type_count] = type;
    b->keys[b->key_count++] = piece_key_type(type);
    return (uint8_t)b->type_count++;
}

/* The type of an id that is no "type--UUID" goes into the filter each time: it is rare. */
static void
name_entry(struct builder *b, struct entry *entry, struct span id)
{
    struct span type;

    if (entry_uuid(id, &type, entry->id.uuid)) {
        entry->type = type_index(b, type);
    } else {
        entry->type = ENTRY_TEXT;
        b->texts[b->count] = id;
        b->keys[b->key_count++] = piece_key_type(entry_text_type(id));
    }
    b->keys[b->key_count++] = piece_key_id(id);
}

static void
put(struct builder *b, const struct store_object *object, int64_t version_us, uint8_t flags)
{
    struct buf *body = &b->store->work[WORK_BODY];
    struct entry *entry = &b->entries[b->count];

    memset(entry, 0, sizeof *entry);
    if (b->count > 0)
        buf_add_char(body, ',');
    entry->at = (uint32_t)body->n;
    buf_add(body, b->from->body.p + object->at, object->n);
    entry->n = object->n;
    entry->spec = object->spec;
    entry->flags = flags;
    entry->version_us = version_us;
    entry->added = (uint32_t)(b->next_us - b->first_us);
    name_entry(b, entry, object->id);
    b->count++;
    b->lasts += (flags & ENTRY_LAST) != 0;
    b->next_us++;
    b->added++;
}

/* ---- versions of posted objects ---- */

struct version {
    int64_t version_us;
    int64_t added_us;
    int64_t piece;
};

static int
version_at_end(struct builder *b, enum statement which, struct span id, struct version *out,
    bool *there, struct err *err)
{
    int64_t numbers[3] = {0};
    int rc = NUMBERS(b->store, which, numbers, 3, there, err, INT(b->from->collection), TEXT(id));

    *out = (struct version){numbers[0], numbers[1], numbers[2]};
    return rc;
}

/* It is the newest, or the oldest, no more. */
static int
demote(struct builder *b, const struct version *version, uint8_t flag, struct err *err)
{
    if ((uint64_t)version->piece != b->number || b->count == 0)
        return piece_flag(b->store, (uint64_t)version->piece, version->added_us, 0, flag, err);
    struct entry *entry = &b->entries[0];
    while (b->first_us + entry->added != version->added_us)
        entry++;
    b->lasts -= (entry->flags & flag & ENTRY_LAST) != 0;
    entry->flags = (uint8_t)(entry->flags & ~flag);
    return 0;
}

/* Without a version of its own, its date will be its version: that must be free too. */
static int
known(struct builder *b, const struct store_object *object, bool *there, struct err *err)
{
    bool own = object->version_us != 0;
    int64_t one;

    return NUMBERS(b->store, own ? S_OBJECT_THERE : S_OBJECT_PLAIN, &one, 1, there, err,
        INT(b->from->collection), TEXT(object->id), INT(own ? object->version_us : b->next_us));
}

/* Where this version stands among those that are there. */
static int
rank(struct builder *b, struct span id, int64_t version_us, uint8_t *flags, struct err *err)
{
    struct version oldest;
    struct version newest;
    bool there = false;
    int rc = version_at_end(b, S_OBJECT_OLDEST, id, &oldest, &there, err);

    *flags = ENTRY_FIRST | ENTRY_LAST;
    if (rc != 0 || !there)
        return rc;
    rc = version_at_end(b, S_OBJECT_NEWEST, id, &newest, &there, err);
    *flags = version_us > newest.version_us ? ENTRY_LAST
        : version_us < oldest.version_us    ? ENTRY_FIRST
                                            : 0;
    if (rc == 0 && *flags == ENTRY_LAST)
        rc = demote(b, &newest, ENTRY_LAST, err);
    if (rc == 0 && *flags == ENTRY_FIRST)
        rc = demote(b, &oldest, ENTRY_FIRST, err);
    return rc;
}

static int
add_indexed(struct builder *b, const struct store_object *object, struct err *err)
{
    bool there = false;
    uint8_t flags = 0;
    int rc = known(b, object, &there, err);

    if (rc != 0 || there)
        return rc;
    int64_t version_us = object->version_us == 0 ? b->next_us : object->version_us;
    rc = make_room(b, object, err);
    if (rc == 0)
        rc = rank(b, object->id, version_us, &flags, err);
    if (rc == 0)
        rc = RUN(b->store, S_OBJECT_ADD, err, INT(b->from->collection), TEXT(object->id),
            INT(version_us), INT(object->version_us != 0), INT(b->next_us), INT(b->number));
    if (rc == 0)
        put(b, object, version_us, flags);
    return rc;
}

static int
add_object(struct builder *b, const struct store_object *object, struct err *err)
{
    if (b->from->indexed)
        return add_indexed(b, object, err);
    int rc = make_room(b, object, err);
    if (rc == 0)
        put(b, object, object->version_us == 0 ? b->next_us : object->version_us,
            ENTRY_FIRST | ENTRY_LAST);
    return rc;
}

static int
add_all(struct builder *b, struct err *err)
{
    int rc = 0;

    start_piece(b);
    for (size_t i = 0; rc == 0 && i < b->from->count; i++) {
        rc = add_object(b, &b->from->objects[i], err);
        b->passed++;
    }
    if (rc == 0)
        rc = end_piece(b, err);
    if (rc == 0)
        rc = buf_check(&b->store->work[WORK_BODY], "a piece", err);
    return rc;
}

int
store_append(struct store *store, const struct store_piece *piece, int64_t now_us,
    int64_t *first_us, size_t *added, struct err *err)
{
    struct builder b;
    int64_t last_us = 0;
    bool there = false;

    b.store = store;
    b.from = piece;
    b.added = 0;
    b.passed = 0;
    b.reports_given = 0;
    int rc = check_piece(piece, err);
    if (rc == 0)
        rc = NUMBERS(store, S_COLLECTION_LAST, &last_us, 1, &there, err, INT(piece->collection));
    if (rc == 0 && !there)
        rc = err_set(err, ERR_NOT_FOUND, "there is no collection %u", piece->collection);
    if (rc != 0)
        return rc;
    b.next_us = now_us > last_us ? now_us : last_us + 1;
    *first_us = b.next_us;
    rc = add_all(&b, err);
    *added = b.added;
    if (rc != 0 || b.added == 0)
        return rc;
    store->appends++;
    return RUN(store, S_COLLECTION_GREW, err, INT(b.added), INT(b.next_us - 1), INT(piece->reports),
        INT(piece->collection));
}
