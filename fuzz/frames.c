/* What a broken role could write to another: any bytes, in pieces. The channel hands out whole
 * messages or closes, and what stands in them is read without going beyond its end. */
#include "fuzz.h"

#include "base/caller.h"
#include "base/conf.h"
#include "sys/channel.h"

#include <sys/socket.h>
#include <unistd.h>

static void
read_body(struct span body)
{
    struct wire_in in = wire_in(body);
    struct caller caller;
    struct conf *conf = conf_new();

    caller_take(&in, &caller);
    MUST(!in.bad || caller.scheme == CALLER_NOBODY);
    while (!in.bad && in.n > 0)
        (void)wire_text(&in);
    MUST(wire_end(&in, "a body", NULL) == 0 || in.bad);
    in = wire_in(body);
    MUST(conf == NULL || conf_take(&in, conf, NULL) == 0 || in.n <= body.n);
    conf_free(conf);
}

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    size_t *bytes = ctx;

    (void)channel;
    MUST(message->fd < 0 && message->type != 0);
    *bytes += 16 + message->body.n;
    read_body(message->body);
}

static struct loop *loop;

static void
on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    (void)ctx;
    MUST(why->code != 0 && why->msg[0] != '\0');
    channel_free(channel);
    loop_stop(loop);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t bytes = 0;
    const struct channel_events events = {
        .ctx = &bytes, .message = on_message, .closed = on_closed};
    struct channel *channel;
    int ends[2];

    if (size > 100000) /* more than a socket takes at once would wait for a reader */
        return 0;
    MUST(loop_new(&loop, NULL) == 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    MUST(channel_new(loop, ends[0], 1 << 20, &events, &channel, NULL) == 0);
    MUST(size == 0 || write(ends[1], data, size) == (ssize_t)size);
    (void)close(ends[1]);
    MUST(loop_run(loop, NULL) == 0);
    MUST(bytes <= size);
    loop_free(loop);
    return 0;
}
