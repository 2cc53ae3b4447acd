#include "edge/front_private.h"

#include <stddef.h>
#include <stdlib.h>

/* An answer that goes on: a ring of bytes between the handler and libmicrohttpd. */
struct out_stream {
    struct request *request; /* NULL: it is over, libmicrohttpd frees what is left */
    void (*drained)(struct request *request, void *ctx);
    void *ctx;
    size_t at;
    size_t n;
    bool refused; /* something did not fit: tell when there is room */
    bool ended;
    char bytes[REQUEST_STREAM_BYTES_MAX];
};

static void
tell_drained(struct out_stream *out)
{
    if (!out->refused || out->n > REQUEST_STREAM_BYTES_MAX / 2 || out->drained == NULL)
        return;
    out->refused = false;
    out->drained(out->request, out->ctx);
}

static ssize_t
read_out(void *ctx, uint64_t position, char *to, size_t room)
{
    struct out_stream *out = ctx;

    (void)position;
    if (out->request == NULL || out->request->gone || out->request->front->dying)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (out->n == 0 && out->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (out->n == 0) {
        out->request->suspended = true;
        MHD_suspend_connection(out->request->connection);
        return 0;
    }
    size_t n = REQUEST_STREAM_BYTES_MAX - out->at;
    n = n < out->n ? n : out->n;
    n = n < room ? n : room;
    memcpy(to, out->bytes + out->at, n);
    out->at = (out->at + n) % REQUEST_STREAM_BYTES_MAX;
    out->n -= n;
    tell_drained(out);
    return (ssize_t)n;
}

static void
free_out(void *ctx)
{
    free(ctx);
}

int
request_stream_begin(struct request *request, unsigned status, const char *type,
    void (*drained)(struct request *request, void *ctx), void *ctx, struct err *err)
{
    struct out_stream *out = malloc(sizeof *out);

    if (out == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an answer that goes on");
    memset(out, 0, offsetof(struct out_stream, bytes)); /* the bytes cost nothing until used */
    out->request = request;
    out->drained = drained;
    out->ctx = ctx;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 * 1024, read_out, out, free_out);
    if (response == NULL) {
        free(out);
        return err_set(err, ERR_NO_MEMORY, "no memory for an answer that goes on");
    }
    request->out = out;
    int rc = request_answer_response(request, status, type, response, err);
    if (rc != 0)
        request->out = NULL;
    return rc;
}

int
request_stream_add(struct request *request, struct span bytes, struct err *err)
{
    struct out_stream *out = request->out;

    if (out != NULL && out->ended && request->front->stopping)
        return 0; /* nobody reads it any more */
    if (out == NULL || out->ended)
        return err_set(err, ERR_INTERNAL, "no answer is open that could go on");
    if (bytes.n > REQUEST_STREAM_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a piece of an answer has %zu bytes", bytes.n);
    if (bytes.n > REQUEST_STREAM_BYTES_MAX - out->n) {
        out->refused = true;
        return err_set(err, ERR_BUSY, "the client reads slower than the answer grows");
    }
    size_t end = (out->at + out->n) % REQUEST_STREAM_BYTES_MAX;
    size_t first = REQUEST_STREAM_BYTES_MAX - end;
    first = first < bytes.n ? first : bytes.n;
    if (bytes.n > 0) {
        memcpy(out->bytes + end, bytes.p, first);
        memcpy(out->bytes, bytes.p + first, bytes.n - first);
    }
    out->n += bytes.n;
    front_wake(request);
    return 0;
}

void
request_stream_end(struct request *request)
{
    if (request->out == NULL)
        return;
    request->out->ended = true;
    front_wake(request);
}

void
stream_over(struct request *request)
{
    if (request->out != NULL)
        request->out->request = NULL;
    request->out = NULL;
}
