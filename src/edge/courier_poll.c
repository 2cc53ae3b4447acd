/* What links' nodes have for this one is fetched, page by page, and handed to core as the link's:
 * with the same rights as if it had been posted. Where it goes on the next time is core's to keep,
 * once all before is durable; what was fetched and not told is fetched again, and known then. */
#include "base/hash.h"
#include "base/log.h"
#include "base/messages.h"
#include "base/time.h"
#include "edge/courier_way.h"
#include "edge/gather.h"
#include "edge/hand.h"
#include "edge/http_url.h"
#include "edge/pause.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PAGE_OBJECTS_USUAL = 1000,
    PAGES_A_TURN = 64, /* then others have theirs */
    PAGES_MOST = 1024, /* also where a delivery is open: it has an end */
    ARENA_BYTES = 48 << 20,
};

static const char *const aliases[LINK_WHAT_COUNT] = {"released", "directory"};

enum poll_state {
    POLL_IDLE,
    POLL_TURN,    /* it waits for its turn */
    POLL_FETCHES, /* a page */
    POLL_HANDS,   /* what came goes to core */
    POLL_SAYS,    /* LINK_POLLED */
};

struct poll {
    struct way way;
    enum poll_state state;
    struct loop_timer timer; /* until it is due */
    bool due;
    enum link_what what;
    int64_t durable_us[LINK_WHAT_COUNT]; /* as core knows them */
    int64_t at_us;                       /* of what came last */
    uint32_t limit;                      /* objects a page */
    uint32_t pages;                      /* of this turn */
    struct gather gather;
    size_t ready; /* bytes of it that are handed on */
    struct arena *arena;
    struct posted posted;
    struct hand *hand;
    struct caller caller;
    uint64_t tag;
};

/* The parser of pages: used and done with inside one callback. */
static struct json *parser;

static void ask(struct poll *poll, const char *resource, http_done *done);
static void fetch(struct poll *poll);
static void next(struct poll *poll);

static void
forget(struct poll *poll)
{
    hand_free(poll->hand);
    poll->hand = NULL;
    arena_free(poll->arena);
    poll->arena = NULL;
    poll->posted = (struct posted){.count = 0};
}

/* What was under way is begun again from what is durable. */
static void
stop(struct way *way)
{
    struct poll *poll = (struct poll *)way;

    if (poll->state == POLL_SAYS)
        talk_end(way->courier->talks, poll->tag);
    poll->state = POLL_IDLE;
    loop_timer_stop(way->courier->start->loop, &poll->timer);
    poll->due = true;
    forget(poll);
    gather_free(&poll->gather);
    gather_init(&poll->gather);
}

/* ---- in between ---- */

static void go(struct way *way);

static void
on_due(void *ctx)
{
    struct poll *poll = ctx;

    poll->due = true;
    go(&poll->way);
}

/* Not all links at once. */
static void
wait_for_the_next(struct poll *poll)
{
    int64_t interval_us =
        conf_number(poll->way.courier->start->conf, CONF_COURIER_POLL_INTERVAL) * 1000;
    struct err err = {0};
    uint64_t chance;

    hash_random(&chance, sizeof chance);
    poll->state = POLL_IDLE;
    poll->due = false;
    http_line_release(poll->way.line);
    if (loop_timer_set(poll->way.courier->start->loop, &poll->timer,
            clock_ticks_us() + pause_us(1, interval_us, interval_us, chance), &err)
        != 0)
        way_later(&poll->way, &err);
}

/* From here on, once it may go on. */
static void
let_others(struct poll *poll)
{
    stop(&poll->way);
    http_line_release(poll->way.line);
}

/* ---- a page is durable ---- */

static void
on_said(void *ctx, struct span body, bool more, const struct err *why)
{
    struct poll *poll = ctx;

    (void)body;
    if (more)
        return;
    poll->state = POLL_IDLE;
    if (why != NULL) {
        way_later(&poll->way, why);
        return;
    }
    way_worked(&poll->way);
    if (poll->at_us > poll->durable_us[poll->what]) /* a push may have brought more */
        poll->durable_us[poll->what] = poll->at_us;
    next(poll);
}

static void
say_polled(struct poll *poll)
{
    const struct talk talk = {.ctx = poll, .answered = on_said};
    struct buf more = buf_new(16);
    struct err err = {0};

    wire_add_u8(&more, (uint8_t)poll->what);
    wire_add_i64(&more, poll->at_us);
    int rc = way_tell(&poll->way, MESSAGE_LINK_POLLED, buf_span(&more), &talk, &poll->tag, &err);
    buf_free(&more);
    if (rc == 0)
        poll->state = POLL_SAYS;
    else
        way_later(&poll->way, &err);
}

/* The next page, the next collection, or the next time. */
static void
next(struct poll *poll)
{
    const struct gather *gather = &poll->gather;

    if (!courier_may(poll->way.courier)) {
        let_others(poll);
    } else if (gather->more && poll->pages >= PAGES_MOST && gather->objects.n > 0) {
        struct err err = {0};
        (void)err_set(&err, ERR_BAD_ANSWER, "a delivery on its pages does not end");
        way_failed(&poll->way, NULL, &err);
    } else if (gather->more && (poll->pages < PAGES_A_TURN || gather->objects.n > 0)) {
        fetch(poll);
    } else if (gather->more) {
        let_others(poll);
        go(&poll->way);
    } else if (poll->what + 1 < LINK_WHAT_COUNT) {
        poll->what++;
        poll->at_us = poll->durable_us[poll->what];
        fetch(poll);
    } else {
        wait_for_the_next(poll);
    }
}

/* ---- what came goes to core ---- */

/* What was not taken stays not taken: the next comes all the same. */
static void
tell_refused(const struct poll *poll)
{
    const struct page_result *first = NULL;
    int64_t refused = 0;

    for (size_t i = 0; i < poll->posted.count; i++) {
        if (poll->posted.results[i].message.n == 0)
            continue;
        first = first == NULL ? &poll->posted.results[i] : first;
        refused++;
    }
    if (first == NULL)
        return;
    /* A directory has what is its owner's to know, and not to say to others. */
    log_write(poll->what == LINK_RELEASED ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG,
        "objects of another node were refused",
        LOG_PAIRS(log_text("team", poll->way.id), log_word("collection", aliases[poll->what]),
            log_number("objects", (int64_t)poll->posted.count), log_number("refused", refused),
            log_text("first", first->id), log_text("why", first->message)));
}

static void
on_handed(void *ctx, const struct err *why)
{
    struct poll *poll = ctx;
    struct err err = {0};

    if (why != NULL) {
        err = *why; /* it may lie in what is freed */
        if (err_kind(err.code) == ERR_KIND_OURS)
            way_later(&poll->way, &err);
        else
            way_failed(&poll->way, NULL, &err);
        return;
    }
    tell_refused(poll);
    forget(poll);
    gather_drop(&poll->gather, poll->ready);
    if (poll->gather.objects.n == 0)
        say_polled(poll);
    else
        next(poll);
}

static int
read_ready(struct poll *poll, struct err *err)
{
    struct buf envelope = buf_new(GATHER_BYTES_MAX + 64);

    buf_add_text(&envelope, "{\"objects\":[");
    buf_add(&envelope, poll->gather.objects.p, poll->ready);
    buf_add_text(&envelope, "]}");
    int rc = buf_check(&envelope, "what another node gave", err);
    if (rc == 0)
        rc = posted_read(poll->arena, parser, buf_span(&envelope), &poll->posted, err);
    buf_free(&envelope);
    return rc;
}

static void
hand_on(struct poll *poll)
{
    struct err err = {0};

    poll->caller = (struct caller){.scheme = CALLER_LINK, .user = poll->way.id};
    poll->arena = arena_new(ARENA_BYTES);
    int rc = poll->arena == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory for a page")
                                 : read_ready(poll, &err);
    const struct posted_way way = {.talks = poll->way.courier->talks,
        .caller = &poll->caller,
        .arena = poll->arena,
        .name = poll->way.id};

    poll->state = POLL_HANDS;
    if (rc == 0)
        rc = hand_begin(
            &way, SPAN("intake"), &poll->posted, true, on_handed, poll, &poll->hand, &err);
    if (rc == ERR_BUSY || rc == ERR_NO_MEMORY)
        way_later(&poll->way, &err);
    else if (rc != 0)
        way_failed(&poll->way, NULL, &err);
}

/* ---- what the other node says ---- */

/* Where the page ends. Without that, or if it is no further than before, there would be no end. */
static int
read_last(struct poll *poll, const struct http_answer *answer, struct err *err)
{
    struct span text;
    int64_t last_us;

    if (!http_answer_header(answer, "X-TAXII-Date-Added-Last", &text)) {
        if (!poll->gather.more && poll->gather.objects.n == 0)
            return 0;
        return err_set(err, ERR_BAD_ANSWER, "a page does not say of when its last object is");
    }
    if (time_parse(text, &last_us, NULL) != 0)
        return err_set(
            err, ERR_BAD_ANSWER, "the date of a page's last object is none: %.*s", SPAN_ARGS(text));
    if (poll->gather.more && last_us <= poll->at_us)
        return err_set(err, ERR_BAD_ANSWER, "its pages do not go on");
    if (last_us > poll->at_us && poll->gather.objects.n > 0)
        poll->at_us = last_us;
    return 0;
}

/* Behind what came, or was passed over. */
static void
go_on(struct poll *poll)
{
    poll->pages++;
    poll->ready = gather_ready(&poll->gather);
    if (poll->ready > 0)
        hand_on(poll);
    else if (poll->gather.objects.n == 0)
        say_polled(poll);
    else
        next(poll);
}

static void
on_manifest(void *ctx, const struct http_answer *answer, const struct err *why)
{
    struct poll *poll = ctx;
    char date[TIME_TEXT_BYTES];
    struct err err = {0};

    if (!way_answered(&poll->way, "it", answer, why, 200, 200))
        return;
    if (gather_skip(&poll->gather, parser, answer->body, &poll->at_us, &err) != 0) {
        way_failed(&poll->way, answer, &err);
        return;
    }
    log_error("an object of another node is too large to be fetched, and was passed over",
        log_text("team", poll->way.id), log_word("collection", aliases[poll->what]),
        log_text("date_added", (struct span){date, time_format_us(poll->at_us, date)}));
    go_on(poll);
}

/* Nothing that follows may wait for what is too large, alone on its page. */
static void
take_less(struct poll *poll)
{
    if (poll->limit == 1) {
        ask(poll, "manifest", on_manifest);
        return;
    }
    poll->limit /= 2;
    fetch(poll);
}

static void
on_page(void *ctx, const struct http_answer *answer, const struct err *why)
{
    struct poll *poll = ctx;
    struct err err = {0};

    if (why != NULL ? why->code == ERR_LIMIT : answer->status == 413) {
        take_less(poll);
        return;
    }
    if (!way_answered(&poll->way, "it", answer, why, 200, 200))
        return;
    int rc = gather_page(&poll->gather, parser, answer->body, &err);
    if (rc == 0)
        rc = read_last(poll, answer, &err);
    if (rc != 0) {
        way_failed(&poll->way, answer, &err);
        return;
    }
    /* What is large has passed. */
    poll->limit = poll->limit > PAGE_OBJECTS_USUAL / 2 ? PAGE_OBJECTS_USUAL : 2 * poll->limit;
    go_on(poll);
}

static int
page_url(const struct poll *poll, const char *resource, struct buf *url, struct err *err)
{
    char path[256];
    char time[TIME_TEXT_BYTES];
    /* A delivery is whole only with what was recalled since: all versions, not the last ones. */
    int n =
        snprintf(path, sizeof path, "/comity/collections/%s/%s/?limit=%u%s", aliases[poll->what],
            resource, poll->limit, poll->what == LINK_RELEASED ? "&match%5Bversion%5D=all" : "");

    if (poll->at_us != INT64_MIN)
        (void)snprintf(path + n, sizeof path - (size_t)n, "&added_after=%.*s",
            (int)time_format_us(poll->at_us, time), time);
    return way_url(&poll->way, path, url, err);
}

static void
ask(struct poll *poll, const char *resource, http_done *done)
{
    static const char *const headers[] = {"Accept: application/taxii+json;version=2.1", NULL};
    struct buf url = buf_new(HTTP_URL_BYTES_MAX);
    struct err err = {0};
    int rc = page_url(poll, resource, &url, &err);
    const struct http_request request = {.url = buf_span(&url),
        .pin = poll->way.pin,
        .headers = headers,
        .answer_max = GATHER_PAGE_MAX};

    if (rc == 0)
        rc = http_line_begin(poll->way.line, &request, done, poll, &err);
    buf_free(&url);
    if (rc == 0)
        poll->state = POLL_FETCHES;
    else
        way_failed(&poll->way, NULL, &err);
}

static void
fetch(struct poll *poll)
{
    ask(poll, "objects", on_page);
}

/* ---- the job ---- */

static void
on_turn(void *ctx)
{
    struct poll *poll = ctx;

    if (!way_may(&poll->way)) { /* it ends, or is turned off */
        poll->state = POLL_IDLE;
        http_line_release(poll->way.line);
        return;
    }
    poll->what = LINK_RELEASED;
    poll->at_us = poll->durable_us[poll->what];
    poll->limit = PAGE_OBJECTS_USUAL;
    poll->pages = 0;
    fetch(poll);
}

static void
go(struct way *way)
{
    struct poll *poll = (struct poll *)way;

    if (!way_may(way) || poll->state != POLL_IDLE || !poll->due)
        return;
    poll->state = POLL_TURN;
    way_ask(way, on_turn);
}

static void
update(struct way *way, const struct link *link)
{
    struct poll *poll = (struct poll *)way;

    if (poll->timer.due == NULL) {
        poll->timer = (struct loop_timer){.due = on_due, .ctx = poll};
        poll->due = true;
        gather_init(&poll->gather);
    }
    if (poll->state == POLL_IDLE || poll->state == POLL_TURN)
        memcpy(poll->durable_us, link->polled_us, sizeof poll->durable_us);
}

static const struct way_kind kind = {.flag = LINK_POLL,
    .turn = HTTP_HEAVY,
    .size = sizeof(struct poll),
    .update = update,
    .go = go,
    .stop = stop};

static int
open_poll(struct courier *courier, void **ctx, struct err *err)
{
    int rc = ways_new(courier, &kind, ctx, err);

    if (parser == NULL)
        parser = json_new(GATHER_BYTES_MAX + 64);
    if (rc == 0 && parser == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory to read pages");
    return rc;
}

static void
close_poll(void *ctx)
{
    ways_free(ctx);
    json_free(parser);
    parser = NULL;
}

/* What was pushed need not be fetched. */
static bool
said(void *ctx, const struct channel_message *message)
{
    struct wire_in in = wire_in(message->body);

    if (message->type != MESSAGE_LINK_AT)
        return false;
    struct poll *poll = (struct poll *)ways_find(ctx, wire_u32(&in));
    uint8_t what = wire_u8(&in);
    int64_t through_us = wire_i64(&in);
    if (poll != NULL && !in.bad && what < LINK_WHAT_COUNT && through_us > poll->durable_us[what])
        poll->durable_us[what] = through_us;
    return true;
}

const struct courier_job courier_poll = {
    .name = "poll", .open = open_poll, .close = close_poll, .changed = ways_changed, .said = said};
