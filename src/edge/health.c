#include "edge/health.h"

#include "edge/ask.h"
#include "edge/front_private.h"

enum {
    METRICS_BYTES_MAX = 4 * 1024 * 1024,
    READY_US = 3 * 1000 * 1000, /* monitors wait for five seconds as a rule */
};

static int
get_health(struct request *request, struct err *err)
{
    return request_answer(request, MHD_HTTP_OK, "text/plain",
        request->front->settings.sandboxed ? SPAN("ok\n") : SPAN("ok, sandbox off\n"), err);
}

static int
on_status(struct request *request, void *ctx, struct span body, bool more, const struct err *why,
    struct err *err)
{
    (void)ctx;
    (void)body;
    if (more)
        return 0;
    if (why == NULL)
        return request_answer(request, MHD_HTTP_OK, "text/plain", SPAN("ready\n"), err);
    struct buf text = buf_new(2 * ERR_MSG_BYTES);
    /* Others may say of this machine what is not for everybody. */
    buf_format(&text, "not ready: %s\n", why->code == ERR_BUSY ? why->msg : err_text(why->code));
    int rc = request_add_header(request, "Retry-After", SPAN("5"), err);
    if (rc == 0)
        rc = request_answer(
            request, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", buf_span(&text), err);
    buf_free(&text);
    return rc;
}

/* Asked as nobody, whoever asks: wrong credentials say nothing about core. */
static int
get_ready(struct request *request, struct err *err)
{
    request->caller = (struct caller){.scheme = CALLER_NOBODY, .peer = request->caller.peer};
    if (ask_core_within(
            request, MESSAGE_STATUS, (struct span){NULL, 0}, READY_US, on_status, NULL, err)
        == 0)
        return 0;
    return on_status(request, NULL, (struct span){NULL, 0}, false, err, err);
}

static void
add_own(const struct request *request, struct buf *out)
{
    static const char *const doors[DOOR_COUNT] = {
#define DOOR(name, word, text) [DOOR_##name] = (word),
#include "tables/doors.def"
#undef DOOR
    };
    const struct front *front = request->front;
    const char *door = doors[front->settings.door];

    buf_add_text(out,
        "# HELP comity_http_answers_total Answers by class of status.\n"
        "# TYPE comity_http_answers_total counter\n");
    for (unsigned i = 2; i < 6; i++)
        buf_format(out, "comity_http_answers_total{door=\"%s\",status=\"%uxx\"} %llu\n", door, i,
            (unsigned long long)front->answers[i]);
    buf_format(out,
        "# HELP comity_http_connections Connections that are open.\n"
        "# TYPE comity_http_connections gauge\n"
        "comity_http_connections{door=\"%s\"} %zu\n"
        "# HELP comity_http_refused_total Requests that were none.\n"
        "# TYPE comity_http_refused_total counter\n"
        "comity_http_refused_total{door=\"%s\"} %llu\n"
        "# HELP comity_http_shut_total Connections whose client was too slow.\n"
        "# TYPE comity_http_shut_total counter\n"
        "comity_http_shut_total{door=\"%s\"} %llu\n",
        door, guard_connections(front->guard), door, (unsigned long long)front->refused, door,
        (unsigned long long)front->shut);
}

static int
on_metrics(struct request *request, void *ctx, struct span cores, struct err *err)
{
    struct buf out = buf_new(METRICS_BYTES_MAX);

    (void)ctx;
    buf_add_span(&out, cores);
    add_own(request, &out);
    return request_answer_owned(
        request, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &out, err);
}

int
health_metrics(struct request *request, struct err *err)
{
    if (request->front->settings.no_metrics)
        return err_set(err, ERR_NOT_FOUND, "metrics are not served here: the setting says so");
    return ask_whole(request, MESSAGE_METRICS, (struct span){NULL, 0}, on_metrics, NULL, err);
}

static const struct route health_routes[] = {
    {"GET", "/healthz", BODY_NONE, 0, false, get_health},
    {"GET", "/readyz", BODY_NONE, 0, false, get_ready},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};

const struct route_family health_family = {.name = "health", .table = health_routes};
