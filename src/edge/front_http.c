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
    struct guard_conn *conn = guard_began(front->guard, fd->connect_fd, from->client_addr);
    *place = conn;
    if (front->settings.limits.idle_s != front->first_idle_s)
        (void)MHD_set_connection_option(
            connection, MHD_CONNECTION_OPTION_TIMEOUT, front->settings.limits.idle_s);
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

/* libmicrohttpd waits for changes of a socket, and takes a short read for its end: of data and an
 * end that came together it never sees the second. */
static bool
has_ended(const struct guard_conn *conn)
{
    char c;

    return conn->phase <= GUARD_BODY && recv(conn->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Nobody looks at the sockets of those who wait. A client that only ended its own side may still
 * read its answer, but not one that goes on for ever. */
static void
look_for_gone(void *ctx, struct guard_conn *conn)
{
    struct request *request = conn->request;
    struct pollfd look = {.fd = conn->fd, .events = POLLRDHUP};

    (void)ctx;
    if (request == NULL || !request->suspended) {
        if (!conn->shut && has_ended(conn))
            guard_shut_one(conn);
        return;
    }
    if (poll(&look, 1, 0) != 1)
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
    front->shut += guard_sweep(front->guard, now);
    patience_look(front, now);
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
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)front_step_over, front},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)front_step_line, front},
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
        flags, 0, on_admit, front, front_step, front, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
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
    front->settings.no_metrics = settings->no_metrics;
    guard_set_limits(front->guard, &settings->limits);
}

/* Core's words outside of conversations. */
static void
on_said(void *ctx, const struct channel_message *message)
{
    struct front *front = ctx;

    if (message->type == MESSAGE_FILE && message->fd >= 0)
        intake_file(front, message->body, message->fd);
    else if (message->fd >= 0)
        (void)close(message->fd);
}

int
front_core(struct front *front, int channel_fd, struct err *err)
{
    patience_begin(front);
    return talks_core(front->talks, channel_fd, err);
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
    front->first_idle_s = settings->limits.idle_s;
    front->epoll_fd = -1;
    /* Ids tell requests apart in the log, over restarts too; they are no secret. */
    front->next_id = (uint64_t)clock_now_us() << 12;
    int rc = guard_new(&settings->limits, &front->guard, err);
    if (rc == 0)
        rc = route_compile(front, err);
    if (rc == 0 && settings->tls != NULL)
        rc = start_tls(front, settings->tls, err);
    if (rc == 0)
        rc = talks_new(front->loop, on_said, front, &front->talks, err);
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
    talks_free(front->talks);
    for (struct request *request = front->spares, *next; request != NULL; request = next) {
        next = request->spare;
        request_free(request);
    }
    guard_free(front->guard);
    free_tls(front);
    free(front->routes);
    free(front);
}

/* What never ends by itself would make everybody wait for the deadline. */
static void
end_endless(void *ctx, struct guard_conn *conn)
{
    (void)ctx;
    if (conn->request != NULL)
        request_stream_end(conn->request);
}

void
front_stop(struct front *front, int64_t patience_us, void (*stopped)(void *ctx), void *ctx)
{
    struct err err = {0};

    front->stopping = true;
    front->stopped = stopped;
    front->stopped_ctx = ctx;
    front->stop_at_us = clock_ticks_us() + patience_us;
    int fd = MHD_quiesce_daemon(front->daemon);
    if (fd >= 0) /* ours again: as long as it is open, the kernel goes on accepting */
        (void)close(fd);
    guard_shut(front->guard, false);
    guard_each(front->guard, end_endless, NULL);
    (void)!loop_timer_set(front->loop, &front->timer, clock_ticks_us(), &err);
}
