#include "edge/courier_way.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/messages.h"
#include "edge/http_url.h"
#include "edge/pause.h"
#include "sys/clock.h"

#include <stdlib.h>

enum {
    TEXTS_MAX = 64 * 1024,
    LATER_US = 250000,
    FAILURE_BYTES = 4096,
    TELL_BYTES_MAX = 128 * 1024,
    STATUS_BUSY = 503
};

struct ways {
    struct courier *courier;
    const struct way_kind *kind;
    struct way *first;
};

/* ---- going, and stopping ---- */

bool
way_may(const struct way *way)
{
    return courier_may(way->courier) && !way->paused;
}

static void
go(struct way *way)
{
    if (way_may(way))
        way->ways->kind->go(way);
}

static void
on_due(void *ctx)
{
    struct way *way = ctx;

    way->paused = false;
    go(way);
}

static void
drop(struct way *way)
{
    way->ways->kind->stop(way);
    http_line_release(way->line);
}

static void
way_free(struct way *way)
{
    drop(way);
    loop_timer_stop(way->courier->start->loop, &way->timer);
    http_line_free(way->line);
    buf_free(&way->texts);
    free(way);
}

static void
pause_for(struct way *way, int64_t us)
{
    struct err err = {0};

    drop(way);
    way->paused = true;
    if (loop_timer_set(way->courier->start->loop, &way->timer, clock_ticks_us() + us, &err) == 0)
        return;
    way->paused = false; /* whatever changes next wakes it */
    log_error_of("a link's pause cannot be kept", &err, log_text("team", way->id));
}

/* ---- which ways there are ---- */

static int
set_texts(struct way *way, const struct link *link)
{
    struct buf texts = buf_new(TEXTS_MAX);

    buf_add_span(&texts, link->id);
    buf_add_span(&texts, link->url);
    buf_add_span(&texts, link->pin);
    if (texts.full) {
        buf_free(&texts);
        return -1;
    }
    buf_free(&way->texts);
    way->texts = texts;
    way->id = (struct span){texts.p, link->id.n};
    way->url = (struct span){texts.p + link->id.n, link->url.n};
    way->pin = (struct span){texts.p + link->id.n + link->url.n, link->pin.n};
    return 0;
}

static struct way *
way_new(struct ways *ways, uint32_t team)
{
    struct way *way = calloc(1, ways->kind->size);

    if (way == NULL)
        return NULL;
    way->ways = ways;
    way->courier = ways->courier;
    way->team = team;
    way->timer = (struct loop_timer){.due = on_due, .ctx = way};
    way->line = http_line_new(ways->courier->http);
    if (way->line == NULL) {
        free(way);
        return NULL;
    }
    way->next = ways->first;
    ways->first = way;
    return way;
}

struct way *
ways_find(struct ways *ways, uint32_t team)
{
    struct way *way = ways->first;

    while (way != NULL && way->team != team)
        way = way->next;
    return way;
}

static bool
is_elsewhere(const struct way *way, const struct link *link)
{
    return !span_equal(way->url, link->url) || !span_equal(way->pin, link->pin);
}

/* A node that moved is tried at once. Texts of one that did not stay where they are: what is under
 * way says them still, as whose word it is. */
static void
see(struct ways *ways, const struct link *link)
{
    struct way *way = ways_find(ways, link->team);
    bool is_new = way == NULL;

    if (is_new)
        way = way_new(ways, link->team);
    if (way == NULL) {
        log_error("no memory for a link", log_text("team", link->id));
        return;
    }
    bool moved = is_new || is_elsewhere(way, link);
    if (moved && !is_new)
        drop(way);
    if (moved && way->paused) {
        loop_timer_stop(way->courier->start->loop, &way->timer);
        way->paused = false;
    }
    way->seen = !moved || set_texts(way, link) == 0;
    if (way->seen)
        ways->kind->update(way, link);
}

static void
remove_unseen(struct ways *ways)
{
    struct way **at = &ways->first;

    while (*at != NULL) {
        struct way *way = *at;
        if (way->seen) {
            way->seen = false;
            at = &way->next;
        } else {
            *at = way->next;
            way_free(way);
        }
    }
}

void
ways_changed(void *ctx)
{
    struct ways *ways = ctx;
    const struct courier *courier = ways->courier;

    for (size_t i = 0; i < courier->link_count; i++)
        if ((courier->links[i].flags & ways->kind->flag) != 0)
            see(ways, &courier->links[i]);
    remove_unseen(ways);
    for (struct way *way = ways->first; way != NULL; way = way->next) {
        if (!conf_bool(courier->start->conf, CONF_COURIER))
            drop(way);
        go(way);
    }
}

int
ways_new(struct courier *courier, const struct way_kind *kind, void **out, struct err *err)
{
    struct ways *ways = calloc(1, sizeof *ways);

    *out = ways;
    if (ways == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for links");
    ways->courier = courier;
    ways->kind = kind;
    return 0;
}

void
ways_free(void *ctx)
{
    struct ways *ways = ctx;

    if (ways == NULL)
        return;
    for (struct way *way = ways->first, *next; way != NULL; way = next) {
        next = way->next;
        way_free(way);
    }
    free(ways);
}

/* ---- how it goes ---- */

static const char *
word_of(const struct way *way)
{
    return link_way_word(way->ways->kind->flag);
}

void
way_ask(struct way *way, http_turn *turn)
{
    unsigned flags = way->ways->kind->turn | (way->works ? 0 : HTTP_DOUBTFUL);
    struct err err = {0};

    if (http_line_ask(way->line, flags, turn, way, &err) != 0)
        way_later(way, &err);
}

void
way_worked(struct way *way)
{
    if (way->failures > 0)
        log_info("link works again", log_text("team", way->id), log_word("way", word_of(way)));
    way->failures = 0;
    way->works = true;
}

/* Of what is the other's own fault, or ours in its eyes, nothing changes by itself. */
static bool
is_refusal(unsigned status)
{
    return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

static void
nobody_waits(void *ctx, struct span body, bool more, const struct err *why)
{
    (void)ctx;
    (void)body;
    (void)more;
    (void)why;
}

/* It is for people to see: that core does not hear of one changes nothing. */
static void
tell_core(const struct way *way, unsigned status, const struct err *why, int64_t pause)
{
    const struct caller nobody = {.scheme = CALLER_NOBODY};
    const struct talk talk = {.answered = nobody_waits};
    const struct link_failure failure = {.team = way->team,
        .flag = (uint8_t)way->ways->kind->flag,
        .refused = is_refusal(status),
        .status = (uint16_t)status,
        .again_us = clock_now_us() + pause,
        .why = span_of(why->msg)};
    struct buf body = buf_new(FAILURE_BYTES);
    struct err ignored;
    uint64_t tag;

    link_failure_add(&body, &failure);
    if (!body.full)
        (void)!talk_begin(way->courier->talks, MESSAGE_LINK_FAILED, &nobody, buf_span(&body), &talk,
            &tag, &ignored);
    buf_free(&body);
}

void
way_failed(struct way *way, const struct http_answer *answer, const struct err *why)
{
    const struct conf *conf = way->courier->start->conf;
    struct span asked = {NULL, 0};
    unsigned status = answer == NULL ? 0 : answer->status;
    uint64_t chance;

    hash_random(&chance, sizeof chance);
    way->works = false;
    way->failures += way->failures < UINT32_MAX ? 1 : 0;
    int64_t us = pause_us(way->failures, conf_number(conf, CONF_COURIER_RETRY_FIRST) * 1000,
        conf_number(conf, CONF_COURIER_RETRY_MOST) * 1000, chance);
    if (answer != NULL && http_answer_header(answer, "Retry-After", &asked)
        && pause_asked_us(asked, clock_now_us()) > us)
        us = pause_asked_us(asked, clock_now_us());
    log_warning_of("link failed", why, log_text("team", way->id), log_word("way", word_of(way)),
        log_text("node", way->url), log_number("status", status),
        log_number("failures", way->failures), log_number("again_in_ms", us / 1000));
    tell_core(way, status, why, us);
    pause_for(way, us);
}

bool
way_answered(struct way *way, const char *who, const struct http_answer *answer,
    const struct err *why, unsigned right, unsigned also)
{
    struct err err = {0};

    if (why == NULL && answer->status != right && answer->status != also) {
        (void)err_set(&err, ERR_BAD_ANSWER, "%s answered with status %u: %.*s", who, answer->status,
            SPAN_ARGS(answer->body));
        why = &err;
    }
    if (why != NULL)
        way_failed(way, answer, why);
    return why == NULL;
}

void
way_later(struct way *way, const struct err *why)
{
    if (way->courier->on)
        log_failed(
            LOG_LEVEL_DEBUG, "link waits for this node", why, LOG_PAIRS(log_text("team", way->id)));
    pause_for(way, LATER_US);
}

int
way_url(const struct way *way, const char *path, struct buf *out, struct err *err)
{
    out->n = 0;
    buf_add_span(out, way->url);
    buf_add_text(out, path);
    return buf_check(out, "another node's URL", err);
}

int
way_tell(const struct way *way, uint16_t type, struct span more, const struct talk *talk,
    uint64_t *tag, struct err *err)
{
    const struct caller nobody = {.scheme = CALLER_NOBODY};
    struct buf body = buf_new(TELL_BYTES_MAX);

    wire_add_u32(&body, way->team);
    buf_add_span(&body, more);
    int rc = buf_check(&body, "a question about a link", err);
    if (rc == 0)
        rc = talk_begin(way->courier->talks, type, &nobody, buf_span(&body), talk, tag, err);
    buf_free(&body);
    return rc;
}
