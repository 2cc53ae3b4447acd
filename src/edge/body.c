#include "edge/front_private.h"

#include "fmt/input.h"

#include <stdlib.h>

/* A body that is collected may not make much of little; one that is read as it comes takes no more
 * memory for it, and may grow as a file may (fmt/input.h). */
enum {
    WHOLE_FREE_BYTES = 1 << 20,
    WHOLE_RATIO_MAX = 200,
    STREAM_FREE_BYTES = 64 << 20,
};

static bool
refuse(struct request *request, enum err_code code, const char *text)
{
    struct err err = {0};

    (void)err_set(&err, code, "%s", text);
    request_refuse(request, &err);
    return false;
}

static bool
begin_unpacking(struct request *request)
{
    struct span coding;

    if (!request_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING, &coding) || coding.n == 0
        || span_equal_nocase(coding, SPAN("identity")))
        return true;
    enum unpack_kind kind = UNPACK_NONE;
    if (span_equal_nocase(coding, SPAN("gzip")) || span_equal_nocase(coding, SPAN("x-gzip")))
        kind = UNPACK_GZIP;
    else if (span_equal_nocase(coding, SPAN("zstd")))
        kind = UNPACK_ZSTD;
    if (kind == UNPACK_NONE) {
        struct err err = {0};
        (void)!request_add_header(request, "Accept-Encoding", SPAN("gzip, zstd"), &err);
        return refuse(request, ERR_BAD_ENCODING,
            "the body's Content-Encoding is none that is read; gzip and zstd are");
    }
    request->unpack = unpack_new(kind);
    request->unpacked = malloc(UNPACK_BYTES);
    if (request->unpack == NULL || request->unpacked == NULL)
        return refuse(request, ERR_NO_MEMORY, "no memory to unpack the body");
    return true;
}

uint64_t
body_most(const struct request *request)
{
    uint64_t most = request->route->body_max;
    uint64_t stream_max = request->front->settings.stream_max;

    return request->route->body == BODY_STREAM && stream_max != 0 && stream_max < most ? stream_max
                                                                                       : most;
}

bool
body_begin(struct request *request)
{
    const struct route *route = request->route;
    struct span text;
    uint64_t n = 0;
    bool chunked = request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING, &text);

    /* Two readers of one stream may disagree where a chunked body ends (bare LF, extensions): then
     * nothing may follow it. */
    if (chunked)
        request->close = true;
    else if (request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH, &text) && !span_u64(text, &n))
        return refuse(request, ERR_BAD_VALUE, "Content-Length is no number");
    request->state = REQUEST_HANDLED;
    if (!chunked && n == 0 && route->body == BODY_NONE)
        return true;
    if (route->body == BODY_NONE)
        return refuse(request, ERR_LIMIT, "no body is taken here");
    if (n > body_most(request))
        return refuse(request, ERR_LIMIT, "the body is longer than what is taken here");
    if (!begin_unpacking(request))
        return false;
    request->body = buf_new(route->body_max);
    request->streams_in = route->body == BODY_STREAM;
    /* Without a byte to come, libmicrohttpd goes on to the end at once. */
    request->state = REQUEST_BODY;
    return true;
}

void
request_take_body(struct request *request, const struct request_stream *stream)
{
    request->stream = *stream;
}

void
request_resume(struct request *request)
{
    front_wake(request);
}

/* Credentials are judged when the body is there, so bodies of anybody are kept until then: not more
 * of them than the machine has memory for. */
static void
collect(struct request *request, struct span bytes, struct err *err)
{
    struct front *front = request->front;
    uint64_t most = front->settings.bodies_max;

    if (bytes.n > (most != 0 ? most : FRONT_BODIES_USUAL) - front->collected_bytes) {
        (void)err_set(err, ERR_BUSY, "too many bodies come at once; try again a little later");
        return;
    }
    buf_add_span(&request->body, bytes);
    if (request->body.full)
        (void)err_set(err, ERR_LIMIT, "the body is longer than what is taken here");
    else
        front->collected_bytes += bytes.n;
}

/* Unpacked bytes for the handler; returns how many it did not take. */
static size_t
deliver(struct request *request, struct span bytes)
{
    struct err err = {0};
    size_t taken = bytes.n;

    if (bytes.n > body_most(request) - request->body_bytes) {
        refuse(request, ERR_LIMIT, "the body is longer than what is taken here");
        return bytes.n;
    }
    if (!request->streams_in)
        collect(request, bytes, &err);
    else if (request->stream.take != NULL)
        taken = request->stream.take(request->stream.ctx, bytes, &err);
    if (err.code != ERR_OK)
        request_refuse(request, &err);
    request->body_bytes += taken;
    return bytes.n - taken;
}

static bool
is_bomb(const struct request *request)
{
    bool streams = request->streams_in;
    uint64_t most = streams ? INPUT_RATIO_MAX : WHOLE_RATIO_MAX;

    return request->body_bytes > (streams ? STREAM_FREE_BYTES : WHOLE_FREE_BYTES)
        && request->body_bytes / most > request->packed_bytes;
}

/* What was unpacked before; true when all of it was taken. */
static bool
deliver_kept(struct request *request)
{
    size_t n = request->unpacked_n - request->unpacked_at;

    if (n == 0)
        return true;
    size_t left = deliver(request, (struct span){request->unpacked + request->unpacked_at, n});
    request->unpacked_at = request->unpacked_n - left;
    return left == 0 && !request->answered;
}

/* Unpack and deliver until BYTES are used up, or not all was taken. */
static size_t
take_packed(struct request *request, struct span bytes, bool last)
{
    struct err err = {0};

    while (deliver_kept(request)) {
        struct span before = bytes;
        request->unpacked_at = request->unpacked_n = 0;
        int rc = unpack_run(request->unpack, &bytes, last, request->unpacked, UNPACK_BYTES,
            &request->unpacked_n, &err);
        request->packed_bytes += before.n - bytes.n;
        if (rc == 0 && is_bomb(request))
            rc = err_set(&err, ERR_BOMB, "the body grows too much when it is unpacked");
        if (rc == 0 && request->unpacked_n == 0 && bytes.n > 0 && bytes.n == before.n)
            rc = err_set(&err, ERR_DECOMPRESS, "bytes are behind the body's compressed stream");
        if (rc != 0) {
            request_refuse(request, &err);
            break;
        }
        if (request->unpacked_n == 0 && bytes.n == 0)
            break;
    }
    return bytes.n;
}

size_t
body_take(struct request *request, struct span bytes)
{
    if (request->unpack != NULL)
        return take_packed(request, bytes, false);
    return deliver(request, bytes);
}

bool
body_end(struct request *request)
{
    struct err err = {0};

    if (request->unpack != NULL && !request->body_ended) {
        (void)take_packed(request, (struct span){"", 0}, true);
        if (request->unpacked_at < request->unpacked_n && !request->answered)
            return false;
    }
    if (request->answered)
        return true;
    request->body_ended = true;
    if (!request->streams_in || request->stream.ended == NULL)
        return true;
    if (request->stream.ended(request->stream.ctx, &err) != 0)
        request_refuse(request, &err);
    return true;
}

void
body_free(struct request *request)
{
    unpack_free(request->unpack);
    free(request->unpacked);
    request->front->collected_bytes -= request->body.n;
    buf_free(&request->body);
    request->unpack = NULL;
    request->unpacked = NULL;
}
