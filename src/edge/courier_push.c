/* What waits for links' nodes goes there: core gives an envelope, it is posted, core hears that it
 * arrived. What was posted and not told (core or courier ended in between) is posted again: the
 * other node knows it. */
#include "base/log.h"
#include "base/messages.h"
#include "edge/coding.h"
#include "edge/courier_way.h"
#include "edge/http_url.h"
#include "fmt/json.h"

#include <stdlib.h>

enum { PACKED_MAX = LINK_ENVELOPE_MAX + 65536, STATUS_BYTES_MAX = 8 << 20 };
#define INTAKE "/comity/collections/intake/objects/"

enum push_state {
    PUSH_IDLE,
    PUSH_TURN,  /* it waits for its turn */
    PUSH_TAKES, /* LINK_TAKE */
    PUSH_SENDS,
    PUSH_SAYS, /* LINK_SENT */
};

struct push {
    struct way way;
    enum push_state state;
    bool waits; /* LINK_TAKE may give something */
    bool plain; /* the other node refused it gzipped */
    uint64_t tag;
    struct link_dates dates; /* of what is sent */
    uint32_t objects;
    struct buf packed;
    struct buf answer; /* parts of core's */
};

/* The parser of statuses: used and done with inside one callback. */
static struct json *parser;

static void go(struct way *way);

static struct push *
push_of(void *ctx)
{
    return ctx;
}

static void
stop(struct way *way)
{
    struct push *push = push_of(way);

    if (push->state == PUSH_TAKES || push->state == PUSH_SAYS)
        talk_end(way->courier->talks, push->tag);
    if (push->state != PUSH_IDLE)
        push->waits = true; /* unless LINK_TAKE says no */
    push->state = PUSH_IDLE;
    buf_free(&push->packed);
    push->packed = buf_new(PACKED_MAX);
    buf_free(&push->answer);
    push->answer = buf_new(CHANNEL_BODY_MAX);
}

static void
update(struct way *way, const struct link *link)
{
    struct push *push = push_of(way);

    if (push->packed.max_bytes == 0) {
        push->packed = buf_new(PACKED_MAX);
        push->answer = buf_new(CHANNEL_BODY_MAX);
    }
    push->waits = push->waits || link->waits;
}

/* ---- what the other node said ---- */

static uint64_t
number_of(struct json_value root, const char *name)
{
    struct json_value v;

    return json_get(root, name, &v) && (json_type(v) == JSON_INT || json_type(v) == JSON_UINT)
        ? json_uint(v)
        : 0;
}

static struct span
first_failure(struct json_value root)
{
    struct json_value list;
    struct json_value item;
    struct json_value message;
    struct span key;

    if (!json_get(root, "failures", &list) || json_type(list) != JSON_ARRAY)
        return SPAN("");
    struct json_iter it = json_iter(list);
    if (json_next(&it, &key, &item) && json_type(item) == JSON_OBJECT
        && json_get(item, "message", &message) && json_type(message) == JSON_STRING)
        return json_string(message);
    return SPAN("");
}

/* What was not taken stays not taken: the next goes all the same. */
static void
tell_failures(const struct push *push, struct span status)
{
    struct json_value root;

    if (parser == NULL)
        parser = json_new(STATUS_BYTES_MAX);
    if (parser == NULL || json_parse_copy(parser, status, &root, NULL) != 0
        || json_type(root) != JSON_OBJECT || number_of(root, "failure_count") == 0)
        return;
    log_warning("another node refused objects", log_text("team", push->way.id),
        log_number("objects", push->objects),
        log_number("refused", (int64_t)number_of(root, "failure_count")),
        log_text("first", first_failure(root)));
}

/* ---- one after the other ---- */

/* Core is asked again: for the next, or the same where nothing was said of it. */
static void
send_again(struct push *push)
{
    push->state = PUSH_IDLE;
    push->waits = true; /* until core says that nothing is left */
    http_line_release(push->way.line);
    go(&push->way);
}

static void
on_said(void *ctx, struct span body, bool more, const struct err *why)
{
    struct push *push = ctx;

    (void)body;
    if (more)
        return;
    if (why == NULL) {
        send_again(push);
        return;
    }
    push->state = PUSH_IDLE;
    push->waits = true;
    way_later(&push->way, why);
}

static void
say_sent(struct push *push)
{
    const struct talk talk = {.ctx = push, .answered = on_said};
    struct buf more = buf_new(16);
    struct err err = {0};

    wire_add_i64(&more, push->dates.through_us);
    int rc = way_tell(&push->way, MESSAGE_LINK_SENT, buf_span(&more), &talk, &push->tag, &err);
    buf_free(&more);
    if (rc != 0) {
        way_later(&push->way, &err);
        return;
    }
    push->state = PUSH_SAYS;
    buf_free(&push->packed);
    push->packed = buf_new(PACKED_MAX);
}

/* What repeats itself packs so well that it looks like a bomb, and not everybody unpacks: it is
 * sent once more as it is, before that counts as a failure. */
static bool
wants_plain(const struct push *push, const struct http_answer *answer)
{
    return !push->plain && (answer->status == 413 || answer->status == 415);
}

static void
on_posted(void *ctx, const struct http_answer *answer, const struct err *why)
{
    struct push *push = ctx;

    if (why == NULL && wants_plain(push, answer)) {
        push->plain = true;
        send_again(push);
        return;
    }
    if (!way_answered(&push->way, "it", answer, why, 202, 200))
        return;
    push->plain = false;
    way_worked(&push->way);
    log_debug("sent", log_text("team", push->way.id), log_number("objects", push->objects));
    tell_failures(push, answer->body);
    say_sent(push);
}

static int
pack(struct push *push, struct span envelope, struct err *err)
{
    if (!push->plain)
        return coding_gzip(envelope, CODING_FAST, &push->packed, err);
    push->packed.n = 0;
    buf_add_span(&push->packed, envelope);
    return buf_check(&push->packed, "an envelope", err);
}

static int
post(struct push *push, struct span envelope, struct err *err)
{
    char dates[sizeof LINK_DATES_HEADER + 1 + LINK_DATES_BYTES] = LINK_DATES_HEADER ": ";
    const char *const headers[] = {"Content-Type: application/taxii+json;version=2.1",
        "Accept: application/taxii+json;version=2.1", dates,
        push->plain ? NULL : "Content-Encoding: gzip", NULL};
    struct buf url = buf_new(HTTP_URL_BYTES_MAX);
    (void)link_dates_format(&push->dates, dates + strlen(dates));
    int rc = pack(push, envelope, err);

    if (rc == 0)
        rc = way_url(&push->way, INTAKE, &url, err);
    const struct http_request request = {.post = true,
        .url = buf_span(&url),
        .pin = push->way.pin,
        .headers = headers,
        .body = buf_span(&push->packed),
        .answer_max = STATUS_BYTES_MAX};
    if (rc == 0)
        rc = http_line_begin(push->way.line, &request, on_posted, push, err);
    buf_free(&url);
    return rc;
}

/* What is not durable at the other end stays in core's store. */
static void
take(struct push *push, struct span body)
{
    struct link_parcel parcel;
    struct err err = {0};
    int rc = link_parcel_take(body, &parcel, &err);

    push->state = PUSH_IDLE;
    if (rc == 0 && parcel.envelope.n == 0) {
        http_line_release(push->way.line);
        if (push->waits) /* it was said meanwhile */
            go(&push->way);
        return;
    }
    if (rc == 0) {
        push->dates = (struct link_dates){parcel.from_us, parcel.through_us};
        push->objects = parcel.objects;
        rc = post(push, parcel.envelope, &err);
    }
    if (rc == 0)
        push->state = PUSH_SENDS;
    if (rc != 0) {
        push->waits = true;
        way_failed(&push->way, NULL, &err);
    }
}

static void
on_parcel(void *ctx, struct span body, bool more, const struct err *why)
{
    struct push *push = ctx;

    if (why == NULL && (more || push->answer.n > 0))
        buf_add_span(&push->answer, body);
    if (more)
        return;
    if (why != NULL) {
        push->state = PUSH_IDLE;
        push->waits = true;
        way_later(&push->way, why);
        return;
    }
    struct buf answer = push->answer;
    push->answer = buf_new(CHANNEL_BODY_MAX);
    take(push, answer.n > 0 ? buf_span(&answer) : body);
    buf_free(&answer);
}

static void
on_turn(void *ctx)
{
    struct push *push = ctx;
    const struct talk talk = {.ctx = push, .answered = on_parcel};
    struct err err = {0};

    if (!way_may(&push->way)) { /* it ends, or is turned off */
        push->state = PUSH_IDLE;
        http_line_release(push->way.line);
        return;
    }
    push->waits = false; /* what is said from now on is another word */
    if (way_tell(&push->way, MESSAGE_LINK_TAKE, SPAN(""), &talk, &push->tag, &err) == 0)
        push->state = PUSH_TAKES;
    else
        way_later(&push->way, &err);
}

static void
go(struct way *way)
{
    struct push *push = push_of(way);

    if (!way_may(way) || push->state != PUSH_IDLE || !push->waits)
        return;
    push->state = PUSH_TURN;
    way_ask(way, on_turn);
}

/* ---- the job ---- */

static const struct way_kind kind = {
    .flag = LINK_PUSH, .size = sizeof(struct push), .update = update, .go = go, .stop = stop};

static int
open_push(struct courier *courier, void **ctx, struct err *err)
{
    return ways_new(courier, &kind, ctx, err);
}

static void
close_push(void *ctx)
{
    ways_free(ctx);
    json_free(parser);
    parser = NULL;
}

static bool
said(void *ctx, const struct channel_message *message)
{
    struct wire_in in = wire_in(message->body);

    if (message->type != MESSAGE_LINK_WAITS)
        return false;
    struct way *way = ways_find(ctx, wire_u32(&in));
    if (way != NULL) {
        push_of(way)->waits = true;
        go(way);
    }
    return true;
}

const struct courier_job courier_push = {
    .name = "push", .open = open_push, .close = close_push, .changed = ways_changed, .said = said};
