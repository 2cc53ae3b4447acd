#include "edge/front_private.h"
#include "edge/intake.h"

#include "sys/clock.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    POOL_BYTES = 64 * 1024, /* a connection's head and read buffer; taken as it is touched */
    POOL_STEP_BYTES = 8 * 1024,
    RUNS_A_ROUND = 4,
    SWEEP_US = 1000 * 1000,
};

/* ---- libmicrohttpd's callbacks ---- */

static enum MHD_Result
on_admit(void *ctx, const struct sockaddr *from, socklen_t n)
{
    struct front *front = ctx;

    return !front->stopping && guard_admits(front->guard, from, n) ? MHD_YES : MHD_NO;
}

static void
on_connection(void *ctx, struct MHD_Connection *connection, void **place,
    enum MHD_ConnectionNotificationCode code)
{
    struct front *front = ctx;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        struct guard_conn *ended = *place;
        if (ended != NULL)
            tls_release(ended->tls);
        guard_ended(front->guard, ended);
        /* At its limit libmicrohttpd does not wait for connections: it must be told to again. */
        front->woken = true;
        *place = NULL;
        return;
    }
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    front->counts.connections++;
    struct guard_conn *conn = guard_began(front->guard, fd->connect_fd, from->client_addr);
    *place = conn;
    if (front->tls == NULL)
        return;
    const union MHD_ConnectionInfo *session =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (conn != NULL && session != NULL)
        conn->tls = tls_begin(front->tls, session->tls_session);
    if (conn == NULL || conn->tls == NULL)
        (void)shutdown(fd->connect_fd, SHUT_RDWR);
}

/* Parameters and path are decoded in edge/route.c, where a segment's bounds are known. */
static size_t
leave_escaped(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx;
    (void)connection;
    return strlen(text);
}

static void
make_id(struct front *front, char *id)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t n = front->next_id++;

    for (int i = 15; i >= 0; i--, n >>= 4)
        id[i] = digits[n & 15];
    id[16] = '\0';
}

/* The request's line has come: TARGET is still as it came. */
static void *
on_line(void *ctx, const char *target, struct MHD_Connection *connection)
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
    make_id(front, request->id);
    guard_phase(request->conn, GUARD_HEAD, request->begun_us);
    front->running++;
    front->counts.requests++;
    return request;
}

static void
on_completed(void *ctx, struct MHD_Connection *connection, void **place,
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
    request->front->counts.refused++;
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
    return request->drained > REQUEST_DRAIN_BYTES ? MHD_NO : MHD_YES;
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

static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
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

/* ---- the loop ---- */

static bool
pending(const struct front *front)
{
    MHD_UNSIGNED_LONG_LONG ms = 1;

    return front->woken || (MHD_get_timeout(front->daemon, &ms) == MHD_YES && ms == 0);
}

static void
run(struct front *front)
{
    for (int i = 0; i < RUNS_A_ROUND; i++) {
        front->woken = false;
        (void)MHD_run(front->daemon);
        if (!pending(front))
            break;
    }
}

static void
on_ready(void *ctx, unsigned events)
{
    (void)events;
    run(ctx);
}

static void
on_round(void *ctx)
{
    struct front *front = ctx;

    if (front->woken)
        run(front);
}

static bool
on_idle(void *ctx)
{
    struct front *front = ctx;

    if (!pending(front))
        return false;
    run(front);
    return pending(front);
}

void
front_wake(struct request *request)
{
    if (request->inside || !request->suspended || request->over)
        return;
    request->suspended = false;
    int64_t now = clock_ticks_us();
    if (request->conn->paused_us != 0)
        request->conn->since_us += now - request->conn->paused_us;
    request->conn->paused_us = 0;
    request->front->woken = true;
    MHD_resume_connection(request->connection);
}

/* Nobody looks at the sockets of those who wait. A client that only ended its own side may still
 * read its answer, but not one that goes on for ever. */
static void
look_for_gone(void *ctx, struct guard_conn *conn)
{
    struct request *request = conn->request;
    struct pollfd look = {.fd = conn->fd, .events = POLLRDHUP};

    (void)ctx;
    if (request == NULL || !request->suspended || poll(&look, 1, 0) != 1)
        return;
    if ((look.revents & (POLLHUP | POLLERR)) == 0 && request->out == NULL)
        return;
    request->gone = true;
    front_wake(request);
}

/* The time to stop is over: who still waits hears so. */
static void
refuse_waiting(void *ctx, struct guard_conn *conn)
{
    struct request *request = conn->request;
    struct err err = {0};

    (void)ctx;
    if (request == NULL || request->answered || request->state != REQUEST_HANDLED)
        return;
    request->close = true;
    (void)err_set(&err, ERR_STOPPED, "the node is stopping");
    request_refuse(request, &err);
}

static void
on_second(void *ctx)
{
    struct front *front = ctx;
    int64_t now = clock_ticks_us();
    struct err err = {0};

    guard_each(front->guard, look_for_gone, NULL);
    front->counts.shut += guard_sweep(front->guard, now);
    if (front->stopping && front->stopped != NULL
        && (front->running == 0 || now >= front->stop_at_us)) {
        void (*stopped)(void *ctx) = front->stopped;
        front->stopped = NULL;
        guard_each(front->guard, refuse_waiting, NULL);
        run(front);
        guard_shut(front->guard, true);
        stopped(front->stopped_ctx);
        return;
    }
    (void)!loop_timer_set(
        front->loop, &front->timer, now + (front->stopping ? SWEEP_US / 20 : SWEEP_US), &err);
}

/* ---- its life ---- */

static int
start_daemon(struct front *front, struct err *err)
{
    const struct front_settings *settings = &front->settings;
    unsigned flags = MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME;
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, settings->listen_fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)settings->limits.connections, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_INCREMENT, POOL_STEP_BYTES, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)settings->limits.idle_s, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, front},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, front},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_line, front},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, front},
        /* The last two only with TLS; what they say is set anew for each connection. */
        {front->tls == NULL ? MHD_OPTION_END : MHD_OPTION_HTTPS_PRIORITIES, 0,
            (void *)(uintptr_t)tls_priorities},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, front->pem_certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, front->pem_key},
        {MHD_OPTION_END, 0, NULL},
    };

    if (front->tls != NULL)
        flags |= MHD_USE_TLS;
    front->daemon = MHD_start_daemon(
        flags, 0, on_admit, front, on_request, front, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (front->daemon == NULL)
        return err_set(err, ERR_IO, "HTTP cannot be served on the listening socket");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(front->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    front->epoll_fd = info->epoll_fd;
    int rc = loop_watch(front->loop, front->epoll_fd, LOOP_READ, on_ready, front, err);
    if (rc != 0)
        return rc;
    loop_after(front->loop, on_round, front);
    loop_idle(front->loop, on_idle, front);
    front->timer = (struct loop_timer){.due = on_second, .ctx = front};
    return loop_timer_set(front->loop, &front->timer, clock_ticks_us() + SWEEP_US, err);
}

static int
start_tls(struct front *front, const struct tls_material *material, struct err *err)
{
    int rc = tls_new(material, &front->tls, err);

    if (rc != 0)
        return rc;
    front->pem_certificate = strndup(material->certificate.p, material->certificate.n);
    front->pem_key = strndup(material->key.p, material->key.n);
    if (front->pem_certificate == NULL || front->pem_key == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for TLS");
    return 0;
}

static void
free_tls(struct front *front)
{
    if (front->pem_key != NULL)
        explicit_bzero(front->pem_key, strlen(front->pem_key));
    free(front->pem_key);
    free(front->pem_certificate);
    tls_free(front->tls);
}

int
front_certificate(struct front *front, const struct tls_material *material, struct err *err)
{
    if (front->tls == NULL)
        return err_set(err, ERR_BAD_CONFIG, "this door has no TLS");
    return tls_replace(front->tls, material, err);
}

void
front_limits(struct front *front, const struct front_settings *settings)
{
    front->settings.limits = settings->limits;
    front->settings.stream_max = settings->stream_max;
    guard_set_limits(front->guard, &settings->limits);
}

int
front_new(
    struct loop *loop, const struct front_settings *settings, struct front **out, struct err *err)
{
    struct front *front = calloc(1, sizeof *front);

    if (front == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a door");
    front->loop = loop;
    front->settings = *settings;
    front->epoll_fd = -1;
    /* Ids tell requests apart in the log, over restarts too; they are no secret. */
    front->next_id = (uint64_t)clock_now_us() << 12;
    int rc = guard_new(&settings->limits, &front->guard, err);
    if (rc == 0)
        rc = route_compile(front, err);
    if (rc == 0 && settings->tls != NULL)
        rc = start_tls(front, settings->tls, err);
    if (rc == 0)
        rc = asks_new(front, &front->asks, err);
    if (rc == 0)
        rc = start_daemon(front, err);
    if (rc != 0) {
        front_free(front);
        return rc;
    }
    *out = front;
    return 0;
}

static void
wake(void *ctx, struct guard_conn *conn)
{
    (void)ctx;
    if (conn->request != NULL)
        front_wake(conn->request);
}

/* libmicrohttpd must not be stopped while a connection is suspended. */
static void
close_all(struct front *front)
{
    guard_each(front->guard, wake, NULL);
    guard_shut(front->guard, true);
    for (int i = 0; i < RUNS_A_ROUND; i++)
        (void)MHD_run(front->daemon);
    MHD_stop_daemon(front->daemon);
}

void
front_free(struct front *front)
{
    if (front == NULL)
        return;
    front->stopping = true;
    front->dying = true;
    loop_timer_stop(front->loop, &front->timer);
    if (front->epoll_fd >= 0)
        loop_forget(front->loop, front->epoll_fd);
    if (front->daemon != NULL)
        close_all(front);
    intake_drop_files(front);
    asks_free(front->asks);
    for (struct request *request = front->spares, *next; request != NULL; request = next) {
        next = request->spare;
        request_free(request);
    }
    guard_free(front->guard);
    free_tls(front);
    free(front->routes);
    free(front);
}

void
front_stop(struct front *front, int64_t patience_us, void (*stopped)(void *ctx), void *ctx)
{
    struct err err = {0};

    front->stopping = true;
    front->stopped = stopped;
    front->stopped_ctx = ctx;
    front->stop_at_us = clock_ticks_us() + patience_us;
    (void)MHD_quiesce_daemon(front->daemon);
    guard_shut(front->guard, false);
    (void)!loop_timer_set(front->loop, &front->timer, clock_ticks_us(), &err);
}

const struct front_counts *
front_counts(const struct front *front)
{
    return &front->counts;
}
