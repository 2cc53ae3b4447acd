/* channel.h: how do two roles talk in whole messages, in bounded memory?
 *
 * One end of a stream socket pair: frames of a head (length u32, type u16, flags u16, tag u64) and
 * a body. Queues are bounded: who sends more than the other end reads is refused. A frame that
 * breaks the rules closes the channel: only a broken role sends one.
 */
#ifndef COMITY_SYS_CHANNEL_H
#define COMITY_SYS_CHANNEL_H

#include "base/str.h"
#include "sys/loop.h"

enum { CHANNEL_BODY_MAX = 4 * 1024 * 1024 };

struct channel;

struct channel_message {
    uint16_t type;  /* enum message of tables/messages.def */
    uint16_t flags; /* enum channel_flag */
    uint64_t tag;   /* the asker's; answers carry it back */
    struct span body;
    int fd; /* descriptor that came with it, the receiver's to close; -1: none */
};
enum channel_flag {
    CHANNEL_MORE = 1, /* further messages of this tag follow */
};

struct channel_events {
    void *ctx;
    /* MESSAGE is borrowed until it returns, but its fd is the receiver's. */
    void (*message)(void *ctx, struct channel *channel, const struct channel_message *message);
    /* The other end has gone, or broke the rules (WHY says which). Free the channel here or later.
     */
    void (*closed)(void *ctx, struct channel *channel, const struct err *why);
    /* The queue, which had been more than half full, is empty; may be NULL. */
    void (*drained)(void *ctx, struct channel *channel);
};

/* FD becomes the channel's. QUEUE_BYTES_MAX bounds what waits to be sent. */
MUST_USE int channel_new(struct loop *loop, int fd, size_t queue_bytes_max,
    const struct channel_events *events, struct channel **out, struct err *err);
void channel_free(struct channel *channel);

/* Send PARTS as one body: it is written at once if the socket takes it, but small ones that
 * the loop's callbacks send go together, before the loop waits again: that the other end has gone
 * is then told by `closed`. FD is -1 or a descriptor to go with it, which stays the caller's.
 * ERR_BUSY: the queue is full, nothing was sent, try when drained; ERR_LIMIT beyond
 * CHANNEL_BODY_MAX; ERR_IO when the other end has gone. */
MUST_USE int channel_send(struct channel *channel, const struct channel_message *message,
    const struct span *parts, size_t part_count, struct err *err);
size_t channel_queued(const struct channel *channel);
/* Read no more for now, or again: the other end's queue fills, and it is refused in turn. */
void channel_pause(struct channel *channel, bool pause);

#endif
