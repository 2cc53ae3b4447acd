/* Links' nodes witness each other's ledgers: what the other's shows now goes to core, with as much
 * of it as core needs to see that it goes on from what it was; and core's request to the other's
 * witness (C2SP tlog-witness), as long as something is new to it. */
#include "base/hash.h"
#include "base/messages.h"
#include "edge/courier_way.h"
#include "edge/http_url.h"
#include "edge/pause.h"
#include "fmt/note.h"
#include "sys/clock.h"

#include <stdio.h>

enum {
    TRIES = 4,
    ANSWER_BYTES_MAX = 64 * 1024,
    REQUEST_BYTES_MAX = 1 << 20,
    TILE_BYTES_MAX = 8 * 1024,
    PARTS_MAX = 32, /* of a log, for one look: those on the way to two of its sizes are fewer */
    LOOK_BYTES_MAX = ANSWER_BYTES_MAX + PARTS_MAX * (TILE_BYTES_MAX + 128),
    PART_PATH_BYTES = 64,
    CONFLICT = 409,
};

enum witness_state {
    WITNESS_IDLE,
    WITNESS_TURN,  /* it waits for its turn */
    WITNESS_LOOKS, /* at the other's log */
    WITNESS_SAYS,  /* core is told, or asked */
    WITNESS_ASKS,  /* the other's witness */
};

struct witnessing {
    struct way way;
    enum witness_state state;
    struct loop_timer timer; /* until it is due */
    bool due;
    unsigned tries;
    uint64_t tag;
    uint64_t size; /* of our log, as it is asked for */
    struct buf request;
    /* The other's log: what its door shows, and what of it this node cosigned at the last look. */
    struct buf checkpoint;
    struct buf parts; /* path and bytes of each that was fetched */
    uint32_t part_count;
    char part[PART_PATH_BYTES]; /* that is fetched now */
    uint64_t cosigned;
};

static void go(struct way *way);
static void take(struct witnessing *w);

static void
forget(struct witnessing *w)
{
    buf_free(&w->request);
    buf_free(&w->checkpoint);
    buf_free(&w->parts);
    w->request = buf_new(REQUEST_BYTES_MAX);
    w->checkpoint = buf_new(ANSWER_BYTES_MAX);
    w->parts = buf_new(LOOK_BYTES_MAX);
    w->part_count = 0;
}

static void
stop(struct way *way)
{
    struct witnessing *w = (struct witnessing *)way;

    if (w->state == WITNESS_SAYS)
        talk_end(way->courier->talks, w->tag);
    w->state = WITNESS_IDLE;
    loop_timer_stop(way->courier->start->loop, &w->timer);
    w->due = true;
    forget(w);
}

static void
on_due(void *ctx)
{
    struct witnessing *w = ctx;

    w->due = true;
    go(&w->way);
}

/* Not all links at once. */
static void
wait_for_the_next(struct witnessing *w)
{
    int64_t interval_us = conf_number(w->way.courier->start->conf, CONF_WITNESS_INTERVAL) * 1000;
    struct err err = {0};
    uint64_t chance;

    hash_random(&chance, sizeof chance);
    w->state = WITNESS_IDLE;
    w->due = false;
    http_line_release(w->way.line);
    if (loop_timer_set(w->way.courier->start->loop, &w->timer,
            clock_ticks_us() + pause_us(1, interval_us, interval_us, chance), &err)
        != 0)
        way_later(&w->way, &err);
}

static void
ask_core(struct witnessing *w, uint16_t type, struct span more,
    void (*answered)(void *ctx, struct span body, bool more, const struct err *why))
{
    const struct talk talk = {.ctx = w, .answered = answered};
    struct err err = {0};

    if (way_tell(&w->way, type, more, &talk, &w->tag, &err) == 0)
        w->state = WITNESS_SAYS;
    else
        way_later(&w->way, &err);
}

/* ---- our log, before the other's witness ---- */

static void
on_told(void *ctx, struct span body, bool more, const struct err *why)
{
    struct witnessing *w = ctx;

    if (more)
        return;
    w->state = WITNESS_IDLE;
    if (why != NULL)
        way_failed(&w->way, NULL, why); /* what it answered is not right */
    else if (body.n > 0 && body.p[0] != 0 && ++w->tries < TRIES)
        take(w);
    else
        wait_for_the_next(w);
}

static void
on_asked(void *ctx, const struct http_answer *answer, const struct err *why)
{
    struct witnessing *w = ctx;

    if (!way_answered(&w->way, "its witness", answer, why, 200, CONFLICT))
        return;
    struct buf more = buf_new(ANSWER_BYTES_MAX + 64);
    way_worked(&w->way);
    wire_add_u64(&more, w->size);
    wire_add_u16(&more, (uint16_t)answer->status);
    wire_add_text(&more, answer->body);
    ask_core(w, MESSAGE_WITNESS_TOLD, buf_span(&more), on_told);
    buf_free(&more);
}

static int
ask_witness(struct witnessing *w, struct err *err)
{
    static const char *const headers[] = {"Content-Type: text/plain; charset=utf-8", NULL};
    struct buf url = buf_new(HTTP_URL_BYTES_MAX);
    int rc = way_url(&w->way, "/witness/add-checkpoint", &url, err);
    const struct http_request request = {.post = true,
        .url = buf_span(&url),
        .pin = w->way.pin,
        .headers = headers,
        .body = buf_span(&w->request),
        .answer_max = ANSWER_BYTES_MAX};

    if (rc == 0)
        rc = http_line_begin(w->way.line, &request, on_asked, w, err);
    buf_free(&url);
    return rc;
}

static void
on_taken(void *ctx, struct span body, bool more, const struct err *why)
{
    struct witnessing *w = ctx;
    struct wire_in in = wire_in(body);
    struct err err = {0};

    if (more)
        return;
    w->state = WITNESS_IDLE;
    if (why != NULL) {
        way_later(&w->way, why);
        return;
    }
    w->size = wire_u64(&in);
    struct span request = wire_text(&in);
    if (request.n == 0) {
        way_worked(&w->way);
        wait_for_the_next(w);
        return;
    }
    w->request.n = 0;
    buf_add_span(&w->request, request);
    int rc = buf_check(&w->request, "a request to a witness", &err);
    if (rc == 0)
        rc = ask_witness(w, &err);
    if (rc == 0)
        w->state = WITNESS_ASKS;
    else
        way_failed(&w->way, NULL, &err);
}

static void
take(struct witnessing *w)
{
    ask_core(w, MESSAGE_WITNESS_TAKE, SPAN(""), on_taken);
}

/* ---- the other's log ---- */

static void look(struct witnessing *w);

/* GET of PATH, which stands below the other's /log/. */
static int
fetch(struct witnessing *w, const char *path, size_t answer_max, http_done *done, struct err *err)
{
    struct buf url = buf_new(HTTP_URL_BYTES_MAX);
    char whole[PART_PATH_BYTES + 8];

    (void)snprintf(whole, sizeof whole, "/log/%s", path);
    int rc = way_url(&w->way, whole, &url, err);
    const struct http_request request = {
        .url = buf_span(&url), .pin = w->way.pin, .answer_max = answer_max};
    if (rc == 0)
        rc = http_line_begin(w->way.line, &request, done, w, err);
    buf_free(&url);
    if (rc == 0)
        w->state = WITNESS_LOOKS;
    return rc;
}

/* What is not there is core's to judge; whoever cannot be asked is asked another time. */
static void
on_part(void *ctx, const struct http_answer *answer, const struct err *why)
{
    struct witnessing *w = ctx;
    char who[PART_PATH_BYTES + 16];

    (void)snprintf(who, sizeof who, "its log's %s", w->part);
    if (!way_answered(&w->way, who, answer, why, 200, 404))
        return;
    wire_add_text(&w->parts, span_of(w->part));
    wire_add_text(&w->parts, answer->status == 200 ? answer->body : SPAN(""));
    w->part_count++;
    look(w);
}

/* PATH, n > 0: core cannot judge without it. */
static void
fetch_part(struct witnessing *w, struct span path)
{
    struct err err = {0};

    (void)snprintf(w->part, sizeof w->part, "%.*s", SPAN_ARGS(path));
    if (fetch(w, w->part, TILE_BYTES_MAX, on_part, &err) != 0)
        way_failed(&w->way, NULL, &err);
}

static void
on_seen(void *ctx, struct span body, bool more, const struct err *why)
{
    struct witnessing *w = ctx;
    struct wire_in in = wire_in(body);
    struct err err = {0};

    if (more)
        return;
    w->state = WITNESS_IDLE;
    if (why != NULL) { /* no checkpoint, or not the log's */
        way_failed(&w->way, NULL, why);
        return;
    }
    uint64_t cosigned = wire_u64(&in);
    struct span path = wire_text(&in);
    struct span wrong = wire_text(&in);
    if (path.n > 0) {
        fetch_part(w, path);
        return;
    }
    w->cosigned = cosigned;
    forget(w);
    if (wrong.n == 0)
        take(w);
    else {
        (void)err_set(&err, ERR_BAD_ANSWER, "%.*s", SPAN_ARGS(wrong));
        way_failed(&w->way, NULL, &err);
    }
}

/* Core is told all that was fetched, and says what it wants beside it. */
static void
look(struct witnessing *w)
{
    struct buf more = buf_new(LOOK_BYTES_MAX + ANSWER_BYTES_MAX);

    wire_add_u64(&more, w->cosigned);
    wire_add_text(&more, buf_span(&w->checkpoint));
    wire_add_u32(&more, w->part_count);
    buf_add_span(&more, buf_span(&w->parts));
    ask_core(w, MESSAGE_WITNESS_SEEN, buf_span(&more), on_seen);
    buf_free(&more);
}

static void
on_checkpoint(void *ctx, const struct http_answer *answer, const struct err *why)
{
    struct witnessing *w = ctx;

    if (why == NULL && answer->status == 404) { /* it has no entries yet */
        w->state = WITNESS_IDLE;
        take(w);
        return;
    }
    if (!way_answered(&w->way, "its log's checkpoint", answer, why, 200, 200))
        return;
    forget(w);
    buf_add_span(&w->checkpoint, answer->body);
    look(w);
}

static void
on_turn(void *ctx)
{
    struct witnessing *w = ctx;
    struct err err = {0};

    if (!way_may(&w->way)) { /* it ends, or is turned off */
        w->state = WITNESS_IDLE;
        http_line_release(w->way.line);
        return;
    }
    w->tries = 0;
    if (fetch(w, "checkpoint", ANSWER_BYTES_MAX, on_checkpoint, &err) != 0)
        way_failed(&w->way, NULL, &err);
}

/* ---- the job ---- */

static void
go(struct way *way)
{
    struct witnessing *w = (struct witnessing *)way;

    if (!way_may(way) || w->state != WITNESS_IDLE || !w->due)
        return;
    w->state = WITNESS_TURN;
    way_ask(way, on_turn);
}

static void
update(struct way *way, const struct link *link)
{
    struct witnessing *w = (struct witnessing *)way;

    (void)link;
    if (w->timer.due != NULL)
        return;
    w->timer = (struct loop_timer){.due = on_due, .ctx = w};
    w->due = true;
    forget(w);
}

static const struct way_kind kind = {.flag = LINK_WITNESS,
    .size = sizeof(struct witnessing),
    .update = update,
    .go = go,
    .stop = stop};

static int
open_witness(struct courier *courier, void **ctx, struct err *err)
{
    return ways_new(courier, &kind, ctx, err);
}

const struct courier_job courier_witness = {
    .name = "witness", .open = open_witness, .close = ways_free, .changed = ways_changed};
