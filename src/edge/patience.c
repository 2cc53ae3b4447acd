/* Is core there at all? One that died is noticed by its channel, but one that hangs (stopped, or on
 * a disk that does not answer) only says nothing. When a request has waited for some seconds, core
 * is asked for a sign of life. If nothing at all comes for a while, all who wait are refused, and
 * who comes later at once, until it speaks again. Anything that it says counts, as much work for
 * others is no silence. What is refused ends as if its client had gone. */
#include "edge/front_private.h"

#include "base/log.h"

enum { UNREST_US = 3 * 1000 * 1000, SILENCE_US = 15 * 1000 * 1000 };

struct look {
    int64_t now_us;
    bool unrest; /* somebody has waited long enough to ask */
};

static bool
waits(const struct request *request)
{
    return request != NULL && request->suspended && !request->answered;
}

static void
look_at(void *ctx, struct guard_conn *conn)
{
    struct look *look = ctx;

    if (!waits(conn->request))
        return;
    if (look->now_us - conn->request->begun_us >= UNREST_US)
        look->unrest = true;
    asks_late(conn->request, look->now_us);
}

static void
refuse(void *ctx, struct guard_conn *conn)
{
    struct err why = {0};

    (void)ctx;
    if (!waits(conn->request))
        return;
    (void)talks_no_answer(&why);
    request_refuse(conn->request, &why);
    asks_drop(conn->request); /* what comes late finds nobody */
}

static void
on_sign(void *ctx, struct span body, bool more, const struct err *why)
{
    struct front *front = ctx;

    (void)body;
    (void)why;
    front->patience.asked = more;
}

static void
ask_for_sign(struct front *front)
{
    static const struct caller nobody = {.scheme = CALLER_NOBODY};
    const struct talk talk = {.ctx = front, .answered = on_sign};
    struct err ignored = {0};
    uint64_t tag;

    front->patience.asked =
        talk_begin(front->talks, MESSAGE_STATUS, &nobody, SPAN(""), &talk, &tag, &ignored) == 0;
}

void
patience_begin(struct front *front)
{
    front->patience.lost = false;
    front->patience.since_us = 0;
}

void
patience_look(struct front *front, int64_t now_us)
{
    struct patience *patience = &front->patience;
    struct look look = {.now_us = now_us};

    guard_each(front->guard, look_at, &look);
    if (talks_heard(front->talks)) {
        if (patience->lost)
            log_info("core answers again");
        patience_begin(front);
    }
    if (patience->since_us == 0 && look.unrest && talks_connected(front->talks)) {
        patience->since_us = now_us;
        if (!patience->asked)
            ask_for_sign(front);
    }
    if (patience->since_us == 0 || now_us - patience->since_us < SILENCE_US)
        return;
    if (!patience->lost)
        log_error("core does not answer; who waits for it is refused");
    patience->lost = true;
    talks_silent(front->talks);
    guard_each(front->guard, refuse, NULL);
}
