#include "door_host.h"

#include "base/log.h"
#include "base/refusal.h"
#include "edge/ask.h"
#include "edge/credentials.h"
#include "edge/health.h"
#include "edge/intake.h"
#include "model/intake.h"
#include "model/record.h"
#include "sys/channel.h"
#include "sys/clock.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct host_state {
    struct loop *loop;
    struct front *front;
    struct channel *core; /* its end */
    pthread_t thread;
    int orders[2]; /* a byte: an order for the thread */
    int done[2];   /* a byte: it was carried out */
    enum host_core how;
    const struct tls_material *material; /* of the order */
    bool taken;
    atomic_uint ended;
    atomic_uint events_ended;
    struct totals totals; /* of the stream that was opened last */
    atomic_uint closed;
    atomic_uint aborted;
    atomic_uint problems; /* bytes of the last stream's */
    struct intake_readers readers;
    int file; /* to be handed over */
};

static struct host_state *the_host; /* handlers have no other way to it */

static void
must(int rc, const struct err *err)
{
    if (rc == 0)
        return;
    (void)fprintf(stderr, "door_host: %s\n", err->msg);
    abort();
}

/* ---- core, as it is played ---- */

static void
reply(struct channel *channel, const struct channel_message *to, uint16_t type, uint16_t flags,
    struct span body)
{
    const struct channel_message message = {.type = type, .flags = flags, .tag = to->tag, .fd = -1};
    struct err err = {0};

    must(channel_send(channel, &message, &body, 1, &err), &err);
}

static void
refuse(struct channel *channel, const struct channel_message *to, enum err_code code)
{
    struct buf body = buf_new(4096);
    struct err why = {0};

    (void)err_set_field(&why, code, "name", 4, "core says no");
    refusal_add(&body, &why);
    reply(channel, to, MESSAGE_REFUSAL, 0, buf_span(&body));
    buf_free(&body);
}

/* Reports are counted, and credit is given as it is used, or withheld until somebody asks. */
static void
take_intake(struct host_state *state, struct channel *channel,
    const struct channel_message *message, struct wire_in *in)
{
    struct buf out = buf_new(4096);
    struct field fields[REPORT_FIELDS_MAX];
    struct report report;
    struct err err = {0};

    if (message->type == MESSAGE_INTAKE_OPEN) {
        state->totals = (struct totals){0};
        wire_add_u32(&out, 2);
        reply(channel, message, MESSAGE_CREDIT, 0, buf_span(&out));
    } else if (message->type == MESSAGE_INTAKE_RECORDS) {
        state->totals.rejected += wire_u32(in);
        for (uint32_t left = wire_u32(in); left > 0; left--) {
            must(record_next(in, &report, fields, REPORT_FIELDS_MAX, &err), &err);
            state->totals.stored++;
        }
        must(wire_end(in, "records", &err), &err);
        wire_add_u32(&out, 1);
        reply(channel, message, MESSAGE_CREDIT, 0, buf_span(&out));
    } else if (message->type == MESSAGE_INTAKE_CLOSE) {
        state->totals.rejected += wire_u32(in);
        state->totals.received = state->totals.stored + state->totals.rejected;
        atomic_store(&state->problems, (unsigned)wire_text(in).n);
        totals_add(&out, &state->totals);
        reply(channel, message, MESSAGE_ANSWER, 0, buf_span(&out));
        atomic_fetch_add(&state->closed, 1);
    } else {
        struct span why = wire_text(in);
        atomic_store(&state->problems, (unsigned)why.n);
        atomic_fetch_add(&state->aborted, 1);
    }
    buf_free(&out);
}

static void
on_core_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    struct host_state *state = ctx;
    struct wire_in in = wire_in(message->body);
    struct caller caller = {0};
    char text[512];

    caller_take(&in, &caller);
    if (message->type == MESSAGE_EVENTS_END) {
        atomic_fetch_add(&state->events_ended, 1);
        return;
    }
    if (message->type == MESSAGE_METRICS) {
        reply(channel, message, MESSAGE_ANSWER, 0, SPAN("played 1\n"));
        return;
    }
    bool intake = message->type >= MESSAGE_INTAKE_OPEN && message->type <= MESSAGE_INTAKE_ABORT;
    if (intake && state->how == HOST_ANSWERS) {
        take_intake(state, channel, message, &in);
        return;
    }
    if (state->how == HOST_REFUSES)
        refuse(channel, message, ERR_BAD_VALUE);
    else if (state->how == HOST_IS_BUSY)
        refuse(channel, message, ERR_BUSY);
    if (state->how != HOST_ANSWERS)
        return;
    int n = snprintf(text, sizeof text,
        "{\"type\":%u,\"scheme\":%u,\"user\":\"%.*s\",\"secret\":\"%.*s\",\"proof\":\"%.*s\","
        "\"peer\":\"%.*s\",\"rest\":%zu}",
        message->type, caller.scheme, SPAN_ARGS(caller.user), SPAN_ARGS(caller.secret),
        SPAN_ARGS(caller.proof), SPAN_ARGS(caller.peer), in.n);
    struct span body = {text, (size_t)n};
    if (message->type == MESSAGE_EVENTS)
        reply(channel, message, MESSAGE_EVENT, 0, SPAN("data: {\"n\":1}\n\n"));
    else if (message->type == MESSAGE_REPORTS) { /* in two parts */
        reply(channel, message, MESSAGE_ANSWER, CHANNEL_MORE, (struct span){text, 5});
        reply(channel, message, MESSAGE_ANSWER, 0, (struct span){text + 5, body.n - 5});
    } else
        reply(channel, message, MESSAGE_ANSWER, 0, body);
}

static void
on_core_closed(void *ctx, struct channel *channel, const struct err *why)
{
    struct host_state *state = ctx;

    (void)why;
    channel_free(channel);
    state->core = NULL;
}

static void
connect_core(struct host_state *state)
{
    const struct channel_events events = {
        .ctx = state, .message = on_core_message, .closed = on_core_closed};
    struct err err = {0};
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        abort();
    must(channel_new(state->loop, pair[1], 1 << 20, &events, &state->core, &err), &err);
    must(front_core(state->front, pair[0], &err), &err);
}

/* ---- routes ---- */

static void
count_end(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&the_host->ended, 1);
}

static int
get_plain(struct request *request, struct err *err)
{
    int rc = request_on_end(request, count_end, NULL, err);

    return rc != 0 ? rc : request_answer(request, 200, "text/plain", SPAN("plain\n"), err);
}

static int
get_big(struct request *request, struct err *err)
{
    static char bytes[50 * 1024];

    if (bytes[0] == '\0')
        memset(bytes, 'b', sizeof bytes);
    return request_answer(request, 200, "text/plain", (struct span){bytes, sizeof bytes}, err);
}

static int
pass_on(struct request *request, void *ctx, struct span answer, struct err *err)
{
    (void)ctx;
    return request_answer(request, 200, "application/json", answer, err);
}

static int
get_core(struct request *request, struct err *err)
{
    int rc = request_on_end(request, count_end, NULL, err);

    if (rc != 0)
        return rc;
    return ask_whole(request, MESSAGE_STATUS, SPAN("abc"), pass_on, NULL, err);
}

static int
get_parts(struct request *request, struct err *err)
{
    return ask_whole(request, MESSAGE_REPORTS, SPAN(""), pass_on, NULL, err);
}

static int
get_segments(struct request *request, struct err *err)
{
    struct buf out = buf_new(4096);
    struct span value = SPAN("-");

    (void)request_query(request, "q", &value);
    buf_add_span(&out, request_segment(request, "x"));
    buf_add_text(&out, "|");
    buf_add_span(&out, request_segment(request, "rest"));
    buf_add_text(&out, "|");
    buf_add_span(&out, value);
    return request_answer_owned(request, 200, "text/plain", &out, err);
}

static int
post_whole(struct request *request, struct err *err)
{
    return request_answer(request, 200, "text/plain", request_body(request), err);
}

static int
post_large(struct request *request, struct err *err)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%zu", request_body(request).n);

    return request_answer(request, 200, "text/plain", (struct span){text, (size_t)n}, err);
}

static int
get_nothing(struct request *request, struct err *err)
{
    (void)request;
    (void)err;
    return 0;
}

/* Takes at most 1000 bytes a time, and goes on when core has answered: backpressure. */
struct taker {
    struct request *request;
    uint64_t bytes;
    bool asking;
};

static int
on_room(struct request *request, void *ctx, struct span body, bool more, const struct err *why,
    struct err *err)
{
    struct taker *taker = ctx;

    (void)body;
    (void)more;
    (void)err;
    taker->asking = false;
    if (why != NULL)
        request_refuse(request, why);
    else
        request_resume(request);
    return 0;
}

static size_t
take_some(void *ctx, struct span bytes, struct err *err)
{
    struct taker *taker = ctx;
    size_t n = bytes.n < 1000 ? bytes.n : 1000;

    if (taker->asking)
        return 0;
    if (n > 0 && bytes.p[0] == '!')
        return (void)err_set(err, ERR_BAD_VALUE, "a bad piece"), 0;
    taker->bytes += n;
    if (ask_core(taker->request, MESSAGE_STATUS, SPAN(""), on_room, taker, err) == 0)
        taker->asking = true;
    return n;
}

static int
took_all(void *ctx, struct err *err)
{
    struct taker *taker = ctx;
    char text[64];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)taker->bytes);

    return request_answer(taker->request, 200, "text/plain", (struct span){text, (size_t)n}, err);
}

static int
post_stream(struct request *request, struct err *err)
{
    struct taker *taker = calloc(1, sizeof *taker);

    if (taker == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    taker->request = request;
    request_take_body(
        request, &(struct request_stream){.ctx = taker, .take = take_some, .ended = took_all});
    int rc = request_on_end(request, count_end, NULL, err);
    return rc != 0 ? rc : request_on_end(request, free, taker, err);
}

static int
on_event(struct request *request, void *ctx, struct span body, bool more, const struct err *why,
    struct err *err)
{
    (void)ctx;
    (void)more;
    if (why != NULL)
        return request_stream_end(request), 0;
    return request_stream_add(request, body, err);
}

static int
get_events(struct request *request, struct err *err)
{
    int rc = request_stream_begin(request, 200, "text/event-stream", NULL, NULL, err);

    return rc != 0 ? rc : ask_core(request, MESSAGE_EVENTS, SPAN(""), on_event, NULL, err);
}

static int
post_reports(struct request *request, struct err *err)
{
    struct intake_said said = {0};
    int rc = request_on_end(request, count_end, NULL, err);

    (void)request_query(request, "format", &said.format);
    (void)request_query(request, "provider", &said.provider);
    (void)request_query(request, "mapping", &said.mapping);
    (void)request_query(request, "name", &said.name);
    return rc != 0 ? rc : intake_handle(request, &said, err);
}

static int
post_session(struct request *request, struct err *err)
{
    int rc = credentials_set_session(request, SPAN("s3cret"), err);

    return rc != 0 ? rc : request_answer(request, 204, NULL, SPAN(""), err);
}

static const struct route table[] = {
    {"GET", "/plain", BODY_NONE, 0, false, get_plain},
    {"GET", "/metrics", BODY_NONE, 0, false, health_metrics},
    {"GET", "/big", BODY_NONE, 0, false, get_big},
    {"GET", "/core", BODY_NONE, 0, false, get_core},
    {"GET", "/parts", BODY_NONE, 0, false, get_parts},
    {"GET", "/signed", BODY_NONE, 0, true, get_core},
    {"GET", "/a/{x}/b/{*rest}", BODY_NONE, 0, false, get_segments},
    {"GET", "/nothing", BODY_NONE, 0, false, get_nothing},
    {"GET", "/events", BODY_NONE, 0, false, get_events},
    {"POST", "/whole", BODY_WHOLE, 100000, false, post_whole},
    {"POST", "/large", BODY_WHOLE, 100000000, false, post_large},
    {"POST", "/stream", BODY_STREAM, (uint64_t)1 << 40, false, post_stream},
    {"POST", "/reports", BODY_STREAM, (uint64_t)1 << 40, false, post_reports},
    {"POST", "/session", BODY_NONE, 0, false, post_session},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};

const struct route_family host_family = {.name = "test", .table = table};

/* ---- the thread ---- */

static void
on_stopped(void *ctx)
{
    struct host_state *state = ctx;

    loop_stop(state->loop);
}

static void
hand_over_file(struct host_state *state)
{
    struct buf body = buf_new(256);
    struct err err = {0};

    wire_add_u64(&body, 7);
    wire_add_text(&body, SPAN("dropped.csv"));
    const struct channel_message message = {.type = MESSAGE_FILE, .fd = state->file};
    const struct span part = buf_span(&body);
    must(channel_send(state->core, &message, &part, 1, &err), &err);
    buf_free(&body);
    (void)close(state->file);
    (void)!write(state->done[1], "", 1);
}

static void
on_order(void *ctx, unsigned events)
{
    struct host_state *state = ctx;
    char order = 0;

    (void)events;
    if (read(state->orders[0], &order, 1) != 1)
        return;
    if (order == 's') {
        front_stop(state->front, 1000 * 1000, on_stopped, state);
        return;
    }
    if (order == 'c') {
        struct err err = {0};
        state->taken = front_certificate(state->front, state->material, &err) == 0;
        (void)!write(state->done[1], "", 1);
        return;
    }
    if (order == 'f') {
        hand_over_file(state);
        return;
    }
    state->how = (enum host_core)(order - '0');
    if (state->how == HOST_IS_GONE && state->core != NULL) {
        channel_free(state->core);
        state->core = NULL;
    } else if (state->how != HOST_IS_GONE && state->core == NULL)
        connect_core(state);
    (void)!write(state->done[1], "", 1);
}

static void *
run(void *ctx)
{
    struct host_state *state = ctx;
    struct err err = {0};

    must(loop_run(state->loop, &err), &err);
    front_free(state->front);
    intake_readers_free(&state->readers);
    if (state->core != NULL)
        channel_free(state->core);
    loop_free(state->loop);
    return NULL;
}

static int
listen_somewhere(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    address.sin_port = htons((uint16_t)*port);
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) != 0 || listen(fd, 512) != 0
        || getsockname(fd, (struct sockaddr *)&address, &n) != 0)
        abort();
    *port = ntohs(address.sin_port);
    return fd;
}

void
host_start(struct host *host, int listen_fd, const struct guard_limits *limits,
    const struct tls_material *tls)
{
    static const struct route_family *const families[] = {&health_family, &host_family, NULL};
    struct host_state *state = calloc(1, sizeof *state);
    struct err err = {0};

    if (state == NULL || pipe(state->orders) != 0 || pipe(state->done) != 0)
        abort();
    if (listen_fd < 0)
        listen_fd = listen_somewhere(&host->port);
    log_settings(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
    host->state = the_host = state;
    must(loop_new(&state->loop, &err), &err);
    const char *share = getenv("COMITY_SHARE");
    must(intake_readers_load(&state->readers, share == NULL ? "share" : share, &err), &err);
    const struct front_settings settings = {.door = DOOR_OPERATORS,
        .listen_fd = listen_fd,
        .families = families,
        .limits = *limits,
        .tls = tls,
        .readers = &state->readers,
        .bodies_max = HOST_BODIES_BYTES,
        .sandboxed = true};
    must(front_new(state->loop, &settings, &state->front, &err), &err);
    connect_core(state);
    must(loop_watch(state->loop, state->orders[0], LOOP_READ, on_order, state, &err), &err);
    if (pthread_create(&state->thread, NULL, run, state) != 0)
        abort();
}

static void
give_order(struct host *host, char order)
{
    char done;

    if (write(host->state->orders[1], &order, 1) != 1 || read(host->state->done[0], &done, 1) != 1)
        abort();
}

void
host_core(struct host *host, enum host_core how)
{
    give_order(host, (char)('0' + how));
}

void
host_file(struct host *host, int fd)
{
    host->state->file = fd;
    give_order(host, 'f');
}

struct host_streams
host_streams(const struct host *host)
{
    return (struct host_streams){atomic_load(&host->state->closed),
        atomic_load(&host->state->aborted), atomic_load(&host->state->problems)};
}

bool
host_certificate(struct host *host, const struct tls_material *tls)
{
    host->state->material = tls;
    give_order(host, 'c');
    return host->state->taken;
}

unsigned
host_ended(const struct host *host)
{
    return atomic_load(&host->state->ended);
}

unsigned
host_events_ended(const struct host *host)
{
    return atomic_load(&host->state->events_ended);
}

void
host_stop(struct host *host)
{
    struct host_state *state = host->state;

    if (write(state->orders[1], "s", 1) != 1 || pthread_join(state->thread, NULL) != 0)
        abort();
    for (int i = 0; i < 2; i++) {
        (void)close(state->orders[i]);
        (void)close(state->done[i]);
    }
    free(state);
    host->state = the_host = NULL;
}
