#include "edge/ask.h"

#include "base/refusal.h"
#include "edge/front_private.h"
#include "edge/intake.h"
#include "sys/channel.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    CALLER_BYTES_MAX = 16 * 1024,
    QUEUE_BYTES_MAX = 16 * 1024 * 1024,
    ANSWER_BYTES_MAX = 64 * 1024 * 1024,
    PARTS_MAX = 8,
};

/* One question in flight. A slot's generation is part of its tag, so that what comes late for a
 * question that nobody waits for any more finds nobody. */
struct ask_slot {
    struct ask_slot *next; /* of the request, or free */
    struct request *request;
    ask_answered *answered;
    ask_told *told; /* instead: the answer as a whole */
    void *ctx;
    struct buf kept;      /* the parts of it that came first */
    struct ask_talk talk; /* without a request */
    uint32_t generation;
    uint16_t type;
    bool used;
};

struct asks {
    struct front *front;
    struct channel *channel; /* NULL: core is gone */
    struct ask_slot *free;
    struct ask_slot slots[ASKS_MAX];
};

static uint64_t
tag_of(const struct asks *asks, const struct ask_slot *slot)
{
    return (uint64_t)slot->generation << 32 | (uint64_t)(slot - asks->slots);
}

static struct ask_slot *
slot_of(struct asks *asks, uint64_t tag)
{
    uint64_t i = tag & 0xffffffff;
    struct ask_slot *slot = i < ASKS_MAX ? &asks->slots[i] : NULL;

    return slot != NULL && slot->used && slot->generation == tag >> 32 ? slot : NULL;
}

static struct ask_slot *
take_slot(struct asks *asks, uint16_t type)
{
    struct ask_slot *slot = asks->free;

    if (slot == NULL)
        return NULL;
    asks->free = slot->next;
    *slot = (struct ask_slot){.generation = slot->generation + 1,
        .type = type,
        .used = true,
        .kept = buf_new(ANSWER_BYTES_MAX)};
    return slot;
}

static void
free_slot(struct asks *asks, struct ask_slot *slot)
{
    struct request *request = slot->request;

    if (request != NULL) {
        struct ask_slot **at = &request->asks;
        while (*at != slot)
            at = &(*at)->next;
        *at = slot->next;
        request->ask_count--;
    }
    buf_free(&slot->kept);
    *slot = (struct ask_slot){.generation = slot->generation, .next = asks->free};
    asks->free = slot;
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
tell_whole(
    struct asks *asks, struct ask_slot *slot, struct span body, bool more, const struct err *why)
{
    struct err err = {0};

    if (why == NULL && (more || slot->kept.n > 0))
        buf_add_span(&slot->kept, body);
    if (more)
        return;
    struct ask_slot was = *slot;
    slot->kept = buf_new(0); /* ours now */
    free_slot(asks, slot);
    int rc = buf_check(&was.kept, "the answer", &err);
    if (why != NULL)
        request_refuse(was.request, why);
    else if (rc == 0)
        rc = was.told(was.request, was.ctx, was.kept.n > 0 ? buf_span(&was.kept) : body, &err);
    if (rc != 0)
        request_refuse(was.request, &err);
    buf_free(&was.kept);
    check_waiting(was.request);
}

static void
tell_slot(
    struct asks *asks, struct ask_slot *slot, struct span body, bool more, const struct err *why)
{
    if (slot->told != NULL) {
        tell_whole(asks, slot, body, more, why);
        return;
    }
    struct ask_slot was = *slot;
    struct err err = {0};

    if (!more)
        free_slot(asks, slot);
    if (was.request == NULL) {
        if (was.talk.answered != NULL)
            was.talk.answered(was.talk.ctx, body, more, why);
        return;
    }
    if (was.answered(was.request, was.ctx, body, more, why, &err) != 0)
        request_refuse(was.request, &err);
    if (!more)
        check_waiting(was.request);
}

static void
tell_credit(struct ask_slot *slot, struct span body)
{
    struct wire_in in = wire_in(body);
    uint32_t more = wire_u32(&in);

    if (slot->request == NULL && slot->talk.credit != NULL && !in.bad)
        slot->talk.credit(slot->talk.ctx, more);
}

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    struct asks *asks = ctx;
    struct ask_slot *slot = slot_of(asks, message->tag);
    struct err why = {0};

    (void)channel;
    if (message->type == MESSAGE_FILE && message->fd >= 0)
        return intake_file(asks->front, message->body, message->fd);
    if (message->fd >= 0)
        (void)close(message->fd);
    if (slot == NULL)
        return;
    switch (message->type) {
    case MESSAGE_ANSWER:
    case MESSAGE_EVENT:
        tell_slot(asks, slot, message->body,
            message->type == MESSAGE_EVENT || (message->flags & CHANNEL_MORE) != 0, NULL);
        break;
    case MESSAGE_CREDIT:
        tell_credit(slot, message->body);
        break;
    case MESSAGE_REFUSAL:
        refusal_take(message->body, &why);
        tell_slot(asks, slot, (struct span){NULL, 0}, false, &why);
        break;
    default:
        break;
    }
}

static int
core_is_gone(struct err *err)
{
    return err_set(err, ERR_BUSY, "the node's core is starting again; try again a little later");
}

static void
on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    struct asks *asks = ctx;
    struct err gone = {0};

    (void)why;
    asks->channel = NULL;
    channel_free(channel);
    (void)core_is_gone(&gone);
    for (size_t i = 0; i < ASKS_MAX; i++)
        if (asks->slots[i].used)
            tell_slot(asks, &asks->slots[i], (struct span){NULL, 0}, false, &gone);
}

/* ---- what goes ---- */

int
asks_new(struct front *front, struct asks **out, struct err *err)
{
    struct asks *asks = calloc(1, sizeof *asks);

    if (asks == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for questions to core");
    asks->front = front;
    for (size_t i = ASKS_MAX; i-- > 0;) {
        asks->slots[i].next = asks->free;
        asks->free = &asks->slots[i];
    }
    *out = asks;
    return 0;
}

void
asks_free(struct asks *asks)
{
    if (asks == NULL)
        return;
    if (asks->channel != NULL)
        channel_free(asks->channel);
    free(asks);
}

int
front_core(struct front *front, int channel_fd, struct err *err)
{
    struct asks *asks = front->asks;
    const struct channel_events events = {.ctx = asks, .message = on_message, .closed = on_closed};
    struct channel *channel = NULL;
    int rc = channel_new(front->loop, channel_fd, QUEUE_BYTES_MAX, &events, &channel, err);

    if (rc != 0)
        return rc;
    if (asks->channel != NULL)
        on_closed(asks, asks->channel, NULL);
    asks->channel = channel;
    return 0;
}

bool
asks_connected(const struct asks *asks)
{
    return asks->channel != NULL;
}

static int
send_parts(struct asks *asks, uint64_t tag, uint16_t type, const struct caller *caller,
    const struct span *parts, size_t count, struct err *err)
{
    const struct channel_message message = {.type = type, .tag = tag, .fd = -1};
    struct span all[PARTS_MAX];
    struct buf head = buf_new(CALLER_BYTES_MAX);

    if (asks->channel == NULL)
        return core_is_gone(err);
    if (count + 1 > PARTS_MAX)
        return err_set(err, ERR_INTERNAL, "a question of %zu parts", count);
    caller_add(&head, caller);
    int rc = buf_check(&head, "the caller's credentials", err);
    all[0] = buf_span(&head);
    for (size_t i = 0; i < count; i++)
        all[i + 1] = parts[i];
    if (rc == 0)
        rc = channel_send(asks->channel, &message, all, count + 1, err);
    if (rc == ERR_IO) /* its other end has closed, which we will be told */
        rc = core_is_gone(err);
    buf_free(&head);
    return rc;
}

/* ANSWERED or TOLD; the other is NULL. */
static int
ask(struct request *request, uint16_t type, struct span body, ask_answered *answered,
    ask_told *told, void *ctx, struct err *err)
{
    struct asks *asks = request->front->asks;

    if (request->over || request->ask_count >= ASKS_OF_REQUEST_MAX)
        return err_set(err, ERR_INTERNAL, "a request asks core too much");
    struct ask_slot *slot = take_slot(asks, type);
    if (slot == NULL)
        return err_set(err, ERR_BUSY, "%d questions wait for core already", ASKS_MAX);
    slot->request = request;
    slot->answered = answered;
    slot->told = told;
    slot->ctx = ctx;
    slot->next = request->asks;
    request->asks = slot;
    request->ask_count++;
    int rc = send_parts(asks, tag_of(asks, slot), type, &request->caller, &body, 1, err);
    if (rc != 0)
        free_slot(asks, slot);
    return rc;
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

/* Those who asked for events are told to core: it would go on for ever. */
void
asks_drop(struct request *request)
{
    struct asks *asks = request->front->asks;
    struct err ignored = {0};

    while (request->asks != NULL) {
        struct ask_slot *slot = request->asks;
        if (slot->type == MESSAGE_EVENTS && asks->channel != NULL)
            (void)!send_parts(
                asks, tag_of(asks, slot), MESSAGE_EVENTS_END, &request->caller, NULL, 0, &ignored);
        free_slot(asks, slot);
    }
}

/* ---- conversations ---- */

struct front *
ask_front(struct request *request)
{
    return request->front;
}

int
ask_begin(struct front *front, uint16_t type, const struct caller *caller, struct span body,
    const struct ask_talk *talk, uint64_t *tag, struct err *err)
{
    struct asks *asks = front->asks;
    struct ask_slot *slot = take_slot(asks, type);

    if (slot == NULL)
        return err_set(err, ERR_BUSY, "%d questions wait for core already", ASKS_MAX);
    slot->talk = *talk;
    *tag = tag_of(asks, slot);
    int rc = send_parts(asks, *tag, type, caller, &body, 1, err);
    if (rc != 0)
        free_slot(asks, slot);
    return rc;
}

int
ask_again(struct front *front, uint64_t tag, uint16_t type, const struct caller *caller,
    const struct span *parts, size_t count, struct err *err)
{
    if (slot_of(front->asks, tag) == NULL)
        return err_set(err, ERR_INTERNAL, "a conversation with core is over already");
    return send_parts(front->asks, tag, type, caller, parts, count, err);
}

void
ask_end(struct front *front, uint64_t tag)
{
    struct ask_slot *slot = slot_of(front->asks, tag);

    if (slot != NULL)
        free_slot(front->asks, slot);
}
