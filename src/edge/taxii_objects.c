/* Objects, manifest and versions (TAXII 2.1, sections 5.3, 5.4, 5.6 to 5.8). */
#include "base/time.h"
#include "edge/ask.h"
#include "edge/taxii.h"
#include "edge/taxii_pieces.h"
#include "edge/taxii_query.h"
#include "fmt/json.h"
#include "fmt/stix_check.h"

enum {
    QUESTION_MAX = 64 * 1024,
};

/* One front has one process, and its pieces. */
static struct taxii_pieces *pieces;

/* A page that was asked for; in the request's arena. */
struct wanted {
    struct page_question question;
    struct taxii_query query;
    struct span id; /* of the path; n 0: none */
};

static int ask_page(struct request *request, struct wanted *wanted, bool held, struct err *err);

/* ---- headers (section 3.2) ---- */

static int
add_date(struct request *request, const char *name, int64_t us, struct err *err)
{
    char text[TIME_TEXT_BYTES];

    return request_add_header(request, name, (struct span){text, time_format_us(us, text)}, err);
}

/* Always both: a client that finds none goes on from its own clock. Of an empty page they say where
 * it was asked from. */
static int
add_dates(
    struct request *request, const struct wanted *wanted, const struct page *page, struct err *err)
{
    int64_t from = wanted->query.after_us == INT64_MIN ? 0 : wanted->query.after_us;
    int64_t first = page->last_us == 0 ? from : page->first_us;
    int64_t last = page->last_us == 0 ? from : page->last_us;
    int rc = add_date(request, "X-TAXII-Date-Added-First", first, err);

    return rc == 0 ? add_date(request, "X-TAXII-Date-Added-Last", last, err) : rc;
}

/* ---- bodies ---- */

static void
add_more(struct buf *out, const struct wanted *wanted, const struct page *page)
{
    buf_add_text(out, page->more ? "{\"more\":true" : "{\"more\":false");
    if (page->more) {
        buf_add_text(out, ",\"next\":\"");
        taxii_query_next(out, &wanted->query, page->last_us);
        buf_add_char(out, '"');
    }
}

static void
add_us(struct buf *out, int64_t us)
{
    char text[TIME_TEXT_BYTES];

    buf_add(out, text, time_format_us(us, text));
}

/* An object without a version has the time when it was added (section 3.4.1). */
static void
add_version(struct buf *out, const struct page_row *row)
{
    buf_add_char(out, '"');
    if (row->version_us == 0)
        add_us(out, row->added_us);
    else
        stix_check_add_time(out, row->version_us);
    buf_add_char(out, '"');
}

static void
add_row(struct buf *out, const struct page_row *row)
{
    buf_add_text(out, "{\"id\":");
    json_add_string(out, row->id);
    buf_add_text(out, ",\"date_added\":\"");
    add_us(out, row->added_us);
    buf_add_text(out, "\",\"version\":");
    add_version(out, row);
    buf_add_text(out,
        row->spec == 20 ? ",\"media_type\":\"application/stix+json;version=2.0\"}"
                        : ",\"media_type\":\"" TAXII_STIX "\"}");
}

static void
add_rows(struct buf *out, const struct wanted *wanted, const struct page *page)
{
    bool versions = wanted->question.what == PAGE_VERSIONS;

    add_more(out, wanted, page);
    buf_add_text(out, versions ? ",\"versions\":[" : ",\"objects\":[");
    for (size_t i = 0; i < page->row_count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        if (versions)
            add_version(out, &page->rows[i]);
        else
            add_row(out, &page->rows[i]);
    }
    buf_add_text(out, "]}");
}

/* 1: pieces are missing. */
static int
add_objects(struct buf *out, const struct wanted *wanted, const struct page *page, struct err *err)
{
    if (pieces == NULL)
        pieces = taxii_pieces_new(taxii_settings()->cache_bytes);
    if (pieces == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for pieces of collections");
    add_more(out, wanted, page);
    buf_add_text(out, ",\"objects\":[");
    int rc = taxii_pieces_join(pieces, page, out, err);
    buf_add_text(out, "]}");
    return rc;
}

void
taxii_rest(void)
{
    taxii_pieces_rest(pieces);
}

/* ---- asking and answering ---- */

static int
answer_page_with(
    struct request *request, struct wanted *wanted, const struct page *page, struct err *err)
{
    struct buf out = buf_new(PAGE_UNPACKED_MAX + 16384);
    int rc = 0;

    if (page->last_us == 0)
        buf_add_text(&out, "{}"); /* an empty list is left out (sections 3.7, 5.4) */
    else if (wanted->question.what == PAGE_OBJECTS)
        rc = add_objects(&out, wanted, page, err);
    else
        add_rows(&out, wanted, page);
    if (rc == 0)
        rc = add_dates(request, wanted, page, err);
    if (rc == 0)
        return taxii_answer(request, 200, &out, err);
    buf_free(&out);
    return rc == 1 ? ask_page(request, wanted, false, err) : rc;
}

static int
answer_page(struct request *request, void *ctx, struct span body, struct err *err)
{
    struct wanted *wanted = ctx;
    struct page page;

    int rc = page_take(request_arena(request), body, &page, err);
    if (rc != 0)
        return rc;
    if (page.last_us == 0 && wanted->id.n > 0 && wanted->query.after_us == INT64_MIN)
        return err_set(err, ERR_NOT_FOUND, "the collection has no such object");
    return answer_page_with(request, wanted, &page, err);
}

static int
ask_page(struct request *request, struct wanted *wanted, bool held, struct err *err)
{
    struct buf question = buf_new(QUESTION_MAX);

    wanted->question.no_bodies = held && taxii_pieces_bytes(pieces) > 0;
    page_question_add(&question, &wanted->question);
    int rc = buf_check(&question, "a question for objects", err);
    if (rc == 0)
        rc = ask_whole(request, MESSAGE_OBJECTS, buf_span(&question), answer_page, wanted, err);
    buf_free(&question);
    return rc;
}

/* The object named in the path takes the place of match[id]. */
static int
read_wanted(struct request *request, enum page_what what, struct wanted **out, struct err *err)
{
    struct arena *arena = request_arena(request);
    struct wanted *wanted = arena_zalloc(arena, 1, sizeof *wanted);
    struct span collection = request_segment(request, "collection");

    if (wanted == NULL)
        return arena_full(err, "a request");
    wanted->id = request_segment(request, "id");
    int rc = taxii_check_accept(request, err);
    if (rc == 0)
        rc = taxii_query_read(request, arena, what, collection, wanted->id,
            taxii_settings()->page_max, &wanted->query, err);
    if (rc != 0)
        return rc;
    struct page_question *q = &wanted->question;
    q->what = (uint8_t)what;
    q->collection = collection;
    q->after_us = wanted->query.after_us;
    q->limit = wanted->query.limit;
    q->filter = wanted->query.filter;
    if (wanted->id.n > 0) {
        q->filter.ids = &wanted->id;
        q->filter.id_count = 1;
        q->filter.type_count = 0;
    }
    *out = wanted;
    return 0;
}

static int
page(struct request *request, enum page_what what, struct err *err)
{
    struct wanted *wanted = NULL;
    int rc = read_wanted(request, what, &wanted, err);

    return rc == 0 ? ask_page(request, wanted, true, err) : rc;
}

/* Those of the collection, or the versions of the one that the path names. */
int
taxii_objects(struct request *request, struct err *err)
{
    return page(request, PAGE_OBJECTS, err);
}

int
taxii_manifest(struct request *request, struct err *err)
{
    return page(request, PAGE_MANIFEST, err);
}

/* All of an object's versions, whatever match[version] says (section 5.8). */
int
taxii_versions(struct request *request, struct err *err)
{
    struct wanted *wanted = NULL;
    int rc = read_wanted(request, PAGE_VERSIONS, &wanted, err);

    if (rc != 0)
        return rc;
    struct page_filter *f = &wanted->question.filter;
    f->all = true;
    f->first = f->last = false;
    f->named_count = 0;
    return ask_page(request, wanted, false, err);
}

/* ---- delete (section 5.7) ---- */

static int
answer_removed(struct request *request, void *ctx, struct span body, struct err *err)
{
    struct buf out = buf_new(16);

    (void)ctx;
    (void)body;
    buf_add_text(&out, "{}");
    return taxii_answer(request, 200, &out, err);
}

/* Without match[version] all versions go. */
int
taxii_remove(struct request *request, struct err *err)
{
    struct wanted *wanted = NULL;
    struct buf question = buf_new(QUESTION_MAX);
    int rc = read_wanted(request, PAGE_OBJECTS, &wanted, err);

    if (rc == 0) {
        struct page_filter *f = &wanted->question.filter;
        if (!f->first && !f->last && f->named_count == 0)
            f->all = true;
        page_question_add(&question, &wanted->question);
        rc = buf_check(&question, "a question for objects", err);
    }
    if (rc == 0)
        rc = ask_whole(
            request, MESSAGE_OBJECTS_REMOVE, buf_span(&question), answer_removed, NULL, err);
    buf_free(&question);
    return rc;
}
