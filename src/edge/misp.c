#include "edge/misp.h"
#include "base/hash.h"
#include "edge/ask.h"
#include "edge/misp_event.h"
#include "edge/taxii_pieces.h"
#include "fmt/json.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    OBJECTS_MAX = 32 << 20, /* STIX of one event */
    ANSWER_MAX = 64 << 20,
    PIECES_BYTES = 4 << 20,
    EVENTS_MAX = 100000, /* of one feed */
    RECALLED_MAX = 1 << 20,
    QUESTION_MAX = 8192,
    TAG_BYTES = 24
};
#define JSON_TYPE "application/json"

static struct taxii_pieces *pieces;

enum wanted { WANTED_MANIFEST, WANTED_HASHES, WANTED_EVENT };

/* One request: the events of the feed, then (for hashes) their objects one after the other. */
struct feed {
    enum wanted wanted;
    struct feed_about about;   /* of the first answer, in the request's arena */
    struct feed_event *events; /* malloc'ed */
    size_t count;
    size_t next;
    struct misp_event event; /* that is gathered */
    int64_t after_us;
    bool held;
    struct request *request;
    struct table *recalled; /* UUIDs of reports that were taken back; NULL: none so far */
    struct buf objects;
    struct buf out;
};

static int ask_events(
    struct request *request, struct feed *feed, int64_t after_us, struct err *err);
static int ask_part(struct request *request, struct feed *feed, struct err *err);

static void
feed_free(void *ctx)
{
    struct feed *feed = ctx;

    free(feed->events);
    table_free(feed->recalled);
    buf_free(&feed->objects);
    buf_free(&feed->out);
    free(feed);
}

/* ---- ETag (RFC 9110, section 8.8.3) ---- */

static void
make_tag(const struct feed_about *about, int64_t first_us, int64_t last_us, char out[TAG_BYTES])
{
    const uint64_t facts[] = {about->objects, (uint64_t)about->last_us, (uint64_t)first_us,
        (uint64_t)last_us, hash_bytes(about->origin_name.p, about->origin_name.n, 0)};
    uint64_t h =
        hash_bytes(about->collection.p, about->collection.n, hash_bytes(facts, sizeof facts, 0));

    (void)snprintf(out, TAG_BYTES, "\"%016llx\"", (unsigned long long)h);
}

/* 1: the client has it already, and was told so. */
static int
check_tag(struct request *request, const char *tag, struct err *err)
{
    struct span given;
    struct span part;
    int rc = request_add_header(request, "ETag", span_of(tag), err);

    if (rc == 0)
        rc = request_add_header(request, "Cache-Control", SPAN("private, no-cache"), err);
    if (rc != 0 || !request_header(request, "If-None-Match", &given))
        return rc;
    while (span_next(&given, ',', &part)) {
        part = span_trim(part);
        if (span_starts(part, SPAN("W/")))
            part = (struct span){part.p + 2, part.n - 2};
        if (span_equal(part, span_of(tag)) || span_equal(part, SPAN("*"))) {
            rc = request_answer(request, 304, JSON_TYPE, SPAN(""), err);
            return rc == 0 ? 1 : rc;
        }
    }
    return 0;
}

/* ---- the manifest ---- */

static int
answer_buf(struct request *request, struct feed *feed, const char *type, struct err *err)
{
    int rc = buf_check(&feed->out, "a feed", err);

    return rc == 0 ? request_answer_owned(request, 200, type, &feed->out, err) : rc;
}

static int
answer_manifest(struct request *request, struct feed *feed, struct err *err)
{
    buf_add_char(&feed->out, '{');
    for (size_t i = 0; i < feed->count; i++) {
        char uuid[MISP_UUID_BYTES];
        misp_event_uuid(feed->about.collection, feed->events[i].first_us, uuid);
        buf_format(&feed->out, "%s\"%.*s\":{", i == 0 ? "" : ",", (int)sizeof uuid, uuid);
        const struct feed_event *event = &feed->events[i];
        misp_event_head(&feed->out, &feed->about, event->first_us,
            event->changed_us > event->last_us ? event->changed_us : event->last_us);
        buf_add_text(&feed->out, ",\"Tag\":[]}");
    }
    buf_add_char(&feed->out, '}');
    return answer_buf(request, feed, JSON_TYPE, err);
}

/* ---- one event's objects ---- */

static int next_hashes(struct request *request, struct feed *feed, struct err *err);

static int
gathered(struct request *request, struct feed *feed, struct err *err)
{
    char tag[TAG_BYTES];

    buf_add_char(&feed->objects, ']');
    int rc = buf_check(&feed->objects, "an event's objects", err);
    feed->event.objects = buf_span(&feed->objects);
    if (rc != 0)
        return rc;
    if (feed->wanted == WANTED_HASHES) {
        rc = misp_event_hashes(&feed->out, &feed->event, err);
        return rc == 0 ? next_hashes(request, feed, err) : rc;
    }
    /* An event that is whole stays as it is, whatever comes behind it. */
    feed->event.about.objects = 0;
    feed->event.about.last_us = 0;
    make_tag(&feed->event.about, feed->event.first_us,
        feed->event.changed_us > feed->event.last_us ? feed->event.changed_us : feed->event.last_us,
        tag);
    rc = check_tag(request, tag, err);
    if (rc != 0)
        return rc == 1 ? 0 : rc;
    rc = misp_event_write(&feed->out, &feed->event, err);
    return rc == 0 ? answer_buf(request, feed, JSON_TYPE, err) : rc;
}

void
misp_rest(void)
{
    taxii_pieces_rest(pieces);
}

/* UUIDs must outlive the answer: the table borrows. */
static int
take_recalled(struct feed *feed, const struct feed_part *part, struct err *err)
{
    uint32_t index;
    int rc = 0;

    if (part->recalled_count > 0 && feed->recalled == NULL
        && (feed->recalled = table_new(RECALLED_MAX)) == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an event");
    for (size_t i = 0; rc == 0 && i < part->recalled_count; i++) {
        struct span id = part->recalled[i];
        const char *copy = arena_copy(request_arena(feed->request), id.p, id.n);
        if (copy == NULL)
            return arena_full(err, "an event");
        if (table_find(feed->recalled, id) < 0)
            rc = table_add(feed->recalled, (struct span){copy, id.n}, &index, err);
    }
    feed->event.recalled = feed->recalled;
    if (part->changed_us > feed->event.changed_us)
        feed->event.changed_us = part->changed_us;
    return rc;
}

static int
take_part(struct request *request, struct feed *feed, const struct feed_part *part, struct err *err)
{
    if (pieces == NULL)
        pieces = taxii_pieces_new(PIECES_BYTES);
    if (pieces == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a feed");
    int rc = taxii_pieces_join(pieces, &part->page, &feed->objects, err);
    if (rc == 1) {
        feed->held = false;
        return ask_part(request, feed, err);
    }
    if (rc != 0)
        return rc;
    rc = take_recalled(feed, part, err);
    if (rc != 0)
        return rc;
    feed->after_us = part->page.last_us;
    feed->event.last_us = part->page.last_us;
    feed->held = true;
    return part->last ? gathered(request, feed, err) : ask_part(request, feed, err);
}

static int
answer_part(struct request *request, void *ctx, struct span body, struct err *err)
{
    struct feed *feed = ctx;
    struct feed_part part;

    int rc = feed_part_take(request_arena(request), body, &part, err);
    if (rc != 0)
        return rc;
    feed->event.about = part.about; /* lives while this is called */
    /* The UUID names one event of this very collection. */
    if (feed->objects.n == 1) {
        char uuid[MISP_UUID_BYTES];
        struct span file = request_segment(request, "file");
        misp_event_uuid(part.about.collection, feed->event.first_us, uuid);
        if (part.page.first_us != feed->event.first_us
            || (feed->wanted == WANTED_EVENT
                && !span_equal_nocase(
                    (struct span){uuid, sizeof uuid}, (struct span){file.p, MISP_UUID_BYTES})))
            return err_set(err, ERR_NOT_FOUND, "the feed has no such event");
    }
    return take_part(request, feed, &part, err);
}

static int
ask_part(struct request *request, struct feed *feed, struct err *err)
{
    struct buf question = buf_new(QUESTION_MAX);

    wire_add_i64(&question, feed->after_us);
    wire_add_u8(&question, feed->held && taxii_pieces_bytes(pieces) > 0);
    int rc = buf_check(&question, "a question", err);
    if (rc == 0)
        rc = ask_whole(request, MESSAGE_MISP_EVENT, buf_span(&question), answer_part, feed, err);
    buf_free(&question);
    return rc;
}

static int
gather(struct request *request, struct feed *feed, int64_t first_us, struct err *err)
{
    feed->objects.n = 0;
    buf_add_char(&feed->objects, '[');
    feed->event.first_us = first_us;
    feed->event.changed_us = 0;
    feed->after_us = first_us - 1;
    feed->held = true;
    return ask_part(request, feed, err);
}

static int
next_hashes(struct request *request, struct feed *feed, struct err *err)
{
    if (feed->next == feed->count)
        return answer_buf(request, feed, "text/csv; charset=utf-8", err);
    return gather(request, feed, feed->events[feed->next++].first_us, err);
}

/* ---- the list of events ---- */

static int
keep_about(
    struct request *request, struct feed *feed, const struct feed_about *from, struct err *err)
{
    struct arena *arena = request_arena(request);
    struct span *texts[] = {
        &feed->about.collection, &feed->about.team, &feed->about.origin, &feed->about.origin_name};

    feed->about = *from;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        texts[i]->p = arena_copy(arena, texts[i]->p, texts[i]->n);
        if (texts[i]->p == NULL)
            return arena_full(err, "a feed");
    }
    return 0;
}

static int
keep_events(struct feed *feed, const struct feed_manifest *m, struct err *err)
{
    if (feed->count + m->count > EVENTS_MAX)
        return err_set(err, ERR_LIMIT, "the feed has more than %d events", EVENTS_MAX);
    struct feed_event *grown = realloc(feed->events, (feed->count + m->count + 1) * sizeof *grown);
    if (grown == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a feed");
    feed->events = grown;
    if (m->count > 0)
        memcpy(grown + feed->count, m->events, m->count * sizeof *grown);
    feed->count += m->count;
    return 0;
}

static int
answer_events(struct request *request, void *ctx, struct span body, struct err *err)
{
    struct feed *feed = ctx;
    struct feed_manifest m;
    char tag[TAG_BYTES];

    int rc = feed_manifest_take(request_arena(request), body, &m, err);
    if (rc == 0 && feed->about.collection.n == 0) {
        rc = keep_about(request, feed, &m.about, err);
        make_tag(&m.about, feed->wanted == WANTED_HASHES ? 1 : 0, 0, tag);
        if (rc == 0)
            rc = check_tag(request, tag, err);
        if (rc != 0)
            return rc == 1 ? 0 : rc;
    }
    if (rc == 0)
        rc = keep_events(feed, &m, err);
    if (rc != 0)
        return rc;
    if (m.more)
        return ask_events(request, feed, m.resume_us, err);
    return feed->wanted == WANTED_MANIFEST ? answer_manifest(request, feed, err)
                                           : next_hashes(request, feed, err);
}

static int
ask_events(struct request *request, struct feed *feed, int64_t after_us, struct err *err)
{
    struct buf question = buf_new(64);

    wire_add_i64(&question, after_us);
    int rc =
        ask_whole(request, MESSAGE_MISP_MANIFEST, buf_span(&question), answer_events, feed, err);
    buf_free(&question);
    return rc;
}

/* ---- routes ---- */

static int
begin(struct request *request, enum wanted wanted, struct feed **out, struct err *err)
{
    struct feed *feed = calloc(1, sizeof *feed);

    if (feed == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a feed");
    feed->wanted = wanted;
    feed->request = request;
    feed->objects = buf_new(OBJECTS_MAX);
    feed->out = buf_new(ANSWER_MAX);
    int rc = request_on_end(request, feed_free, feed, err);
    if (rc != 0)
        feed_free(feed);
    *out = rc == 0 ? feed : NULL;
    return rc;
}

static int
manifest(struct request *request, struct err *err)
{
    struct feed *feed = NULL;
    int rc = begin(request, WANTED_MANIFEST, &feed, err);

    return rc == 0 ? ask_events(request, feed, INT64_MIN, err) : rc;
}

static int
hashes(struct request *request, struct err *err)
{
    struct feed *feed = NULL;
    int rc = begin(request, WANTED_HASHES, &feed, err);

    return rc == 0 ? ask_events(request, feed, INT64_MIN, err) : rc;
}

static int
event(struct request *request, struct err *err)
{
    struct feed *feed = NULL;
    struct span file = request_segment(request, "file");
    int64_t first_us;

    if (!span_ends(file, SPAN(".json"))
        || !misp_event_first((struct span){file.p, file.n - 5}, SPAN(""), &first_us))
        return err_set(err, ERR_NOT_FOUND, "a feed has manifest.json, hashes.csv and UUID.json");
    int rc = begin(request, WANTED_EVENT, &feed, err);
    return rc == 0 ? gather(request, feed, first_us, err) : rc;
}

/* As MISP says it. */
static int
refuse(struct request *request, unsigned status, const struct err *why, struct err *err)
{
    struct buf out = buf_new(4096);

    buf_add_text(&out, "{\"name\":");
    json_add_string(&out, span_of(err_word(why->code)));
    buf_add_text(&out, ",\"message\":");
    json_add_string(&out, span_of(why->msg));
    buf_add_text(&out, ",\"url\":");
    json_add_string(&out, request_path(request));
    buf_add_char(&out, '}');
    return request_answer_owned(request, status, JSON_TYPE, &out, err);
}

static const struct route routes[] = {
    {"GET", "/misp/manifest.json", BODY_NONE, 0, true, manifest},
    {"GET", "/misp/hashes.csv", BODY_NONE, 0, true, hashes},
    {"GET", "/misp/{file}", BODY_NONE, 0, true, event},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};
const struct route_family misp_family = {"misp", "/misp/", routes, refuse, false};
