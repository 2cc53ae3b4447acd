/* What a broken role could write to another: any bytes, in pieces. The channel hands out whole
 * messages or closes, and what stands in them is read without going beyond its end. */
#include "fuzz.h"

#include "base/caller.h"
#include "base/conf.h"
#include "model/link.h"
#include "sys/channel.h"

#include <sys/socket.h>
#include <unistd.h>

/* Between core and courier; the dates also as another node's header says them. */
static void
read_link(struct span body)
{
    struct arena *arena = arena_new(1 << 20);
    struct link *links;
    size_t count = 0;
    struct link_parcel parcel;
    struct link_dates dates;
    struct link_failure failure;
    char text[LINK_DATES_BYTES];

    MUST(arena != NULL);
    if (links_take(arena, body, &links, &count, NULL) == 0)
        for (size_t i = 0; i < count; i++)
            MUST(links[i].id.n <= body.n && links[i].url.n <= body.n && links[i].pin.n <= body.n);
    MUST(link_parcel_take(body, &parcel, NULL) != 0 || parcel.envelope.n <= body.n);
    (void)!link_dates_take(body, &dates, NULL);
    MUST(link_failure_take(body, &failure, NULL) != 0 || failure.why.n <= body.n);
    if (link_dates_parse(body, &dates))
        MUST(link_dates_format(&dates, text) <= sizeof text && dates.from_us <= dates.through_us);
    arena_free(arena);
}

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
    read_link(body);
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
