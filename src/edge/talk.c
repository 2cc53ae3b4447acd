#include "edge/talk.h"

#include "base/messages.h"
#include "base/refusal.h"

#include <stdlib.h>
#include <unistd.h>

enum { CALLER_BYTES_MAX = 16 * 1024, QUEUE_BYTES_MAX = 16 * 1024 * 1024, PARTS_MAX = 8 };

/* A slot's generation is part of its tag, so that what comes late for a question that nobody waits
 * for any more finds nobody. */
struct slot {
    struct slot *next; /* of those that are free */
    struct talk talk;
    uint32_t generation;
    bool used;
};

struct talks {
    struct loop *loop;
    talks_said *said;
    void *ctx;
    struct channel *channel; /* NULL: core is gone */
    bool heard;
    bool silent;
    struct slot *free;
    struct slot slots[TALKS_MAX];
};

static uint64_t
tag_of(const struct talks *talks, const struct slot *slot)
{
    return (uint64_t)slot->generation << 32 | (uint64_t)(slot - talks->slots);
}

static struct slot *
slot_of(struct talks *talks, uint64_t tag)
{
    uint64_t i = tag & 0xffffffff;
    struct slot *slot = i < TALKS_MAX ? &talks->slots[i] : NULL;

    return slot != NULL && slot->used && slot->generation == tag >> 32 ? slot : NULL;
}

static void
free_slot(struct talks *talks, struct slot *slot)
{
    *slot = (struct slot){.generation = slot->generation, .next = talks->free};
    talks->free = slot;
}

/* ---- what comes ---- */

static void
tell(struct talks *talks, struct slot *slot, struct span body, bool more, const struct err *why)
{
    const struct talk talk = slot->talk;

    if (!more)
        free_slot(talks, slot);
    talk.answered(talk.ctx, body, more, why);
}

static void
tell_credit(struct slot *slot, struct span body)
{
    struct wire_in in = wire_in(body);
    uint32_t more = wire_u32(&in);

    if (slot->talk.credit != NULL && !in.bad)
        slot->talk.credit(slot->talk.ctx, more);
}

static bool
is_of_a_talk(uint16_t type)
{
    return type == MESSAGE_ANSWER || type == MESSAGE_EVENT || type == MESSAGE_CREDIT
        || type == MESSAGE_REFUSAL;
}

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    struct talks *talks = ctx;
    struct slot *slot = slot_of(talks, message->tag);
    struct err why = {0};

    (void)channel;
    talks->heard = true;
    talks->silent = false;
    if (!is_of_a_talk(message->type) && talks->said != NULL) {
        talks->said(talks->ctx, message);
        return;
    }
    if (message->fd >= 0)
        (void)close(message->fd);
    if (slot == NULL)
        return;
    if (message->type == MESSAGE_CREDIT) {
        tell_credit(slot, message->body);
    } else if (message->type == MESSAGE_REFUSAL) {
        refusal_take(message->body, &why);
        tell(talks, slot, (struct span){NULL, 0}, false, &why);
    } else if (message->type == MESSAGE_ANSWER || message->type == MESSAGE_EVENT) {
        tell(talks, slot, message->body,
            message->type == MESSAGE_EVENT || (message->flags & CHANNEL_MORE) != 0, NULL);
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
    struct talks *talks = ctx;
    struct err gone = {0};

    (void)why;
    talks->channel = NULL;
    channel_free(channel);
    (void)core_is_gone(&gone);
    for (size_t i = 0; i < TALKS_MAX; i++)
        if (talks->slots[i].used)
            tell(talks, &talks->slots[i], (struct span){NULL, 0}, false, &gone);
}

int
talks_core(struct talks *talks, int fd, struct err *err)
{
    const struct channel_events events = {.ctx = talks, .message = on_message, .closed = on_closed};
    struct channel *channel = NULL;
    int rc = channel_new(talks->loop, fd, QUEUE_BYTES_MAX, &events, &channel, err);

    if (rc != 0)
        return rc;
    if (talks->channel != NULL)
        on_closed(talks, talks->channel, NULL);
    talks->channel = channel;
    talks->heard = talks->silent = false;
    return 0;
}

bool
talks_connected(const struct talks *talks)
{
    return talks->channel != NULL;
}

bool
talks_heard(struct talks *talks)
{
    bool heard = talks->heard;

    talks->heard = false;
    return heard;
}

void
talks_silent(struct talks *talks)
{
    talks->silent = true;
}

int
talks_no_answer(struct err *err)
{
    return err_set(err, ERR_BUSY, "the node's core does not answer; try again a little later");
}

int
talks_new(struct loop *loop, talks_said *said, void *ctx, struct talks **out, struct err *err)
{
    struct talks *talks = calloc(1, sizeof *talks);

    if (talks == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for questions to core");
    talks->loop = loop;
    talks->said = said;
    talks->ctx = ctx;
    for (size_t i = TALKS_MAX; i-- > 0;) {
        talks->slots[i].next = talks->free;
        talks->free = &talks->slots[i];
    }
    *out = talks;
    return 0;
}

void
talks_free(struct talks *talks)
{
    if (talks == NULL)
        return;
    if (talks->channel != NULL)
        channel_free(talks->channel);
    free(talks);
}

/* ---- what goes ---- */

static int
send_parts(struct talks *talks, uint64_t tag, uint16_t type, const struct caller *caller,
    const struct span *parts, size_t count, struct err *err)
{
    const struct channel_message message = {.type = type, .tag = tag, .fd = -1};
    struct span all[PARTS_MAX];
    struct buf head = buf_new(CALLER_BYTES_MAX);

    if (talks->channel == NULL)
        return core_is_gone(err);
    if (count + 1 > PARTS_MAX)
        return err_set(err, ERR_INTERNAL, "a question of %zu parts", count);
    caller_add(&head, caller);
    int rc = buf_check(&head, "the caller's credentials", err);
    all[0] = buf_span(&head);
    for (size_t i = 0; i < count; i++)
        all[i + 1] = parts[i];
    if (rc == 0)
        rc = channel_send(talks->channel, &message, all, count + 1, err);
    if (rc == ERR_IO) /* its other end has closed, which we will be told */
        rc = core_is_gone(err);
    buf_free(&head);
    return rc;
}

int
talk_begin(struct talks *talks, uint16_t type, const struct caller *caller, struct span body,
    const struct talk *talk, uint64_t *tag, struct err *err)
{
    struct slot *slot = talks->free;

    if (talks->silent)
        return talks_no_answer(err);
    if (slot == NULL)
        return err_set(err, ERR_BUSY, "%d questions wait for core already", TALKS_MAX);
    talks->free = slot->next;
    *slot = (struct slot){.generation = slot->generation + 1, .talk = *talk, .used = true};
    *tag = tag_of(talks, slot);
    int rc = send_parts(talks, *tag, type, caller, &body, 1, err);
    if (rc != 0)
        free_slot(talks, slot);
    return rc;
}

int
talk_again(struct talks *talks, uint64_t tag, uint16_t type, const struct caller *caller,
    const struct span *parts, size_t count, struct err *err)
{
    if (slot_of(talks, tag) == NULL)
        return err_set(err, ERR_INTERNAL, "a conversation with core is over already");
    return send_parts(talks, tag, type, caller, parts, count, err);
}

void
talk_end(struct talks *talks, uint64_t tag)
{
    struct slot *slot = slot_of(talks, tag);

    if (slot != NULL)
        free_slot(talks, slot);
}
