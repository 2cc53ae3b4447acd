#include "core/collections_private.h"
#include "core/rows.h"
#include "flow/basis.h"
#include "fmt/stix_batch.h"
#include "fmt/stix_check.h"
#include "fmt/stix_id.h"
#include "fmt/stix_receipt.h"
#include "fmt/writer.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LIST_BYTES = 16 << 20,
    FIRST_PIECE_BYTES = 64 * 1024,
    NAMES_BYTES = 512,
    FIRST_OBJECTS_MAX = 64
};

struct collections {
    struct store *store;
    struct span node;
    struct span origin;
    struct arena *kept;  /* node, origin */
    struct arena *arena; /* the list */
    struct store_collection *list;
    size_t count;
    struct json *json;
    struct fetched marks;
};

static const struct {
    uint8_t kind;
    const char *title;
    const char *description;
    const char *alias;
} fixed[] = {
    {COLLECTION_COMMUNITY, "Community",
        "What may be told to all partners of this node: TLP:CLEAR and TLP:GREEN.", "community"},
    {COLLECTION_DIRECTORY, "Directory",
        "Cards of the teams that this node knows, laws and baseline agreements.", "directory"},
    {COLLECTION_INTAKE, "Intake",
        "Reports and other objects for this node's team: to be written, not to be read.", "intake"},
};
_Static_assert((int)PAGE_KIND_TEAM == COLLECTION_TEAM
        && (int)PAGE_KIND_COMMUNITY == COLLECTION_COMMUNITY
        && (int)PAGE_KIND_DIRECTORY == COLLECTION_DIRECTORY
        && (int)PAGE_KIND_INTAKE == COLLECTION_INTAKE && (int)PAGE_KIND_SHARED == COLLECTION_SHARED,
    "fronts and the store count kinds of collections alike");
enum { FIXED = sizeof fixed / sizeof fixed[0] };

struct store *
collections_store(const struct collections *collections)
{
    return collections->store;
}

struct json *
collections_json(const struct collections *collections)
{
    return collections->json;
}

struct fetched *
collections_marks(struct collections *collections)
{
    return &collections->marks;
}

/* ---- making them ---- */

int
collections_again(struct collections *c, struct err *err)
{
    arena_reset(c->arena);
    c->list = NULL;
    c->count = 0;
    return store_collections(c->store, c->arena, &c->list, &c->count, err);
}

static int
make(struct collections *c, uint8_t kind, const char *what, struct span name,
    struct store_collection *collection, struct err *err)
{
    struct buf text = buf_new(NAMES_BYTES);
    char id[STIX_UUID_BYTES];

    buf_add_text(&text, "collection ");
    buf_add_span(&text, c->node);
    buf_format(&text, " %s ", what);
    buf_add_span(&text, name);
    int rc = buf_check(&text, "a collection's name", err);
    if (rc == 0) {
        stix_id_uuid(STIX_ID_OWN, buf_span(&text), id);
        collection->kind = kind;
        if (collection->id.n == 0)
            collection->id = (struct span){id, sizeof id};
        rc = store_collection_add(c->store, collection, err);
    }
    buf_free(&text);
    return rc == 0 ? collections_again(c, err) : rc;
}

uint32_t
collections_the(const struct collections *c, uint8_t kind)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].kind == kind)
            return c->list[i].number;
    return 0;
}

/* ---- objects that are appended as JSON ---- */

static int
one_object(struct json_value item, struct buf *body, struct store_object *object, struct err *err)
{
    struct stix_checked checked;

    int rc = stix_check(item, &checked, err);
    if (rc != 0)
        return rc;
    if (body->n > 0)
        buf_add_char(body, ',');
    object->at = (uint32_t)body->n;
    json_add_value(body, item);
    object->n = (uint32_t)(body->n - object->at);
    object->version_us = checked.version_us;
    object->spec = checked.spec;
    object->id = checked.id;
    return 0;
}

static int
append_parsed(
    struct collections *c, uint32_t number, struct json_value list, int64_t now_us, struct err *err)
{
    struct store_object objects[FIRST_OBJECTS_MAX];
    struct store_piece piece = {.collection = number, .objects = objects, .indexed = true};
    struct buf body = buf_new(PAGE_UNPACKED_MAX);
    struct json_iter it = json_iter(list);
    struct json_value item;
    struct span key;
    int64_t first_us;
    size_t added;
    int rc = 0;
    bool more = true;

    while (rc == 0 && more) {
        piece.count = 0;
        body.n = 0;
        while (rc == 0 && piece.count < FIRST_OBJECTS_MAX && (more = json_next(&it, &key, &item)))
            rc = one_object(item, &body, &objects[piece.count++], err);
        piece.body = buf_span(&body);
        if (rc == 0)
            rc = buf_check(&body, "objects of a collection", err);
        if (rc == 0 && piece.count > 0)
            rc = store_append(c->store, &piece, now_us, &first_us, &added, err);
    }
    buf_free(&body);
    return rc;
}

int
collections_append_json(
    struct collections *c, uint32_t number, struct span text, int64_t now_us, struct err *err)
{
    struct json_value list;
    int rc = json_parse_copy(c->json, text, &list, err);

    if (rc != 0)
        return rc;
    if (json_type(list) != JSON_ARRAY)
        return err_set(err, ERR_INTERNAL, "objects for a collection are no list");
    return append_parsed(c, number, list, now_us, err);
}

/* The markings, definitions and the origin's identity that all released reports refer to. */
static int
add_first_piece(struct collections *c, uint32_t number, int64_t now_us, struct err *err)
{
    struct release_note note = {.origin = c->origin, .recipient = c->origin};
    struct buf text = buf_new(FIRST_PIECE_BYTES);
    const char *list;
    int rc;

    stix_write_head(&text, &note);
    stix_batch_write_definition(&text);
    stix_receipt_write_definition(&text);
    buf_add_text(&text, "]");
    rc = buf_check(&text, "a collection's first objects", err);
    list = rc == 0 ? memchr(text.p, '[', text.n) : NULL;
    if (list != NULL)
        rc = collections_append_json(
            c, number, (struct span){list, text.n - (size_t)(list - text.p)}, now_us, err);
    buf_free(&text);
    return rc;
}

int
collections_of_team(
    struct collections *c, uint32_t team, int64_t now_us, uint32_t *number, struct err *err)
{
    struct span id = store_team_id(c->store, team);
    char title[NAMES_BYTES];
    struct store_collection collection = {.team = team, .kind = COLLECTION_TEAM};

    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].kind == COLLECTION_TEAM && c->list[i].team == team) {
            *number = c->list[i].number;
            return 0;
        }
    if (id.n == 0)
        return err_set(err, ERR_INTERNAL, "team number %u was never given", team);
    if (span_equal(id, SPAN(BASIS_COMMUNITY))) {
        *number = collections_the(c, COLLECTION_COMMUNITY);
        return 0;
    }
    int n = snprintf(title, sizeof title, "Released to %.*s", SPAN_ARGS(id));
    collection.title = (struct span){title, (size_t)n};
    collection.description = SPAN("What this node released to the team, under the agreements "
                                  "between them.");
    int rc = make(c, COLLECTION_TEAM, "team", id, &collection, err);
    if (rc == 0)
        rc = add_first_piece(c, collection.number, now_us, err);
    *number = collection.number;
    return rc;
}

/* An alias stands in a path: letters, digits, '-', '.', '_'. */
static bool
is_alias(struct span alias)
{
    if (alias.n == 0 || alias.n > 64)
        return false;
    for (size_t i = 0; i < alias.n; i++) {
        char ch = alias.p[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9')
                || ((ch == '-' || ch == '.' || ch == '_') && i > 0)))
            return false;
    }
    return true;
}

int
collections_add_shared(struct collections *c, struct span title, struct span alias,
    struct span description, struct span *id, struct err *err)
{
    struct store_collection collection = {
        .title = title, .alias = alias, .description = description, .id = *id};

    if (id->n > 0 && !stix_check_uuid(*id))
        return err_set_field(err, ERR_BAD_NAME, "id", 2, "id: a UUID is wanted");

    if (!is_alias(alias))
        return err_set_field(err, ERR_BAD_NAME, "alias", 5,
            "alias: 1 to 64 letters, digits, '-', '.' and '_' are wanted");
    if (title.n == 0 || title.n > 200 || description.n > 1000)
        return err_set_field(err, ERR_BAD_VALUE, "title", 5,
            "title: 1 to 200 bytes are wanted, of a description at most 1000");
    if (span_equal(alias, SPAN(COLLECTION_RELEASED)))
        return err_set_field(err, ERR_EXISTS, "alias", 5,
            "alias: each partner's own collection is called " COLLECTION_RELEASED);
    for (size_t i = 0; i < c->count; i++)
        if (span_equal(c->list[i].alias, alias) || span_equal(c->list[i].id, alias)
            || (id->n > 0 && span_equal_nocase(c->list[i].id, *id)))
            return err_set_field(err, ERR_EXISTS, "alias", 5,
                "alias or id is another collection's: %.*s", SPAN_ARGS(c->list[i].alias));
    if (c->count >= COLLECTIONS_MAX)
        return err_set(
            err, ERR_LIMIT, "there are %d collections, and no more may be made", COLLECTIONS_MAX);
    int rc = make(c, COLLECTION_SHARED, "shared", alias, &collection, err);
    for (size_t i = 0; rc == 0 && i < c->count; i++)
        if (c->list[i].number == collection.number)
            *id = c->list[i].id;
    return rc;
}

static int
make_fixed(struct collections *c, int64_t now_us, struct err *err)
{
    int rc = collections_again(c, err);

    for (size_t i = 0; rc == 0 && i < FIXED; i++) {
        struct store_collection collection = {.title = span_of(fixed[i].title),
            .description = span_of(fixed[i].description),
            .alias = span_of(fixed[i].alias)};
        if (collections_the(c, fixed[i].kind) != 0)
            continue;
        rc = make(c, fixed[i].kind, fixed[i].alias, SPAN(""), &collection, err);
        if (rc == 0 && fixed[i].kind != COLLECTION_INTAKE)
            rc = add_first_piece(c, collection.number, now_us, err);
    }
    return rc;
}

int
collections_open(struct store *store, struct span node, struct span origin, int64_t now_us,
    struct collections **out, struct err *err)
{
    struct collections *c = calloc(1, sizeof *c);

    *out = c;
    if (c == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for collections");
    c->store = store;
    c->kept = arena_new(4096);
    c->arena = arena_new(LIST_BYTES);
    c->json = json_new(PAGE_OBJECT_MAX * 4);
    if (c->kept == NULL || c->arena == NULL || c->json == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for collections");
    c->node = (struct span){arena_copy(c->kept, node.p, node.n), node.n};
    c->origin = (struct span){arena_copy(c->kept, origin.p, origin.n), origin.n};
    if (c->node.p == NULL || c->origin.p == NULL)
        return arena_full(err, "a node's names");
    return make_fixed(c, now_us, err);
}

void
collections_free(struct collections *c)
{
    if (c == NULL)
        return;
    arena_free(c->kept);
    arena_free(c->arena);
    json_free(c->json);
    free(c);
}

/* ---- who may ---- */

static bool
is_own(const struct collections *c, const struct store_collection *at, const struct asker *asker)
{
    return at->kind == COLLECTION_TEAM && asker->kind == PRINCIPAL_PARTNER && asker->team.n > 0
        && span_equal(asker->team, store_team_id(c->store, at->team));
}

unsigned
collections_may(const struct collections *c, const struct store_collection *collection,
    const struct asker *asker)
{
    bool partner = asker->kind == PRINCIPAL_PARTNER;
    unsigned may = 0;

    if (asker->kind == PRINCIPAL_NOBODY)
        return 0;
    switch (collection->kind) {
    case COLLECTION_TEAM:
        if (!partner || is_own(c, collection, asker))
            may = COLLECTION_READ;
        break;
    case COLLECTION_COMMUNITY:
        may = partner ? COLLECTION_READ : COLLECTION_READ | COLLECTION_WRITE;
        break;
    case COLLECTION_DIRECTORY:
        may = COLLECTION_READ;
        break;
    case COLLECTION_INTAKE:
        may = partner ? COLLECTION_WRITE : COLLECTION_READ | COLLECTION_WRITE;
        break;
    case COLLECTION_SHARED:
        may = COLLECTION_READ | COLLECTION_WRITE;
        break;
    default:
        break;
    }
    return rows_may((enum principal_kind)asker->kind, RIGHT_SHARED_WRITE)
        ? may
        : may & ~(unsigned)COLLECTION_WRITE;
}

struct span
collections_team_id(const struct collections *c, const struct asker *asker)
{
    for (size_t i = 0; asker->team.n > 0 && i < c->count; i++)
        if (c->list[i].kind == COLLECTION_TEAM
            && span_equal(asker->team, store_team_id(c->store, c->list[i].team)))
            return c->list[i].id;
    return (struct span){NULL, 0};
}

bool
collections_has_team(const struct collections *c, const struct asker *asker)
{
    return collections_team_id(c, asker).n > 0;
}

/* As ASKER may call it; n 0: by its id alone. */
static struct span
alias_of(const struct collections *c, const struct store_collection *at, const struct asker *asker)
{
    return is_own(c, at, asker) ? SPAN(COLLECTION_RELEASED) : at->alias;
}

static bool
is_called(const struct collections *c, const struct store_collection *at, struct span name,
    const struct asker *asker)
{
    return span_equal_nocase(at->id, name) || span_equal(alias_of(c, at, asker), name);
}

const struct store_collection *
collections_find(
    const struct collections *c, struct span name, const struct asker *asker, unsigned *may)
{
    for (size_t i = 0; name.n > 0 && i < c->count; i++) {
        const struct store_collection *at = &c->list[i];
        if (!is_called(c, at, name, asker))
            continue;
        *may = collections_may(c, at, asker);
        return *may == 0 ? NULL : at;
    }
    *may = 0;
    return NULL;
}

int
collections_list(struct collections *c, const struct asker *asker, struct span name,
    struct arena *arena, struct buf *out, struct err *err)
{
    struct page_collection *list = arena_zalloc(arena, c->count + 1, sizeof *list);
    size_t count = 0;

    if (list == NULL)
        return arena_full(err, "a list of collections");
    for (size_t i = 0; i < c->count; i++) {
        const struct store_collection *at = &c->list[i];
        unsigned may = collections_may(c, at, asker);
        if (may == 0 || (name.n > 0 && !is_called(c, at, name, asker)))
            continue;
        list[count++] = (struct page_collection){.kind = at->kind,
            .can_read = (may & COLLECTION_READ) != 0,
            .can_write = (may & COLLECTION_WRITE) != 0,
            .id = at->id,
            .title = at->title,
            .description = at->description,
            .alias = alias_of(c, at, asker),
            .team = at->kind == COLLECTION_TEAM ? store_team_id(c->store, at->team)
                                                : (struct span){NULL, 0}};
    }
    if (name.n > 0 && count == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such collection");
    page_collections_add(out, list, count);
    return buf_check(out, "a list of collections", err);
}
