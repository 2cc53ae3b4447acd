/* page.h: what do a front and core say to each other about collections and their objects?
 *
 * The bodies of COLLECTIONS, OBJECTS, OBJECTS_ADD, OBJECTS_REMOVE, ADD_STATUS
 * (tables/messages.def), written and read here for both sides. Texts that are taken borrow from the
 * message; lists live in the arena given. All `_take` functions: ERR_INTERNAL (only a broken role
 * sends such bytes), ERR_LIMIT (arena).
 */
#ifndef COMITY_MODEL_PAGE_H
#define COMITY_MODEL_PAGE_H

#include "base/mem.h"
#include "base/merkle.h"
#include "base/wire.h"

enum {
    PAGE_FILTER_MAX = 256,       /* values of one match filter */
    PAGE_LIMIT_MAX = 10000,      /* objects a page */
    PAGE_OBJECT_MAX = 1 << 20,   /* bytes of one posted object */
    PAGE_ADD_BYTES = 1 << 20,    /* of objects in one OBJECTS_ADD, one object aside */
    PAGE_BODY_MAX = 4 << 20,     /* bytes of one POST */
    PAGE_PACKED_MAX = 3 << 20,   /* of packed pieces in one answer */
    PAGE_UNPACKED_MAX = 8 << 20, /* of one piece, or one page, in the front */
};

/* ---- COLLECTIONS: question: the id or alias (n 0: all) ---- */

enum page_kind { /* as enum store_collection_kind, which a front does not see */
    PAGE_KIND_TEAM = 1,
    PAGE_KIND_COMMUNITY,
    PAGE_KIND_DIRECTORY,
    PAGE_KIND_INTAKE,
    PAGE_KIND_SHARED,
};
struct page_collection {
    uint8_t kind; /* enum page_kind */
    bool can_read;
    bool can_write;
    struct span id;
    struct span title;
    struct span description;
    struct span alias;
    struct span team; /* whose it is; n 0: nobody's */
    uint64_t objects;
    int64_t last_us;
};
void page_collections_add(struct buf *out, const struct page_collection *list, size_t count);
MUST_USE int page_collections_take(struct arena *arena, struct span body,
    struct page_collection **list, size_t *count, struct err *err);

/* ---- OBJECTS ---- */

enum page_what { PAGE_OBJECTS, PAGE_MANIFEST, PAGE_VERSIONS };
enum page_versions { PAGE_LAST, PAGE_FIRST, PAGE_ALL, PAGE_NAMED };

struct page_filter {
    const struct span *ids;
    size_t id_count;
    const struct span *types;
    size_t type_count;
    const uint8_t *specs; /* 20, 21 */
    size_t spec_count;
    /* Any of these; none: the last. */
    bool first;
    bool last;
    bool all;
    const int64_t *named_us;
    size_t named_count;
};
struct page_question {
    uint8_t what;           /* enum page_what */
    struct span collection; /* id or alias */
    int64_t after_us;       /* exclusive; INT64_MIN: from the beginning */
    uint32_t limit;
    struct page_filter filter;
    bool no_bodies; /* the asker may have the pieces, and asks again if it has not */
};
void page_question_add(struct buf *out, const struct page_question *question);
MUST_USE int page_question_take(
    struct arena *arena, struct wire_in *in, struct page_question *question, struct err *err);

/* Objects that lie one behind the other in a piece. */
struct page_run {
    uint64_t piece;
    struct span packed; /* zstd; n 0: not wanted, or sent with an earlier run */
    uint32_t raw_bytes; /* the piece's, unpacked */
    uint32_t begin;
    uint32_t end;
};
struct page_row {
    struct span id;
    int64_t added_us;
    int64_t version_us;
    uint8_t spec;
};
struct page {
    bool more;
    int64_t first_us; /* date_added of the first and the last; 0: the page is empty */
    int64_t last_us;
    struct page_run *runs; /* PAGE_OBJECTS */
    size_t run_count;
    struct page_row *rows; /* the others */
    size_t row_count;
};
void page_add(struct buf *out, const struct page *page);
MUST_USE int page_take(struct arena *arena, struct span body, struct page *page, struct err *err);

/* ---- OBJECTS_ADD and ADD_STATUS ---- */

/* What stood before a comity-batch object in its envelope, back to the one before, as the front
 * found it: items (doc/ledger-format.md), the root over them under the object's salt, and what
 * became of them as reports. */
struct page_batch {
    uint64_t items;
    struct merkle_hash root;
    uint32_t stored;
    uint32_t duplicate;
    uint32_t rejected;
};
struct page_object {
    struct span id;
    int64_t version_us; /* 0: it has none */
    uint8_t spec;
    struct span json;
    const struct page_batch *batch; /* of a comity-batch whose salt is one; else NULL */
};
/* Objects, answered by what became of each; or (COUNT 0) the end of a request, answered by the
 * status resource as JSON. */
struct page_result {
    struct span id;
    struct span version; /* text; n 0: none */
    struct span message; /* n 0: it is there */
};
struct page_add_question {
    struct span collection;
    int64_t since_us; /* when the request came; 0 in the former form */
    const struct page_object *objects;
    size_t object_count;
    const struct page_result *results;
    size_t result_count;
};
void page_add_question_add(struct buf *out, const struct page_add_question *question);
MUST_USE int page_add_question_take(
    struct arena *arena, struct wire_in *in, struct page_add_question *question, struct err *err);
void page_results_add(struct buf *out, const struct page_result *list, size_t count);
MUST_USE int page_results_take(struct arena *arena, struct wire_in *in, struct page_result **list,
    size_t *count, struct err *err);

#endif
