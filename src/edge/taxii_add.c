/* Adding objects (TAXII 2.1, section 5.5): checked here, handed to core in messages of bounded
 * size, and answered with the status resource once everything is durable. */
#include "edge/ask.h"
#include "edge/hand.h"
#include "edge/taxii.h"
#include "model/link.h"
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
    struct request *request;
    struct hand *hand;
};

/* ---- the end ---- */

static int
answer_end(struct request *request, void *ctx, struct span body, struct err *err)
{
    (void)ctx;
    return request_answer(request, 202, TAXII_MEDIA, body, err);
}

static int
finish(struct request *request, struct adding *a, struct err *err)
{
    const struct page_add_question question = {.collection = a->collection,
        .since_us = a->since_us,
        .results = a->posted.results,
        .result_count = a->posted.count};
    struct buf text = buf_new(QUESTION_MAX);

    page_add_question_add(&text, &question);
    int rc = buf_check(&text, "a request's objects", err);
    if (rc == 0)
        rc = ask_whole(request, MESSAGE_OBJECTS_ADD, buf_span(&text), answer_end, a, err);
    buf_free(&text);
    return rc;
}

static int
told_dates(struct request *request, void *ctx, struct span body, struct err *err)
{
    (void)body;
    return finish(request, ctx, err);
}

/* Another node says what its POST is all of (model/link.h). */
static int
tell_dates(struct request *request, struct adding *a, struct err *err)
{
    struct buf body = buf_new(64);
    struct link_dates dates;
    struct span text;

    if (!request_header(request, LINK_DATES_HEADER, &text) || !link_dates_parse(text, &dates))
        return finish(request, a, err);
    link_dates_add(&body, &dates);
    int rc = ask_whole(request, MESSAGE_LINK_GOT, buf_span(&body), told_dates, a, err);
    buf_free(&body);
    return rc;
}

static void
on_handed(void *ctx, const struct err *why)
{
    struct adding *a = ctx;
    struct err err = {0};
    bool partner = request_door(a->request) == DOOR_PARTNERS;

    if (why != NULL)
        request_refuse(a->request, why);
    else if ((partner ? tell_dates : finish)(a->request, a, &err) != 0)
        request_refuse(a->request, &err);
}

static void
drop_hand(void *ctx)
{
    struct adding *a = ctx;

    hand_free(a->hand);
}

static int
hand_on(struct request *request, struct adding *a, bool reports, struct err *err)
{
    const struct posted_way way = {.talks = ask_talks(request),
        .caller = request_caller(request),
        .arena = request_arena(request),
        .name = SPAN("TAXII")};
    int rc = request_on_end(request, drop_hand, a, err);

    if (rc != 0)
        return rc;
    request_hold(request);
    return hand_begin(&way, a->collection, &a->posted, reports, on_handed, a, &a->hand, err);
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
    return posted_read(arena, parser, request_body(request), &a->posted, err);
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
    return hand_on(request, a, list[0].kind == PAGE_KIND_INTAKE, err);
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
        a->request = request;
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
