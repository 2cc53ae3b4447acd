#include "edge/front_private.h"

#include "base/log.h"
#include "edge/ask.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

struct request *
request_new(struct front *front)
{
    struct request *request = front->spares;

    if (request != NULL) {
        front->spares = request->spare;
        front->spare_count--;
        request->spare = NULL;
        return request;
    }
    request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->front = front;
    request->arena = arena_new(REQUEST_ARENA_BYTES);
    if (request->arena == NULL) {
        free(request);
        return NULL;
    }
    return request;
}

void
request_free(struct request *request)
{
    if (request == NULL)
        return;
    arena_free(request->arena);
    free(request);
}

/* One that grew large gives its memory back. */
void
request_recycle(struct request *request)
{
    enum { KEEP_BYTES = 256 * 1024 };

    if (request == NULL)
        return;
    struct front *front = request->front;
    struct arena *arena = request->arena;
    if (front->spare_count >= REQUEST_SPARE_MAX || arena_used(arena) > KEEP_BYTES) {
        request_free(request);
        return;
    }
    arena_reset(arena);
    memset(request, 0, sizeof *request);
    request->front = front;
    request->arena = arena;
    request->spare = front->spares;
    front->spares = request;
    front->spare_count++;
}

void
request_over(struct request *request)
{
    request->over = true;
    request->streams_in = false;
    asks_drop(request);
    for (struct end_call *call = request->ends; call != NULL; call = call->next)
        call->ended(call->ctx);
    request->ends = NULL;
    stream_over(request);
    body_free(request);
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    request->response = NULL;
}

int
request_on_end(struct request *request, void (*ended)(void *ctx), void *ctx, struct err *err)
{
    struct end_call *call = arena_zalloc(request->arena, 1, sizeof *call);

    if (call == NULL)
        return arena_full(err, "remembering what to free");
    *call = (struct end_call){request->ends, ended, ctx};
    request->ends = call;
    return 0;
}

void
request_hold(struct request *request)
{
    request->held = true;
}

/* ---- what was asked ---- */

struct span
request_method(const struct request *request)
{
    return span_of(request->method == NULL ? "" : request->method);
}

struct span
request_path(const struct request *request)
{
    return request->path;
}

struct span
request_segment(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->segment_count; i++)
        if (span_equal(request->segments[i].name, span_of(name)))
            return request->segments[i].value;
    return (struct span){NULL, 0};
}

bool
request_query(const struct request *request, const char *name, struct span *value)
{
    for (size_t i = 0; i < request->parameter_count; i++)
        if (span_equal(request->parameters[i].name, span_of(name))) {
            *value = request->parameters[i].value;
            return true;
        }
    return false;
}

void
request_query_each(const struct request *request, const char *name,
    void (*each)(void *ctx, struct span value), void *ctx)
{
    for (size_t i = 0; i < request->parameter_count; i++)
        if (span_equal(request->parameters[i].name, span_of(name)))
            each(ctx, request->parameters[i].value);
}

void
request_query_all(const struct request *request,
    void (*each)(void *ctx, struct span name, struct span value), void *ctx)
{
    for (size_t i = 0; i < request->parameter_count; i++)
        each(ctx, request->parameters[i].name, request->parameters[i].value);
}

bool
request_header(const struct request *request, const char *name, struct span *value)
{
    const char *found = NULL;
    size_t n = 0;

    if (MHD_lookup_connection_value_n(
            request->connection, MHD_HEADER_KIND, name, strlen(name), &found, &n)
        != MHD_YES)
        return false;
    *value = span_trim((struct span){found, n});
    return true;
}

struct span
request_body(const struct request *request)
{
    return buf_span(&request->body);
}

const struct caller *
request_caller(const struct request *request)
{
    return &request->caller;
}

bool
request_is_tls(const struct request *request)
{
    return request->front->tls != NULL;
}

const char *
request_id(const struct request *request)
{
    return request->id;
}

enum door
request_door(const struct request *request)
{
    return request->front->settings.door;
}

struct arena *
request_arena(struct request *request)
{
    return request->arena;
}

/* ---- what goes back ---- */

int
request_add_header(struct request *request, const char *name, struct span value, struct err *err)
{
    struct added_header *header = arena_zalloc(request->arena, 1, sizeof *header);

    if (!guard_is_value(value))
        return err_set(err, ERR_INTERNAL, "header %s would have control bytes", name);
    if (header == NULL)
        return arena_full(err, "adding a header");
    header->name = arena_copy(request->arena, name, strlen(name));
    header->value = arena_copy(request->arena, value.p, value.n);
    if (header->name == NULL || header->value == NULL)
        return arena_full(err, "adding a header");
    header->next = request->headers;
    request->headers = header;
    return 0;
}

static bool
was_added(const struct request *request, const char *name)
{
    for (const struct added_header *at = request->headers; at != NULL; at = at->next)
        if (span_equal_nocase(span_of(at->name), span_of(name)))
            return true;
    return false;
}

static bool
add(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool
add_headers(const struct request *request, struct MHD_Response *response, const char *type)
{
    /* What every answer says, unless its handler says otherwise. */
    static const char *const usual[][2] = {
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-store"},
    };
    bool ok = add(response, "X-Request-Id", request->id);

    if (type != NULL)
        ok = ok && add(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (request->headers == NULL || !was_added(request, usual[i][0]))
            ok = ok && add(response, usual[i][0], usual[i][1]);
    if (request->front->tls != NULL)
        ok = ok && add(response, "Strict-Transport-Security", "max-age=31536000");
    if (request->close)
        ok = ok && add(response, MHD_HTTP_HEADER_CONNECTION, "close");
    for (const struct added_header *at = request->headers; at != NULL; at = at->next)
        ok = ok && add(response, at->name, at->value);
    return ok;
}

static int
may_answer(const struct request *request, unsigned status, struct err *err)
{
    if (request->answered)
        return err_set(err, ERR_INTERNAL, "a request was answered twice");
    if (status < 200 || status > 599)
        return err_set(err, ERR_INTERNAL, "%u is no status of an answer", status);
    return 0;
}

static int
answer(struct request *request, unsigned status, const char *type, struct MHD_Response *response,
    struct err *err)
{
    if (response == NULL || !add_headers(request, response, type)) {
        if (response != NULL)
            MHD_destroy_response(response);
        return err_set(err, ERR_NO_MEMORY, "no memory for an answer");
    }
    request_set_answer(request, status, response);
    return 0;
}

void
request_set_answer(struct request *request, unsigned status, struct MHD_Response *response)
{
    request->answered = true;
    request->status = status;
    request->response = response;
    request->front->answers[status / 100 < 6 ? status / 100 : 0]++;
    front_wake(request);
}

int
request_answer_response(struct request *request, unsigned status, const char *type,
    struct MHD_Response *response, struct err *err)
{
    int rc = may_answer(request, status, err);

    if (rc == 0)
        return answer(request, status, type, response, err);
    MHD_destroy_response(response);
    return rc;
}

int
request_answer(
    struct request *request, unsigned status, const char *type, struct span body, struct err *err)
{
    int rc = may_answer(request, status, err);

    if (rc != 0)
        return rc;
    request->sent_bytes = body.n;
    /* The cast is the library's: with MUST_COPY it only reads. */
    return answer(request, status, type,
        MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)(body.n == 0 ? "" : body.p),
            body.n == 0 ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY),
        err);
}

int
request_answer_owned(
    struct request *request, unsigned status, const char *type, struct buf *body, struct err *err)
{
    int rc = may_answer(request, status, err);

    if (rc == 0)
        rc = buf_check(body, "the answer", err);
    if (rc != 0 || body->p == NULL) {
        buf_free(body);
        return rc != 0 ? rc : request_answer(request, status, type, (struct span){NULL, 0}, err);
    }
    request->sent_bytes = body->n;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        buf_free(body);
    *body = buf_new(body->max_bytes);
    return answer(request, status, type, response, err);
}

/* ---- errors ---- */

static int
add_wait(struct request *request, const struct err *why, struct err *err)
{
    enum { USUAL_S = 5 };
    char text[16];

    (void)snprintf(text, sizeof text, "%u", why->wait_s > 0 ? why->wait_s : (uint32_t)USUAL_S);
    return request_add_header(request, "Retry-After", span_of(text), err);
}

static int
add_refusal_headers(
    struct request *request, unsigned status, const struct err *why, struct err *err)
{
    struct span script = {NULL, 0};
    int rc = 0;

    /* A page's script (Fetch Metadata) asks for itself; at "Basic" its browser would ask first. */
    (void)request_header(request, "Sec-Fetch-Dest", &script);
    if (status == MHD_HTTP_UNAUTHORIZED && !was_added(request, "WWW-Authenticate"))
        rc = request_add_header(request, "WWW-Authenticate",
            span_equal(script, SPAN("empty"))
                ? SPAN("Bearer realm=\"comity\"")
                : SPAN("Basic realm=\"comity\", charset=\"UTF-8\", Bearer realm=\"comity\""),
            err);
    if ((status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_TOO_MANY_REQUESTS
            || status == MHD_HTTP_INSUFFICIENT_STORAGE)
        && !was_added(request, "Retry-After"))
        rc = add_wait(request, why, err);
    return rc;
}

/* How this machine failed, with its paths, is its operators' to know: the log says it, under the
 * request's id. */
static const struct err *
what_is_told(const struct request *request, const struct err *why, struct err *plain)
{
    if (err_kind(why->code) != ERR_KIND_OURS || why->code == ERR_BUSY)
        return why;
    log_warning_of("request failed", why, log_word("id", request->id));
    if (request_door(request) == DOOR_LOCAL)
        return why;
    (void)err_set(plain, why->code, "%s", err_text(why->code));
    return plain;
}

void
request_refuse_with(struct request *request, unsigned status, const struct err *why)
{
    struct err plain;
    struct err err = {0};

    if (request->answered)
        return;
    why = what_is_told(request, why, &plain);
    int rc = add_refusal_headers(request, status, why, &err);
    if (rc == 0 && request->family != NULL && request->family->refuse != NULL)
        rc = request->family->refuse(request, status, why, &err);
    else if (rc == 0)
        rc = problem_answer(request, status, why, &err);
    if (rc != 0 && !request->answered) {
        request->answered = true; /* with nothing: the connection is closed */
        front_wake(request);
    }
}

void
request_refuse(struct request *request, const struct err *why)
{
    enum err_code code = why->code == ERR_OK ? ERR_INTERNAL : why->code;

    request_refuse_with(request, (unsigned)err_http(code), why);
}
