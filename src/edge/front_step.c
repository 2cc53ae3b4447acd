/* One request through libmicrohttpd's callbacks: its line, its head, its body, its answer. */
#include "edge/front_private.h"

#include "sys/clock.h"

#include <stdio.h>

/* The request's line has come: TARGET is still as it came. */
void *
front_step_line(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct front *front = ctx;
    struct request *request = request_new(front);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (request == NULL || info->socket_context == NULL)
        return request_recycle(request), NULL;
    size_t n = strlen(target);
    request->connection = connection;
    request->conn = info->socket_context;
    request->conn->request = request;
    request->begun_us = clock_ticks_us();
    request->target = (struct span){arena_copy(request->arena, target, n), n};
    (void)snprintf(
        request->id, sizeof request->id, "%016llx", (unsigned long long)front->next_id++);
    guard_phase(request->conn, GUARD_HEAD, request->begun_us);
    front->running++;
    return request;
}

void
front_step_over(void *ctx, struct MHD_Connection *connection, void **place,
    enum MHD_RequestTerminationCode code)
{
    struct front *front = ctx;
    struct request *request = *place;

    (void)connection;
    (void)code;
    *place = NULL;
    if (request == NULL)
        return;
    guard_phase(request->conn, GUARD_IDLE, clock_ticks_us());
    request->conn->request = NULL;
    request->conn->used = true;
    front->running--;
    request_log(request);
    request_over(request);
    request_recycle(request);
}

static enum MHD_Result
queue(struct request *request)
{
    struct MHD_Response *response = request->response;

    request->response = NULL;
    request->state = REQUEST_ANSWERED;
    guard_phase(request->conn, request->out != NULL ? GUARD_OURS : GUARD_ANSWER, clock_ticks_us());
    request->conn->moved = request->sent_bytes;
    enum MHD_Result rc = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    return rc;
}

static void
suspend(struct request *request)
{
    request->suspended = true;
    request->conn->paused_us = clock_ticks_us();
    MHD_suspend_connection(request->connection);
}

/* The handler has returned, or somebody it asked has: answer, or wait. */
static enum MHD_Result
settle(struct request *request)
{
    struct err err = {0};

    if (request->response != NULL)
        return queue(request);
    if (request->answered) /* and could not be made */
        return MHD_NO;
    if (request->ask_count == 0 && !request->held && request->state == REQUEST_HANDLED) {
        (void)err_set(&err, ERR_INTERNAL, "%.*s %.*s was not answered",
            SPAN_ARGS(request_method(request)), SPAN_ARGS(request->path));
        request_refuse(request, &err);
        return request->response != NULL ? queue(request) : MHD_NO;
    }
    suspend(request);
    return MHD_YES;
}

static void
handle(struct request *request)
{
    struct err err = {0};

    if (request->route->handle(request, &err) != 0)
        request_refuse(request, &err);
}

static void
refuse_head(struct request *request, const struct err *why)
{
    request->close = true;
    request->front->refused++;
    request_refuse_with(request,
        why->code == ERR_LIMIT ? MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE : MHD_HTTP_BAD_REQUEST,
        why);
}

/* All headers are there: false when the answer is known already. */
static bool
look_at_head(struct request *request, const char *version)
{
    struct err err = {0};

    if (guard_check_head(request, version, &err) != 0 || route_parse_target(request, &err) != 0)
        return refuse_head(request, &err), false;
    if (request->front->stopping)
        request->close = true;
    if (!route_find(request))
        return false;
    int rc = credentials_find(request, &err);
    if (rc == 0 && request->route->signed_in && request->caller.scheme == CALLER_NOBODY)
        rc = err_set(&err, ERR_NOT_SIGNED_IN, "this needs credentials, and none came");
    if (rc != 0)
        request_refuse(request, &err);
    return rc == 0;
}

/* A short body is read before the refusal is sent: closing with bytes unread would reset the
 * connection, and the client might never see why. Otherwise an answer that is queued now closes
 * the connection. */
static enum MHD_Result
refused_early(struct request *request)
{
    struct span text;
    uint64_t n = 0;
    bool chunked = request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING, &text);

    if (!chunked && request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH, &text))
        (void)span_u64(text, &n);
    bool expects = request_header(request, MHD_HTTP_HEADER_EXPECT, &text);
    if (request->close || chunked || n > REQUEST_DRAIN_BYTES || (n > 0 && expects))
        return settle(request);
    request->state = n == 0 ? REQUEST_HANDLED : REQUEST_DRAIN;
    if (n > 0)
        guard_phase(request->conn, GUARD_BODY, clock_ticks_us());
    return MHD_YES;
}

/* The head is there. What is answered here would close the connection, so that even without a body
 * the answer waits for the last call, which follows at once. */
static enum MHD_Result
begin(struct request *request, const char *method, const char *version)
{
    request->method = method;
    guard_phase(request->conn, GUARD_OURS, clock_ticks_us());
    if (!look_at_head(request, version) || !body_begin(request))
        return refused_early(request);
    if (request->state == REQUEST_BODY)
        guard_phase(request->conn, GUARD_BODY, clock_ticks_us());
    if (request->state != REQUEST_BODY || request->route->body == BODY_STREAM)
        handle(request);
    return MHD_YES;
}

/* An answer goes out when the body is over. So a stream that was let in is read to its end, however
 * early it was refused: else its sender would see a broken connection, and never why. */
static uint64_t
drain_most(const struct request *request)
{
    bool let_in = request->status != MHD_HTTP_UNAUTHORIZED && request->status != MHD_HTTP_FORBIDDEN
        && request->status != MHD_HTTP_TOO_MANY_REQUESTS;

    return request->route != NULL && request->route->body == BODY_STREAM && let_in
        ? body_most(request)
        : REQUEST_DRAIN_BYTES;
}

static enum MHD_Result
take_body(struct request *request, const char *bytes, size_t *n)
{
    struct span came = {bytes, *n};

    if (request->state == REQUEST_BODY && !request->answered) {
        size_t left = body_take(request, came);
        *n = left;
        request->conn->moved += came.n - left;
        if (left > 0 && !request->answered)
            suspend(request);
        if (!request->answered)
            return MHD_YES;
    }
    request->state = REQUEST_DRAIN;
    request->drained += *n;
    request->conn->moved += *n;
    *n = 0;
    return request->drained > drain_most(request) ? MHD_NO : MHD_YES;
}

static enum MHD_Result
finish(struct request *request)
{
    if (request->state == REQUEST_BODY && !request->answered) {
        if (!body_end(request)) {
            suspend(request);
            return MHD_YES;
        }
        request->state = REQUEST_HANDLED;
        guard_phase(request->conn, GUARD_OURS, clock_ticks_us());
        if (request->route->body == BODY_WHOLE && !request->answered)
            handle(request);
    }
    return settle(request);
}

static enum MHD_Result
step(struct request *request, const char *method, const char *version, const char *upload,
    size_t *upload_n)
{
    if (*upload_n > 0 && request->state != REQUEST_HEAD)
        return take_body(request, upload, upload_n);
    if (request->state == REQUEST_HEAD)
        return begin(request, method, version);
    return finish(request);
}

enum MHD_Result
front_step(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_n, void **place)
{
    struct front *front = ctx;
    struct request *request = *place;

    (void)connection;
    (void)url;
    if (request == NULL || request->gone || front->dying)
        return MHD_NO;
    request->inside = true;
    enum MHD_Result rc = step(request, method, version, upload, upload_n);
    request->inside = false;
    return rc;
}
