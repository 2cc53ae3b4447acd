#include "edge/ask.h"

#include "edge/front_private.h"
#include "sys/clock.h"

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024 };

/* One question of a request's, in its arena. */
struct ask_slot {
    struct ask_slot *next;
    struct request *request;
    ask_answered *answered;
    ask_told *told; /* instead: the answer as a whole */
    void *ctx;
    struct buf kept; /* the parts of it that came first */
    uint64_t tag;
    int64_t until_us; /* ticks; 0: as long as core is well */
    uint16_t type;
};

static void
take_off(struct ask_slot *slot)
{
    struct request *request = slot->request;
    struct ask_slot **at = &request->asks;

    while (*at != slot)
        at = &(*at)->next;
    *at = slot->next;
    request->ask_count--;
}

/* ---- what comes ---- */

/* Nobody will ever answer it: that must not look like patience. */
static void
check_waiting(struct request *request)
{
    struct err err = {0};

    if (request->answered || request->held || request->ask_count > 0 || request->inside
        || request->streams_in)
        return;
    (void)err_set(&err, ERR_INTERNAL, "core's answer was not answered");
    request_refuse(request, &err);
}

/* An answer in one part, as most are, is not copied. */
static void
tell_whole(struct ask_slot *slot, struct span body, bool more, const struct err *why)
{
    struct request *request = slot->request;
    struct err err = {0};

    if (why == NULL && (more || slot->kept.n > 0))
        buf_add_span(&slot->kept, body);
    if (more)
        return;
    take_off(slot);
    struct buf kept = slot->kept; /* the request may end, and with it the slot */
    int rc = buf_check(&kept, "the answer", &err);
    if (why != NULL)
        request_refuse(request, why);
    else if (rc == 0)
        rc = slot->told(request, slot->ctx, kept.n > 0 ? buf_span(&kept) : body, &err);
    if (rc != 0)
        request_refuse(request, &err);
    buf_free(&kept);
    check_waiting(request);
}

static void
on_answered(void *ctx, struct span body, bool more, const struct err *why)
{
    struct ask_slot *slot = ctx;
    struct request *request = slot->request;
    struct err err = {0};

    if (slot->told != NULL) {
        tell_whole(slot, body, more, why);
        return;
    }
    if (!more)
        take_off(slot);
    if (slot->answered(request, slot->ctx, body, more, why, &err) != 0)
        request_refuse(request, &err);
    if (!more)
        check_waiting(request);
}

/* ---- what goes ---- */

/* ANSWERED or TOLD; the other is NULL. */
static int
ask(struct request *request, uint16_t type, struct span body, ask_answered *answered,
    ask_told *told, void *ctx, struct err *err)
{
    if (request->over || request->ask_count >= ASKS_OF_REQUEST_MAX)
        return err_set(err, ERR_INTERNAL, "a request asks core too much");
    struct ask_slot *slot = arena_zalloc(request->arena, 1, sizeof *slot);
    if (slot == NULL)
        return arena_full(err, "asking core");
    *slot = (struct ask_slot){.request = request,
        .answered = answered,
        .told = told,
        .ctx = ctx,
        .kept = buf_new(ANSWER_BYTES_MAX),
        .type = type};
    const struct talk talk = {.ctx = slot, .answered = on_answered};
    int rc =
        talk_begin(request->front->talks, type, &request->caller, body, &talk, &slot->tag, err);
    if (rc != 0)
        return rc;
    slot->next = request->asks;
    request->asks = slot;
    request->ask_count++;
    return 0;
}

int
ask_core(struct request *request, uint16_t type, struct span body, ask_answered *answered,
    void *ctx, struct err *err)
{
    return ask(request, type, body, answered, NULL, ctx, err);
}

int
ask_whole(struct request *request, uint16_t type, struct span body, ask_told *told, void *ctx,
    struct err *err)
{
    return ask(request, type, body, NULL, told, ctx, err);
}

int
ask_core_within(struct request *request, uint16_t type, struct span body, int64_t patience_us,
    ask_answered *answered, void *ctx, struct err *err)
{
    int rc = ask(request, type, body, answered, NULL, ctx, err);

    if (rc == 0)
        request->asks->until_us = clock_ticks_us() + patience_us;
    return rc;
}

/* One is enough: its request is answered then. */
void
asks_late(struct request *request, int64_t now_us)
{
    struct ask_slot *slot = request->asks;
    struct err why = {0};

    while (slot != NULL && (slot->until_us == 0 || now_us < slot->until_us))
        slot = slot->next;
    if (slot == NULL)
        return;
    talk_end(request->front->talks, slot->tag);
    (void)talks_no_answer(&why);
    on_answered(slot, (struct span){NULL, 0}, false, &why);
}

/* Those who asked for events are told to core: it would go on for ever. */
void
asks_drop(struct request *request)
{
    struct talks *talks = request->front->talks;
    struct err ignored = {0};

    while (request->asks != NULL) {
        struct ask_slot *slot = request->asks;
        if (slot->type == MESSAGE_EVENTS)
            (void)!talk_again(
                talks, slot->tag, MESSAGE_EVENTS_END, &request->caller, NULL, 0, &ignored);
        talk_end(talks, slot->tag);
        buf_free(&slot->kept);
        take_off(slot);
    }
}

struct talks *
ask_talks(struct request *request)
{
    return request->front->talks;
}
