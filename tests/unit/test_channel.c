#include "sys/channel.h"

#include "sys/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { QUEUE = 1 << 20 };

/* What one end saw. */
struct end {
    struct channel *channel; /* NULL: this end is written by hand */
    int fd;
    unsigned messages;
    unsigned stop_after; /* messages; 0: no */
    unsigned pause_after;
    bool free_after;
    bool in_order; /* tags count up by one */
    uint64_t sum;  /* of all bodies' bytes */
    uint64_t bytes;
    uint64_t last_tag;
    uint16_t last_flags;
    int last_fd;
    bool closed;
    bool drained;
    struct err why;
};

static struct loop *loop;
static struct end a;
static struct end b;

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    struct end *end = ctx;

    assert_ptr_equal(channel, end->channel);
    end->messages++;
    if (end->in_order)
        assert_int_equal(message->tag, end->last_tag + 1);
    end->last_tag = message->tag;
    end->last_flags = message->flags;
    if (end->last_fd >= 0)
        (void)close(end->last_fd);
    end->last_fd = message->fd;
    end->bytes += message->body.n;
    for (size_t i = 0; i < message->body.n; i++)
        end->sum += (unsigned char)message->body.p[i];
    if (end->messages == end->pause_after)
        channel_pause(channel, true);
    if (end->messages == end->stop_after)
        loop_stop(loop);
    if (end->free_after) {
        channel_free(channel);
        end->channel = NULL;
    }
}

static void
on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    struct end *end = ctx;

    (void)channel;
    assert_false(end->closed);
    end->closed = true;
    end->why = *why;
    loop_stop(loop);
}

static void
on_drained(void *ctx, struct channel *channel)
{
    struct end *end = ctx;

    assert_int_equal(channel_queued(channel), 0);
    end->drained = true;
    loop_stop(loop);
}

static void
attach(struct end *end, int fd)
{
    const struct channel_events events = {end, on_message, on_closed, on_drained};

    *end = (struct end){.fd = fd, .last_fd = -1};
    assert_int_equal(channel_new(loop, fd, QUEUE, &events, &end->channel, NULL), 0);
}

/* Both ends are channels, or b is left to be written by hand. */
static void
connect_ends(bool both)
{
    int fds[2];

    assert_int_equal(loop_new(&loop, NULL), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    attach(&a, fds[0]);
    if (both)
        attach(&b, fds[1]);
    else
        b = (struct end){.fd = fds[1], .last_fd = -1};
}

static void
disconnect(void)
{
    channel_free(a.channel);
    if (b.channel != NULL)
        channel_free(b.channel);
    else if (b.fd >= 0)
        (void)close(b.fd);
    if (a.last_fd >= 0)
        (void)close(a.last_fd);
    if (b.last_fd >= 0)
        (void)close(b.last_fd);
    loop_free(loop);
}

static int
send_bytes(struct end *from, uint64_t tag, struct span body, int fd)
{
    const struct channel_message message = {
        .type = 30, .flags = CHANNEL_MORE, .tag = tag, .fd = fd};
    const struct span parts[] = {{body.p, body.n / 3}, {body.p + body.n / 3, body.n - body.n / 3}};

    return channel_send(from->channel, &message, parts, 2, NULL);
}

static void
stop_loop(void *ctx)
{
    loop_stop(ctx);
}

/* Runs are ended by what is awaited; a lost message would hang, so a minute is the end. */
static void
run(void)
{
    struct loop_timer end = {.due = stop_loop, .ctx = loop};

    assert_int_equal(loop_timer_set(loop, &end, clock_ticks_us() + 60000000, NULL), 0);
    assert_int_equal(loop_run(loop, NULL), 0);
    assert_int_not_equal(end.place, 0);
    loop_timer_stop(loop, &end);
}

static char *
body_of(size_t n, uint64_t *sum)
{
    char *body = malloc(n);

    assert_non_null(body);
    for (size_t i = 0; i < n; i++) {
        body[i] = (char)(i * 7 + n);
        *sum += (unsigned char)body[i];
    }
    return body;
}

static void
messages_of_all_sizes_come_whole_and_in_order(void **state)
{
    static const size_t sizes[] = {
        0, 1, 15, 16, 17, 4096, 262128, 262144, 262145, 1000000, CHANNEL_BODY_MAX};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };

    (void)state;
    for (size_t i = 0; i < COUNT; i++) { /* short writes: most are larger than the socket takes */
        uint64_t sum = 0;
        connect_ends(true);
        b.stop_after = 2;
        char *body = body_of(sizes[i] + 1, &sum);
        sum -= (unsigned char)body[sizes[i]];
        assert_int_equal(send_bytes(&a, i, (struct span){body, sizes[i]}, -1), 0);
        if (sizes[i] < QUEUE)
            assert_int_equal(send_bytes(&a, i + 1, SPAN("\x01\x02"), -1), 0);
        else
            b.stop_after = 1;
        while (b.messages < b.stop_after) /* a's being drained stops the loop too */
            run();
        assert_int_equal(b.sum, sum + (sizes[i] < QUEUE ? 3 : 0));
        assert_int_equal(b.last_tag, sizes[i] < QUEUE ? i + 1 : i);
        assert_int_equal(b.last_flags, CHANNEL_MORE);
        assert_int_equal(channel_queued(a.channel), 0);
        free(body);
        disconnect();
    }
}

static void
too_large_is_not_sent(void **state)
{
    uint64_t sum = 0;
    char *body = body_of((size_t)CHANNEL_BODY_MAX + 1, &sum);
    const struct channel_message odd = {.type = 1, .flags = 0x8000, .fd = -1};

    (void)state;
    connect_ends(true);
    assert_int_equal(
        send_bytes(&a, 1, (struct span){body, (size_t)CHANNEL_BODY_MAX + 1}, -1), ERR_LIMIT);
    assert_int_equal(channel_send(a.channel, &odd, NULL, 0, NULL), ERR_INTERNAL);
    assert_int_equal(channel_queued(a.channel), 0);
    free(body);
    disconnect();
}

/* Who is not read is refused once the queue is full, told when it is empty, and nothing is lost. */
static void
a_queue_is_bounded(void **state)
{
    uint64_t sum = 0;
    char *body = body_of(10000, &sum);
    unsigned sent = 0;
    int rc;

    (void)state;
    connect_ends(true);
    channel_pause(b.channel, true);
    while ((rc = send_bytes(&a, sent, (struct span){body, 10000}, -1)) == 0 && sent < 100000)
        sent++;
    assert_int_equal(rc, ERR_BUSY);
    assert_in_range(channel_queued(a.channel), QUEUE / 2, QUEUE);
    channel_pause(b.channel, false);
    run();
    assert_true(a.drained);
    assert_int_equal(channel_queued(a.channel), 0);
    channel_free(a.channel); /* b reads what is left, then is told of the end */
    a.channel = NULL;
    run();
    assert_true(b.closed);
    assert_int_equal(b.messages, sent);
    assert_int_equal(b.sum, sent * sum);
    free(body);
    disconnect();
}

static void
a_pause_inside_a_batch_keeps_the_rest(void **state)
{
    (void)state;
    connect_ends(true);
    b.pause_after = 2;
    b.stop_after = 2;
    for (uint64_t i = 1; i <= 5; i++)
        assert_int_equal(send_bytes(&a, i, SPAN("abc"), -1), 0);
    run();
    assert_int_equal(b.messages, 2);
    channel_free(a.channel); /* leaving is told only after what came before it */
    a.channel = NULL;
    b.stop_after = 0;
    channel_pause(b.channel, false);
    run();
    assert_int_equal(b.messages, 5);
    assert_int_equal(b.last_tag, 5);
    assert_true(b.closed);
    assert_int_equal(b.why.code, ERR_IO);
    disconnect();
}

static void
descriptors_stay_with_their_messages(void **state)
{
    uint64_t sum = 0;
    char *body = body_of(50000, &sum);
    int pipes[2];

    (void)state;
    connect_ends(true);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    for (uint64_t i = 0; i < 20; i++) /* the later ones wait in the queue, among others without */
        assert_int_equal(
            send_bytes(&a, i, (struct span){body, 50000}, i % 3 == 2 ? pipes[1] : -1), 0);
    assert_true(channel_queued(a.channel) > 0);
    (void)close(pipes[1]);
    for (unsigned i = 1; i <= 20; i++) {
        b.stop_after = i;
        while (b.messages < i)
            run();
    }
    assert_int_equal(b.bytes, 20 * 50000);
    assert_int_equal(b.last_fd, -1); /* the last has none, and all others' were closed */
    char byte;
    assert_int_equal(read(pipes[0], &byte, 1), 0); /* nobody has the writing end any more */
    assert_int_equal(send_bytes(&a, 21, SPAN("x"), pipes[0]), 0);
    b.stop_after = 21;
    run();
    assert_true(b.last_fd >= 0 && b.last_fd != pipes[0]);
    assert_int_equal(fcntl(b.last_fd, F_GETFD), FD_CLOEXEC);
    (void)close(pipes[0]);
    free(body);
    disconnect();
}

enum { ROUND = 300 };
static const size_t sizes[] = {0, 10, 3000, 10, 100000, 7};

/* Large ones, and one with a descriptor, between small ones that wait for the round's end. */
static void
send_a_round(void *ctx)
{
    size_t expected = 0;
    uint64_t sum = 0;
    char *body = body_of(100000, &sum);

    (void)ctx;
    for (uint64_t i = 1; i <= ROUND; i++) {
        struct span one = {body, sizes[i % (sizeof sizes / sizeof sizes[0])]};
        assert_int_equal(send_bytes(&a, i, one, i == 100 ? STDIN_FILENO : -1), 0);
        if (i < 4)
            assert_true(channel_queued(a.channel) > expected);
        expected = channel_queued(a.channel);
        if (channel_queued(a.channel) > QUEUE / 2)
            break;
    }
    free(body);
}

static void
what_a_round_sends_goes_together_in_order(void **state)
{
    struct loop_timer now = {.due = send_a_round, .at_ticks_us = 0};

    (void)state;
    connect_ends(true);
    assert_int_equal(loop_timer_set(loop, &now, clock_ticks_us(), NULL), 0);
    b.in_order = true;
    b.stop_after = 5;
    run();
    assert_int_equal(b.last_tag, b.messages);
    /* Outside of the loop's rounds nothing waits. */
    while (channel_queued(a.channel) > 0) {
        b.stop_after = b.messages + 1;
        run();
    }
    assert_int_equal(send_bytes(&a, b.messages + 1, SPAN("x"), -1), 0);
    assert_int_equal(channel_queued(a.channel), 0);
    disconnect();
}

static void
last_words(void *ctx)
{
    assert_int_equal(send_bytes(&a, 1, SPAN("farewell"), -1), 0);
    assert_true(channel_queued(a.channel) > 0);
    channel_free(a.channel);
    a.channel = NULL;
    loop_stop(ctx);
}

/* Who sends and goes is heard. */
static void
what_waits_for_the_rounds_end_is_not_lost_with_the_channel(void **state)
{
    struct loop_timer now = {.due = last_words};

    (void)state;
    connect_ends(true);
    now.ctx = loop;
    assert_int_equal(loop_timer_set(loop, &now, clock_ticks_us(), NULL), 0);
    run();
    b.stop_after = 1;
    if (b.messages == 0)
        run();
    assert_int_equal(b.bytes, 8);
    channel_free(b.channel);
    loop_free(loop);
}

static void
a_channel_may_be_freed_by_its_message(void **state)
{
    (void)state;
    connect_ends(true);
    b.free_after = true;
    b.stop_after = 1;
    assert_int_equal(send_bytes(&a, 1, SPAN("abc"), -1), 0);
    assert_int_equal(send_bytes(&a, 2, SPAN("abc"), -1), 0);
    run();
    assert_int_equal(b.messages, 1);
    b.fd = -1;
    assert_int_equal(send_bytes(&a, 3, SPAN("abc"), -1), ERR_IO);
    run();
    assert_true(a.closed);
    assert_int_equal(send_bytes(&a, 4, SPAN("abc"), -1), ERR_IO);
    disconnect();
}

/* Written by hand: what a broken role could send. */
static void
hostile(const char *bytes, size_t n, int fd_count, int code, const char *word)
{
    int fds[8] = {STDIN_FILENO, STDIN_FILENO, STDIN_FILENO, STDIN_FILENO, STDIN_FILENO,
        STDIN_FILENO, STDIN_FILENO, STDIN_FILENO};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof fds)];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)bytes, n};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    connect_ends(false);
    if (fd_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE((size_t)fd_count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN((size_t)fd_count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, (size_t)fd_count * sizeof(int));
    }
    assert_int_equal(sendmsg(b.fd, &message, 0), (ssize_t)n);
    (void)shutdown(b.fd, SHUT_WR);
    run();
    assert_true(a.closed);
    assert_int_equal(a.messages, 0);
    assert_int_equal(a.why.code, code);
    if (strstr(a.why.msg, word) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", a.why.msg, word);
    disconnect();
}

static void
frames_that_break_the_rules_close(void **state)
{
    (void)state;
    hostile("\1\0\100\0\1\0\0\0\0\0\0\0\0\0\0\0", 16, 0, ERR_INTERNAL, "4194305 bytes");
    hostile("\377\377\377\377\1\0\0\0\0\0\0\0\0\0\0\0", 16, 0, ERR_INTERNAL, "4294967295 bytes");
    hostile("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, 0, ERR_INTERNAL, "type 0");
    hostile("\0\0\0\0\1\0\2\0\0\0\0\0\0\0\0\0", 16, 0, ERR_INTERNAL, "flags 2");
    hostile("\0\0\0\0\1\0\0\200\0\0\0\0\0\0\0\0", 16, 0, ERR_INTERNAL, "without its descriptor");
    hostile("\0\0\0\0\1\0\0\200\0\0\0\0\0\0\0\0", 16, 8, ERR_INTERNAL, "more descriptors");
    hostile("\4\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0abc", 19, 0, ERR_IO, "middle");
    hostile("\4\0\0", 3, 1, ERR_IO, "middle");
}

/* A frame that drips in byte by byte is one message. */
static void
a_frame_may_come_in_drops(void **state)
{
    static const char frame[] = "\3\0\0\0\7\0\1\0\5\0\0\0\0\0\0\0abc";

    (void)state;
    connect_ends(false);
    a.stop_after = 3;
    for (unsigned i = 0; i < 3; i++)
        for (size_t at = 0; at < sizeof frame - 1; at++) {
            assert_int_equal(write(b.fd, frame + at, 1), 1);
            if (i < 2 || at + 1 < sizeof frame - 1) {
                struct loop_timer now = {.due = stop_loop, .ctx = loop};
                assert_int_equal(loop_timer_set(loop, &now, 0, NULL), 0);
                assert_int_equal(loop_run(loop, NULL), 0);
            }
        }
    run();
    assert_int_equal(a.messages, 3);
    assert_int_equal(a.sum, 3 * ('a' + 'b' + 'c'));
    assert_int_equal(a.last_tag, 5);
    disconnect();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_all_sizes_come_whole_and_in_order),
        cmocka_unit_test(too_large_is_not_sent),
        cmocka_unit_test(a_queue_is_bounded),
        cmocka_unit_test(a_pause_inside_a_batch_keeps_the_rest),
        cmocka_unit_test(descriptors_stay_with_their_messages),
        cmocka_unit_test(what_a_round_sends_goes_together_in_order),
        cmocka_unit_test(what_waits_for_the_rounds_end_is_not_lost_with_the_channel),
        cmocka_unit_test(a_channel_may_be_freed_by_its_message),
        cmocka_unit_test(frames_that_break_the_rules_close),
        cmocka_unit_test(a_frame_may_come_in_drops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
