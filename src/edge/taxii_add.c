/* Adding objects (TAXII 2.1, section 5.5): checked here, handed to core in messages of bounded
 * size, and answered with the status resource once everything is durable. */
#include "edge/ask.h"
#include "edge/taxii.h"
#include "edge/taxii_batch.h"
#include "edge/taxii_posted.h"
#include "edge/taxii_reports.h"
#include "sys/clock.h"

enum { QUESTION_MAX = 4 << 20, NAME_MAX_BYTES = 1024 };

/* The parser of bodies: used and done with inside one callback. */
static struct json *parser;

/* One POST; in its request's arena. */
struct adding {
    struct span collection;
    bool as_stix; /* the body came as application/stix+json */
    int64_t since_us;
    struct posted posted;
    size_t next;  /* object to be sent */
    size_t *sent; /* positions of those in the message that is under way */
    size_t sent_count;
};

static int send_some(struct request *request, struct adding *a, struct err *err);

/* ---- the end ---- */

static int
answer_end(struct request *request, void *ctx, struct span body, struct err *err)
{
    (void)ctx;
    return request_answer(request, 202, TAXII_MEDIA, body, err);
}

static int
ask(struct request *request, struct adding *a, const struct page_add_question *question,
    ask_told *answered, struct err *err)
{
    struct buf text = buf_new(QUESTION_MAX);

    page_add_question_add(&text, question);
    int rc = buf_check(&text, "a request's objects", err);
    if (rc == 0)
        rc = ask_whole(request, MESSAGE_OBJECTS_ADD, buf_span(&text), answered, a, err);
    buf_free(&text);
    return rc;
}

static int
finish(struct request *request, struct adding *a, struct err *err)
{
    struct page_add_question question = {.collection = a->collection,
        .since_us = a->since_us,
        .results = a->posted.results,
        .result_count = a->posted.count};

    return ask(request, a, &question, answer_end, err);
}

/* ---- objects ---- */

static int
take_results(struct request *request, struct adding *a, struct span body, struct err *err)
{
    struct arena *arena = request_arena(request);
    struct page_result *list;
    size_t count;
    struct wire_in in = wire_in(body);
    int rc = page_results_take(arena, &in, &list, &count, err);

    if (rc == 0 && count != a->sent_count)
        rc = err_set(
            err, ERR_INTERNAL, "core tells of %zu objects, and got %zu", count, a->sent_count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (list[i].message.n > 0) {
            struct page_result *result = &a->posted.results[a->sent[i]];
            const char *copy = arena_copy(arena, list[i].message.p, list[i].message.n);
            result->message = (struct span){copy, list[i].message.n};
            if (copy == NULL)
                rc = arena_full(err, "a request's results");
        }
    return rc;
}

static int
answer_some(struct request *request, void *ctx, struct span body, struct err *err)
{
    struct adding *a = ctx;

    int rc = take_results(request, a, body, err);
    return rc == 0 ? send_some(request, a, err) : rc;
}

static int
send_some(struct request *request, struct adding *a, struct err *err)
{
    struct page_object *list =
        arena_zalloc(request_arena(request), a->posted.count + 1, sizeof *list);
    size_t bytes = 0;

    if (list == NULL)
        return arena_full(err, "a request's objects");
    a->sent_count = 0;
    for (; a->next < a->posted.count && bytes < PAGE_ADD_BYTES; a->next++) {
        const struct page_object *object = &a->posted.objects[a->next];
        if (object->json.n == 0 || a->posted.results[a->next].message.n > 0)
            continue;
        list[a->sent_count] = *object;
        a->sent[a->sent_count++] = a->next;
        bytes += object->json.n;
    }
    struct page_add_question question = {
        .collection = a->collection, .objects = list, .object_count = a->sent_count};
    if (a->sent_count == 0)
        return finish(request, a, err);
    return ask(request, a, &question, answer_some, err);
}

/* Reports went their way; what else there is follows. */
static int
after_reports(struct request *request, void *ctx, struct err *err)
{
    struct adding *a = ctx;

    taxii_batch_rejected(&a->posted);
    return send_some(request, a, err);
}

/* ---- the beginning ---- */

static int
read_body(struct request *request, struct adding *a, struct err *err)
{
    struct arena *arena = request_arena(request);

    if (parser == NULL)
        parser = json_new(PAGE_BODY_MAX);
    if (parser == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to read a request");
    int rc = posted_read(arena, parser, request_body(request), &a->posted, err);
    if (rc == 0) {
        a->sent = arena_zalloc(arena, a->posted.count + 1, sizeof *a->sent);
        if (a->sent == NULL)
            rc = arena_full(err, "a request's objects");
    }
    return rc;
}

/* What is JSON and no envelope was understood, and cannot be worked on: 422 (section 5.5). */
static int
refuse_body(struct request *request, int rc, struct err *err)
{
    if (rc == ERR_BAD_TYPE) {
        request_refuse_with(request, 422, err);
        return 0;
    }
    return rc;
}

static int
answer_collection(struct request *request, void *ctx, struct span body, struct err *err)
{
    struct adding *a = ctx;
    struct page_collection *list;
    size_t count;

    int rc = page_collections_take(request_arena(request), body, &list, &count, err);
    if (rc != 0)
        return rc;
    if (count != 1)
        return err_set(err, ERR_NOT_FOUND, "there is no such collection");
    if (!list[0].can_write)
        return err_set(err, ERR_NOT_ALLOWED, "the collection is not for you to change");
    /* Some clients post bundles of STIX; they are taken where reports come in, and only there. */
    if (a->as_stix && list[0].kind != PAGE_KIND_INTAKE)
        return err_set_field(err, ERR_BAD_MEDIA_TYPE, "Content-Type", 12,
            "only " TAXII_MEDIA " is read in this collection");
    rc = read_body(request, a, err);
    if (rc != 0)
        return refuse_body(request, rc, err);
    if (list[0].kind == PAGE_KIND_INTAKE)
        return taxii_reports(request, &a->posted, after_reports, a, err);
    return send_some(request, a, err);
}

static int
check_content_type(const struct request *request, bool *as_stix, struct err *err)
{
    struct span type;
    bool refused;
    enum taxii_media media = request_header(request, "Content-Type", &type)
        ? taxii_media(span_trim(type), &refused)
        : MEDIA_OTHER;

    *as_stix = media == MEDIA_STIX;
    if (media == MEDIA_TAXII || media == MEDIA_STIX)
        return 0;
    return err_set_field(err, ERR_BAD_MEDIA_TYPE, "Content-Type", 12,
        "only " TAXII_MEDIA " is read here: say so in Content-Type");
}

int
taxii_add(struct request *request, struct err *err)
{
    struct adding *a = arena_zalloc(request_arena(request), 1, sizeof *a);
    struct buf question = buf_new(NAME_MAX_BYTES);

    if (a == NULL)
        return arena_full(err, "a request");
    int rc = taxii_check_accept(request, err);
    if (rc == 0)
        rc = check_content_type(request, &a->as_stix, err);
    if (rc == 0 && request_body(request).n > taxii_settings()->max_content_length)
        rc = err_set(err, ERR_LIMIT, "at most %u bytes are taken at once",
            taxii_settings()->max_content_length);
    if (rc == 0) {
        a->collection = request_segment(request, "collection");
        a->since_us = clock_now_us();
        wire_add_text(&question, a->collection);
        if (question.full)
            rc = err_set(err, ERR_NOT_FOUND, "there is no such collection");
    }
    if (rc == 0)
        rc =
            ask_whole(request, MESSAGE_COLLECTIONS, buf_span(&question), answer_collection, a, err);
    buf_free(&question);
    return rc;
}
