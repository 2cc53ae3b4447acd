#include "edge/api.h"

#include "base/wire.h"

#include <stdlib.h>

enum { EVENT_BYTES = 64 * 1024 };

/* One listener: what it did not read in time is dropped, and it is told how much that was. */
struct listener {
    bool begun;
    bool behind;
    uint64_t dropped;
};

/* HTML, 9.2.6: JSON has no line ends of its own here, so one `data` line holds it. */
static void
add_event(struct buf *out, struct span name, struct span json)
{
    if (name.n == 0) {
        buf_add_text(out, ": still here\n\n");
        return;
    }
    buf_add_text(out, "event: ");
    buf_add_span(out, name);
    buf_add_text(out, "\ndata: ");
    buf_add_span(out, json);
    buf_add_text(out, "\n\n");
}

static int
add_dropped(struct listener *listener, struct buf *out)
{
    if (listener->dropped == 0)
        return 0;
    buf_format(
        out, "event: dropped\ndata: {\"count\":%llu}\n\n", (unsigned long long)listener->dropped);
    return 1;
}

static void
drained(struct request *request, void *ctx)
{
    struct listener *listener = ctx;

    (void)request;
    listener->behind = false;
}

static int
tell(struct request *request, struct listener *listener, struct span name, struct span json,
    struct err *err)
{
    struct buf out = buf_new(EVENT_BYTES);
    int told_drops = add_dropped(listener, &out);

    add_event(&out, name, json);
    int rc = listener->behind || out.full ? (int)ERR_BUSY
                                          : request_stream_add(request, buf_span(&out), err);
    buf_free(&out);
    if (rc == ERR_BUSY) {
        listener->behind = true;
        listener->dropped += name.n > 0;
        return 0;
    }
    if (rc == 0 && told_drops)
        listener->dropped = 0;
    return rc;
}

static int
came(struct request *request, void *ctx, struct span body, bool more, const struct err *why,
    struct err *err)
{
    struct listener *listener = ctx;
    struct wire_in in = wire_in(body);

    if (why != NULL) {
        if (listener->begun)
            request_stream_end(request);
        else
            request_refuse(request, why);
        return 0;
    }
    struct span name = wire_text(&in);
    struct span json = wire_text(&in);
    int rc = wire_end(&in, "an event", err);
    if (rc == 0 && !listener->begun) {
        rc = request_stream_begin(request, 200, "text/event-stream", drained, listener, err);
        listener->begun = rc == 0;
    }
    if (rc == 0)
        rc = tell(request, listener, name, json, err);
    if (rc == 0 && !more)
        request_stream_end(request);
    return rc;
}

int
api_events(struct request *request, enum api_route route, struct err *err)
{
    struct listener *listener = arena_zalloc(request_arena(request), 1, sizeof *listener);

    if (listener == NULL)
        return arena_full(err, "a listener");
    int rc = api_check_inputs(request, route, err);
    if (rc == 0)
        rc = request_add_header(request, "Cache-Control", SPAN("no-store"), err);
    return rc == 0 ? ask_core(request, MESSAGE_EVENTS, (struct span){NULL, 0}, came, listener, err)
                   : rc;
}
