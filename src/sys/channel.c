#include "sys/channel.h"

#include "base/wire.h"
#include "sys/clock.h"
#include "sys/passing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A descriptor goes with its frame's first byte; HAS_FD in the frame's flags says that one does. */
enum {
    HEAD_BYTES = 16,
    HAS_FD = 0x8000,
    READ_BYTES = 256 * 1024,
    GATHER_BYTES = 64 * 1024, /* small messages of one round go together */
    PARTS_MAX = 62,           /* beside the head */
};

struct channel {
    struct loop *loop;
    int fd;
    struct channel_events events;
    unsigned watched; /* what the loop waits for; 0: nothing */
    unsigned depth;   /* callbacks that run now */
    bool freed;       /* as soon as they have returned */
    bool over;        /* closed was told */
    bool broken;      /* writing failed */
    bool paused;
    bool drain_wanted;

    char *in;
    size_t in_size;
    size_t in_at; /* handed out up to here */
    size_t in_n;  /* read up to here */
    struct passing in_fds;
    struct loop_timer again; /* what was read while paused */

    struct buf out;
    size_t out_at;       /* sent up to here */
    uint64_t out_passed; /* bytes of the queue that were sent before out.p[0] */
    size_t queue_bytes_max;
    struct passing out_fds;
    struct loop_task gathered; /* set: nothing in the queue was tried to be written */
};

static void flush(struct channel *channel);

static void
really_free(struct channel *channel)
{
    if (channel->gathered.set && !channel->broken)
        flush(channel); /* who sends and goes is heard */
    loop_soon_stop(channel->loop, &channel->gathered);
    loop_timer_stop(channel->loop, &channel->again);
    loop_forget(channel->loop, channel->fd);
    (void)close(channel->fd);
    passing_close(&channel->in_fds);
    passing_close(&channel->out_fds);
    buf_free(&channel->out);
    free(channel->in);
    free(channel);
}

void
channel_free(struct channel *channel)
{
    if (channel == NULL)
        return;
    channel->freed = true;
    if (channel->depth == 0)
        really_free(channel);
}

/* Between these, whatever callbacks do, the channel is there; only what is called from outside has
 * them, as its first and last. */
static void
enter(struct channel *channel)
{
    channel->depth++;
}

static void
leave(struct channel *channel)
{
    if (--channel->depth == 0 && channel->freed)
        really_free(channel);
}

static void
end(struct channel *channel, const struct err *why)
{
    if (channel->over || channel->freed)
        return;
    channel->over = true;
    channel->broken = true;
    loop_timer_stop(channel->loop, &channel->again);
    loop_soon_stop(channel->loop, &channel->gathered);
    loop_forget(channel->loop, channel->fd);
    channel->watched = 0;
    channel->events.closed(channel->events.ctx, channel, why);
}

static void on_ready(void *ctx, unsigned events);

/* Wait for what can be done: read unless paused, write what is queued. */
static int
watch(struct channel *channel, struct err *err)
{
    unsigned events = (channel->paused ? 0u : LOOP_READ)
        | (channel->out.n > channel->out_at && !channel->broken && !channel->gathered.set
                ? LOOP_WRITE
                : 0u);

    if (channel->over || (events == channel->watched && events != 0))
        return 0;
    channel->watched = events;
    if (events != 0)
        return loop_watch(channel->loop, channel->fd, events, on_ready, channel, err);
    /* The other end's leaving would be told again and again, and nobody reads. */
    loop_forget(channel->loop, channel->fd);
    return 0;
}

static void
watch_or_end(struct channel *channel)
{
    struct err err = {0};

    if (watch(channel, &err) != 0)
        end(channel, &err);
}

struct head {
    size_t length;
    uint16_t type;
    uint16_t flags;
    uint64_t tag;
};

/* 1: it is there; 0: not yet; ERR_INTERNAL: it breaks the rules. */
static int
take_head(const struct channel *channel, struct head *head, struct err *err)
{
    if (channel->in_n - channel->in_at < HEAD_BYTES)
        return 0;
    struct wire_in in = wire_in((struct span){channel->in + channel->in_at, HEAD_BYTES});
    head->length = wire_u32(&in);
    head->type = wire_u16(&in);
    head->flags = wire_u16(&in);
    head->tag = wire_u64(&in);
    if (head->length > CHANNEL_BODY_MAX)
        return err_set(err, ERR_INTERNAL, "a message of %zu bytes came; at most %d are allowed",
            head->length, CHANNEL_BODY_MAX);
    if (head->type == 0 || (head->flags & ~(CHANNEL_MORE | HAS_FD)) != 0)
        return err_set(err, ERR_INTERNAL, "a message came with type %u and flags %x: there is none",
            head->type, head->flags);
    if ((head->flags & HAS_FD) != 0 && channel->in_fds.n == 0)
        return err_set(err, ERR_INTERNAL, "a message came without its descriptor");
    return 1;
}

/* One whole message is handed out. 1: it was; 0: none is there. */
static int
hand_out(struct channel *channel, struct err *err)
{
    struct head head;
    int rc = take_head(channel, &head, err);

    if (rc <= 0 || channel->in_n - channel->in_at - HEAD_BYTES < head.length)
        return rc < 0 ? rc : 0;
    struct channel_message message = {.type = head.type,
        .flags = head.flags & CHANNEL_MORE,
        .tag = head.tag,
        .body = {channel->in + channel->in_at + HEAD_BYTES, head.length},
        .fd = (head.flags & HAS_FD) != 0 ? passing_first(&channel->in_fds) : -1};
    channel->in_at += HEAD_BYTES + head.length;
    channel->events.message(channel->events.ctx, channel, &message);
    return 1;
}

/* All that is there, unless one of them pauses or frees the channel. */
static void
hand_out_all(struct channel *channel)
{
    struct err err = {0};
    int rc = 1;

    while (rc > 0 && !channel->paused && !channel->freed && !channel->over)
        rc = hand_out(channel, &err);
    if (rc < 0)
        end(channel, &err);
}

/* Room for the rest of the frame that has begun, at least; what was handed out is given up. No
 * whole frame is there now: READ_BYTES or that frame hold what is kept. */
static int
make_room(struct channel *channel, struct err *err)
{
    size_t kept = channel->in_n - channel->in_at;
    size_t wanted = READ_BYTES;

    if (kept >= HEAD_BYTES) {
        struct wire_in in = wire_in((struct span){channel->in + channel->in_at, kept});
        size_t frame = HEAD_BYTES + (size_t)wire_u32(&in);
        wanted = frame > wanted ? frame : wanted;
    }
    if (kept > 0 && channel->in_at > 0)
        memmove(channel->in, channel->in + channel->in_at, kept);
    channel->in_at = 0;
    channel->in_n = kept;
    if (channel->in_size == wanted)
        return 0;
    char *in = realloc(channel->in, wanted);
    if (in == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a message of %zu bytes", wanted);
    channel->in = in;
    channel->in_size = wanted;
    return 0;
}

/* 1: something was read; 0: nothing is there now; ERR_IO: the other end has gone. */
static int
read_some(struct channel *channel, struct err *err)
{
    union passing_control control;
    struct iovec part = {channel->in + channel->in_n, channel->in_size - channel->in_n};
    struct msghdr got = {.msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(channel->fd, &got, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return err_set(err, ERR_IO, "the other end cannot be read: %s", strerror(errno));
    if (n == 0)
        return err_set(err, ERR_IO, "the other end has gone%s",
            channel->in_n > channel->in_at ? " in the middle of a message" : "");
    channel->in_n += (size_t)n;
    int rc = passing_keep(&channel->in_fds, &got, err);
    return rc != 0 ? rc : 1;
}

static void
receive(struct channel *channel)
{
    struct err err = {0};
    int rc = make_room(channel, &err);

    if (rc == 0)
        rc = read_some(channel, &err);
    if (rc < 0)
        end(channel, &err);
    else if (rc > 0)
        hand_out_all(channel);
}

/* What was read before the pause, then what comes. */
static void
go_on(void *ctx)
{
    struct channel *channel = ctx;

    enter(channel);
    hand_out_all(channel);
    if (!channel->freed)
        watch_or_end(channel);
    leave(channel);
}

void
channel_pause(struct channel *channel, bool pause)
{
    if (channel->paused == pause || channel->over)
        return;
    enter(channel);
    channel->paused = pause;
    if (pause) {
        loop_timer_stop(channel->loop, &channel->again);
        watch_or_end(channel);
    } else if (loop_timer_set(channel->loop, &channel->again, clock_ticks_us(), NULL) != 0)
        watch_or_end(channel);
    leave(channel);
}

size_t
channel_queued(const struct channel *channel)
{
    return channel->out.n - channel->out_at;
}

/* The queue from its beginning to the next descriptor's frame, or to its end. 1: more may go; 0:
 * the socket takes no more now; -1: it never will. */
static int
send_queued(struct channel *channel)
{
    uint64_t at = channel->out_passed + channel->out_at;
    bool with_fd = channel->out_fds.n > 0 && channel->out_fds.at[0] == at;
    size_t next = with_fd ? 1 : 0;
    size_t n = channel_queued(channel);

    if (channel->out_fds.n > next && channel->out_fds.at[next] - at < n)
        n = (size_t)(channel->out_fds.at[next] - at);
    struct iovec part = {channel->out.p + channel->out_at, n};
    ssize_t sent = passing_send(channel->fd, &part, 1, with_fd ? channel->out_fds.fd[0] : -1);
    if (sent < 0)
        return errno == EAGAIN ? 0 : -1;
    if (with_fd)
        (void)close(passing_first(&channel->out_fds));
    channel->out_at += (size_t)sent;
    return 1;
}

static void
flush(struct channel *channel)
{
    int rc = 1;

    while (rc > 0 && channel_queued(channel) > 0)
        rc = send_queued(channel);
    if (rc < 0)
        channel->broken = true;
    if (channel_queued(channel) > 0)
        return;
    channel->out_passed += channel->out_at;
    channel->out.n = channel->out_at = 0;
    if (channel->out.size > READ_BYTES)
        buf_free(&channel->out);
}

static void
write_queue(struct channel *channel)
{
    flush(channel);
    watch_or_end(channel);
    if (channel->freed || channel->over || channel_queued(channel) > 0 || !channel->drain_wanted)
        return;
    channel->drain_wanted = false;
    if (channel->events.drained != NULL)
        channel->events.drained(channel->events.ctx, channel);
}

/* What a round's callbacks sent goes out before the loop waits. */
static void
on_gathered(void *ctx)
{
    struct channel *channel = ctx;

    enter(channel);
    if (!channel->broken)
        write_queue(channel);
    leave(channel);
}

static void
on_ready(void *ctx, unsigned events)
{
    struct channel *channel = ctx;

    enter(channel);
    if ((events & LOOP_WRITE) != 0 && (events & LOOP_CLOSED) == 0)
        write_queue(channel);
    if (!channel->freed && (channel->watched & LOOP_READ) != 0
        && (events & (LOOP_READ | LOOP_CLOSED)) != 0)
        receive(channel);
    else if (!channel->freed && (events & LOOP_CLOSED) != 0) {
        channel->broken = true; /* nobody reads what is queued; the end is told when unpaused */
        watch_or_end(channel);
    }
    leave(channel);
}

/* What of PARTS lies behind the first SENT bytes goes into the queue. */
static int
enqueue(struct channel *channel, const struct iovec *parts, size_t count, size_t sent, int fd,
    struct err *err)
{
    if (channel->out_at > 0 && channel->out_at >= channel->out.n / 2) {
        memmove(channel->out.p, channel->out.p + channel->out_at, channel_queued(channel));
        channel->out_passed += channel->out_at;
        channel->out.n -= channel->out_at;
        channel->out_at = 0;
    }
    size_t before = channel->out.n;
    for (size_t i = 0; i < count; i++) {
        size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        sent -= skip;
        if (skip < parts[i].iov_len) /* an empty part may be nowhere */
            buf_add(&channel->out, (const char *)parts[i].iov_base + skip, parts[i].iov_len - skip);
    }
    int kept = fd < 0 || channel->out.full ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (channel->out.full || (fd >= 0 && kept < 0)) {
        channel->out.full = false;
        channel->out.n = before;
        return err_set(err, ERR_NO_MEMORY, "no memory or descriptor to keep a message");
    }
    if (kept >= 0) {
        channel->out_fds.fd[channel->out_fds.n] = kept;
        channel->out_fds.at[channel->out_fds.n++] = channel->out_passed + before;
    }
    if (channel_queued(channel) > channel->queue_bytes_max / 2)
        channel->drain_wanted = true;
    int rc = watch(channel, err);
    channel->broken |= rc != 0;
    return rc;
}

static int
write_or_enqueue(
    struct channel *channel, struct iovec *parts, size_t count, int fd, struct err *err)
{
    bool gathers = channel_queued(channel) == 0 || channel->gathered.set;
    size_t all = 0;
    ssize_t sent = 0;

    for (size_t i = 0; i < count; i++)
        all += parts[i].iov_len;
    if (gathers && fd < 0 && channel_queued(channel) + all <= GATHER_BYTES
        && loop_soon(channel->loop, &channel->gathered))
        return enqueue(channel, parts, count, 0, -1, err);
    if (channel->gathered.set) {
        loop_soon_stop(channel->loop, &channel->gathered);
        flush(channel);
    }
    if (channel->broken)
        return err_set(err, ERR_IO, "the other end has gone");
    if (channel_queued(channel) == 0)
        sent = passing_send(channel->fd, parts, count, fd);
    if (sent < 0 && errno != EAGAIN) {
        channel->broken = true;
        return err_set(err, ERR_IO, "the other end has gone: %s", strerror(errno));
    }
    sent = sent < 0 ? 0 : sent;
    if ((size_t)sent == all)
        return 0;
    int rc = enqueue(channel, parts, count, (size_t)sent, sent > 0 ? -1 : fd, err);
    if (rc != 0 && sent > 0)
        channel->broken = true; /* half a message is on its way: nothing may follow */
    return rc;
}

static int
check_send(struct channel *channel, const struct channel_message *message, size_t length,
    size_t parts, struct err *err)
{
    size_t queued = channel_queued(channel);

    if (length > CHANNEL_BODY_MAX || parts > PARTS_MAX)
        return err_set(err, ERR_LIMIT,
            "a message of %zu bytes in %zu parts; at most %d bytes in %d are sent", length, parts,
            CHANNEL_BODY_MAX, PARTS_MAX);
    if (message->type == 0 || (message->flags & ~CHANNEL_MORE) != 0)
        return err_set(err, ERR_INTERNAL, "there is no message of type %u and flags %x",
            message->type, message->flags);
    if (channel->broken || channel->over)
        return err_set(err, ERR_IO, "the other end has gone");
    if (queued > 0
        && (queued + HEAD_BYTES + length > channel->queue_bytes_max
            || (message->fd >= 0 && channel->out_fds.n == PASSING_MAX))) {
        channel->drain_wanted = true;
        return err_set(err, ERR_BUSY, "the other end is behind: %zu bytes wait for it", queued);
    }
    return 0;
}

int
channel_send(struct channel *channel, const struct channel_message *message,
    const struct span *parts, size_t part_count, struct err *err)
{
    struct iovec all[1 + PARTS_MAX];
    char head[HEAD_BYTES];
    size_t length = 0;

    for (size_t i = 0; i < part_count; i++) {
        length += parts[i].n;
        if (i < PARTS_MAX)
            all[1 + i] = (struct iovec){(void *)(uintptr_t)parts[i].p, parts[i].n};
    }
    int rc = check_send(channel, message, length, part_count, err);
    if (rc != 0)
        return rc;
    unsigned flags = message->flags | (message->fd >= 0 ? HAS_FD : 0u);
    wire_put(head, length, 4);
    wire_put(head + 4, message->type, 2);
    wire_put(head + 6, flags, 2);
    wire_put(head + 8, message->tag, 8);
    all[0] = (struct iovec){head, sizeof head};
    return write_or_enqueue(channel, all, 1 + part_count, message->fd, err);
}

int
channel_new(struct loop *loop, int fd, size_t queue_bytes_max, const struct channel_events *events,
    struct channel **out, struct err *err)
{
    struct channel *channel = calloc(1, sizeof *channel);

    *out = NULL;
    if (channel == NULL) {
        (void)close(fd);
        return err_set(err, ERR_NO_MEMORY, "no memory for a channel");
    }
    channel->loop = loop;
    channel->fd = fd;
    channel->events = *events;
    channel->queue_bytes_max = queue_bytes_max;
    channel->out = buf_new(2 * (queue_bytes_max + HEAD_BYTES + CHANNEL_BODY_MAX));
    channel->again = (struct loop_timer){.due = go_on, .ctx = channel};
    channel->gathered = (struct loop_task){.run = on_gathered, .ctx = channel};
    int rc = watch(channel, err);
    if (rc != 0) {
        channel_free(channel);
        return rc;
    }
    *out = channel;
    return 0;
}
