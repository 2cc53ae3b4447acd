#include "edge/hand.h"

#include "base/messages.h"
#include "edge/taxii_batch.h"

#include <stdlib.h>

enum { QUESTION_MAX = 4 << 20, RESULTS_MAX = 16 << 20 };

struct hand {
    struct posted_way way;
    struct span collection;
    struct posted *posted;
    void (*done)(void *ctx, const struct err *why);
    void *ctx;
    struct taxii_reports *reports;
    struct page_object *list; /* the message that is under way, and where its objects are from */
    size_t *sent;
    size_t sent_count;
    size_t next;        /* object to be sent */
    struct buf results; /* parts of core's answer */
    uint64_t tag;
    bool asking;
};

static int send_some(struct hand *hand, struct err *err);

void
hand_free(struct hand *hand)
{
    if (hand == NULL)
        return;
    if (hand->asking)
        talk_end(hand->way.talks, hand->tag);
    taxii_reports_free(hand->reports);
    buf_free(&hand->results);
    free(hand->list);
    free(hand->sent);
    free(hand);
}

static int
take_results(struct hand *hand, struct span body, struct err *err)
{
    struct page_result *list;
    size_t count;
    struct wire_in in = wire_in(body);
    int rc = page_results_take(hand->way.arena, &in, &list, &count, err);

    if (rc == 0 && count != hand->sent_count)
        rc = err_set(
            err, ERR_INTERNAL, "core tells of %zu objects, and got %zu", count, hand->sent_count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (list[i].message.n > 0) {
            struct page_result *result = &hand->posted->results[hand->sent[i]];
            const char *copy = arena_copy(hand->way.arena, list[i].message.p, list[i].message.n);
            result->message = (struct span){copy, list[i].message.n};
            if (copy == NULL)
                rc = arena_full(err, "a request's results");
        }
    return rc;
}

static void
on_results(void *ctx, struct span body, bool more, const struct err *why)
{
    struct hand *hand = ctx;
    struct err err = {0};

    hand->asking = more;
    if (why == NULL)
        buf_add_span(&hand->results, body);
    if (more)
        return;
    if (why != NULL) {
        hand->done(hand->ctx, why);
        return;
    }
    int rc = buf_check(&hand->results, "results of objects", &err);
    if (rc == 0)
        rc = take_results(hand, buf_span(&hand->results), &err);
    hand->results.n = 0;
    if (rc == 0)
        rc = send_some(hand, &err);
    if (rc != 0)
        hand->done(hand->ctx, &err);
}

static int
ask(struct hand *hand, struct err *err)
{
    const struct page_add_question question = {
        .collection = hand->collection, .objects = hand->list, .object_count = hand->sent_count};
    const struct talk talk = {.ctx = hand, .answered = on_results};
    struct buf text = buf_new(QUESTION_MAX);

    page_add_question_add(&text, &question);
    int rc = buf_check(&text, "a request's objects", err);
    if (rc == 0)
        rc = talk_begin(hand->way.talks, MESSAGE_OBJECTS_ADD, hand->way.caller, buf_span(&text),
            &talk, &hand->tag, err);
    hand->asking = rc == 0;
    buf_free(&text);
    return rc;
}

/* The next message of objects; when there is none, all is there. */
static int
send_some(struct hand *hand, struct err *err)
{
    const struct posted *posted = hand->posted;
    size_t bytes = 0;

    hand->sent_count = 0;
    for (; hand->next < posted->count && bytes < PAGE_ADD_BYTES; hand->next++) {
        const struct page_object *object = &posted->objects[hand->next];
        if (object->json.n == 0 || posted->results[hand->next].message.n > 0)
            continue;
        hand->list[hand->sent_count] = *object;
        hand->sent[hand->sent_count++] = hand->next;
        bytes += object->json.n;
    }
    if (hand->sent_count > 0)
        return ask(hand, err);
    hand->done(hand->ctx, NULL);
    return 0;
}

static void
after_reports(void *ctx, const struct err *why)
{
    struct hand *hand = ctx;
    struct err err = {0};

    if (why != NULL) {
        hand->done(hand->ctx, why);
        return;
    }
    taxii_batch_rejected(hand->posted);
    if (send_some(hand, &err) != 0)
        hand->done(hand->ctx, &err);
}

static int
hand_new(size_t count, struct hand **out, struct err *err)
{
    struct hand *hand = calloc(1, sizeof *hand);

    if (hand != NULL) {
        hand->results = buf_new(RESULTS_MAX);
        hand->list = calloc(count + 1, sizeof *hand->list);
        hand->sent = calloc(count + 1, sizeof *hand->sent);
        if (hand->list != NULL && hand->sent != NULL) {
            *out = hand;
            return 0;
        }
    }
    hand_free(hand);
    return err_set(err, ERR_NO_MEMORY, "no memory for a request's objects");
}

int
hand_begin(const struct posted_way *way, struct span collection, struct posted *posted,
    bool reports, void (*done)(void *ctx, const struct err *why), void *ctx, struct hand **out,
    struct err *err)
{
    int rc = hand_new(posted->count, out, err);

    if (rc != 0)
        return rc;
    struct hand *hand = *out; /* its owner may free it in DONE, before this returns */
    hand->way = *way;
    hand->collection = collection;
    hand->posted = posted;
    hand->done = done;
    hand->ctx = ctx;
    rc = reports ? taxii_reports_begin(way, posted, after_reports, hand, &hand->reports, err)
                 : send_some(hand, err);
    if (rc == 0)
        return 0;
    hand_free(hand);
    *out = NULL;
    return rc;
}
