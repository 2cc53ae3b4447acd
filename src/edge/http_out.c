#include "edge/http_out.h"

#include "edge/http_file.h"
#include "edge/http_url.h"
#include "edge/tls.h"
#include "sys/clock.h"

#include <curl/curl.h>
#include <stdlib.h>

enum {
    HEAD_BYTES_MAX = 32 * 1024,
    KEPT_CONNECTIONS = 512,
    STALL_BYTES_A_SECOND = 256, /* slower than that is nothing */
    PIN_DIGITS = 64,
    URL_BYTES_MAX = 8192,
};

struct http_out {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer timer; /* libcurl's */
    struct loop_timer begin; /* there may be room for those that wait */
    struct http_out_settings settings;
    char *proxy;
    struct http_file certificate;
    struct http_file key;
    struct http_file ca;
    struct http_line *first; /* those that wait for their turn */
    struct http_line *last;
    size_t waiting;
    size_t running;
    size_t doubtful; /* of those that run */
    bool inside;     /* libcurl tells what has ended */
};

enum line_state { LINE_FREE, LINE_WAITS, LINE_RUNS };

struct http_line {
    struct http_out *out;
    CURL *easy;
    enum line_state state;
    struct http_line *next; /* of those that wait */
    http_done *done;
    void *ctx;
    bool doubtful;
    char pin[PIN_DIGITS + 1]; /* "": none */
    struct curl_slist *headers;
    struct buf url;
    struct buf head;
    struct buf body;
    struct err why; /* what a callback found */
    char text[CURL_ERROR_SIZE];
};

/* A socket of libcurl's that the loop watches. */
struct watched {
    struct http_out *out;
    curl_socket_t fd;
};

static void start_some(struct http_out *out);
static void finish(struct http_line *line, CURLcode code);

/* ---- libcurl in the loop ---- */

/* What has ended; their owners may begin anew meanwhile. */
static void
tell_ended(struct http_out *out)
{
    CURLMsg *message;
    int left;

    if (out->inside)
        return;
    out->inside = true;
    while ((message = curl_multi_info_read(out->multi, &left)) != NULL) {
        struct http_line *line = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&line);
        finish(line, code);
    }
    out->inside = false;
    start_some(out);
}

static void
act(struct http_out *out, curl_socket_t fd, int events)
{
    int running;

    (void)curl_multi_socket_action(out->multi, fd, events, &running);
    tell_ended(out);
}

static void
on_ready(void *ctx, unsigned events)
{
    const struct watched *watched = ctx;
    int told = 0;

    if ((events & LOOP_READ) != 0)
        told |= CURL_CSELECT_IN;
    if ((events & LOOP_WRITE) != 0)
        told |= CURL_CSELECT_OUT;
    if ((events & LOOP_CLOSED) != 0)
        told |= CURL_CSELECT_ERR;
    act(watched->out, watched->fd, told);
}

static void
on_timer(void *ctx)
{
    act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int
set_timer(CURLM *multi, long ms, void *ctx)
{
    struct http_out *out = ctx;
    struct err err;

    (void)multi;
    if (ms < 0) {
        loop_timer_stop(out->loop, &out->timer);
        return 0;
    }
    return loop_timer_set(out->loop, &out->timer, clock_ticks_us() + (int64_t)ms * 1000, &err) == 0
        ? 0
        : -1;
}

static int
watch(struct http_out *out, curl_socket_t fd, int what, struct watched *watched)
{
    unsigned events = 0;
    struct err err;

    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= LOOP_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= LOOP_WRITE;
    if (watched == NULL) {
        watched = malloc(sizeof *watched);
        if (watched == NULL)
            return -1;
        *watched = (struct watched){out, fd};
        (void)curl_multi_assign(out->multi, fd, watched);
    }
    return loop_watch(out->loop, fd, events, on_ready, watched, &err) == 0 ? 0 : -1;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
    struct http_out *out = ctx;

    (void)easy;
    if (what != CURL_POLL_REMOVE)
        return watch(out, fd, what, of_socket);
    loop_forget(out->loop, fd);
    free(of_socket);
    (void)curl_multi_assign(out->multi, fd, NULL);
    return 0;
}

/* ---- what comes ---- */

static size_t
take_head(char *p, size_t size, size_t n, void *ctx)
{
    struct http_line *line = ctx;
    struct span text = {p, size * n};

    if (span_starts(text, SPAN("HTTP/"))) /* another head, behind one of 1xx */
        line->head.n = 0;
    buf_add_span(&line->head, text);
    if (!line->head.full)
        return text.n;
    (void)err_set(
        &line->why, ERR_LIMIT, "the answer's head is larger than %d bytes", HEAD_BYTES_MAX);
    return 0;
}

static size_t
take_body(char *p, size_t size, size_t n, void *ctx)
{
    struct http_line *line = ctx;

    buf_add(&line->body, p, size * n);
    if (!line->body.full)
        return size * n;
    (void)err_set(
        &line->why, ERR_LIMIT, "the answer is larger than %zu bytes", line->body.max_bytes);
    return 0;
}

/* The connection is there, and nothing of the request has gone out: is it who it should be? Asked
 * of kept connections, too, which may be another line's. */
static int
check_peer(void *ctx, char *there, char *here, int port_there, int port_here)
{
    struct http_line *line = ctx;
    struct curl_tlssessioninfo *info = NULL;

    (void)there;
    (void)here;
    (void)port_there;
    (void)port_here;
    if (line->pin[0] == '\0')
        return CURL_PREREQFUNC_OK;
    if (curl_easy_getinfo(line->easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || info == NULL
        || info->backend != CURLSSLBACKEND_GNUTLS || info->internals == NULL) {
        (void)err_set(&line->why, ERR_INTERNAL, "libcurl does not say whom it reached");
        return CURL_PREREQFUNC_ABORT;
    }
    return tls_is_pinned(info->internals, line->pin, clock_now_us(), &line->why) == 0
        ? CURL_PREREQFUNC_OK
        : CURL_PREREQFUNC_ABORT;
}

bool
http_answer_header(const struct http_answer *answer, const char *name, struct span *value)
{
    struct span rest = answer->head;
    struct span row;
    struct span key;

    while (span_next(&rest, '\n', &row)) {
        if (!span_next(&row, ':', &key) || !span_equal_nocase(key, span_of(name)))
            continue;
        *value = span_trim(row);
        return true;
    }
    return false;
}

/* ---- the end of a transfer ---- */

static enum err_code
code_of(CURLcode code)
{
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
        return ERR_NO_MEMORY;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return ERR_UNTRUSTED;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return ERR_INTERNAL;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SSL_CONNECT_ERROR:
        return ERR_UNREACHABLE;
    default:
        return ERR_BAD_ANSWER;
    }
}

static int
what_went_wrong(struct http_line *line, CURLcode code, struct err *err)
{
    if (code == CURLE_OK)
        return 0;
    if (line->why.code != ERR_OK) {
        *err = line->why;
        return err->code;
    }
    const char *text = line->text[0] != '\0' ? line->text : curl_easy_strerror(code);
    return err_set(err, code_of(code), "%s", text);
}

static int
check_answer(struct http_line *line, struct http_answer *answer, struct err *err)
{
    long status = 0;
    struct span where = SPAN("?");

    (void)curl_easy_getinfo(line->easy, CURLINFO_RESPONSE_CODE, &status);
    *answer = (struct http_answer){
        .status = (unsigned)status, .head = buf_span(&line->head), .body = buf_span(&line->body)};
    if (status < 200 || status > 599)
        return err_set(err, ERR_BAD_ANSWER, "the answer has status %ld", status);
    if (status >= 400 || status < 300)
        return 0;
    (void)http_answer_header(answer, "Location", &where);
    return err_set(err, ERR_BAD_ANSWER,
        "it sends elsewhere (status %ld, %.*s), which is not followed", status, SPAN_ARGS(where));
}

static void
let_go(struct http_line *line)
{
    struct http_out *out = line->out;

    (void)curl_multi_remove_handle(out->multi, line->easy);
    out->running--;
    out->doubtful -= line->doubtful ? 1 : 0;
    curl_slist_free_all(line->headers);
    line->headers = NULL;
    line->state = LINE_FREE;
}

static void
finish(struct http_line *line, CURLcode code)
{
    struct http_answer answer;
    struct err err = {0};
    /* The line may begin again, or be freed, when its owner is told. */
    struct buf head = line->head;
    struct buf body = line->body;

    int rc = what_went_wrong(line, code, &err);
    if (rc == 0)
        rc = check_answer(line, &answer, &err);
    line->head = buf_new(HEAD_BYTES_MAX);
    line->body = buf_new(0);
    let_go(line);
    line->done(line->ctx, rc == 0 ? &answer : NULL, rc == 0 ? NULL : &err);
    buf_free(&head);
    buf_free(&body);
}

/* ---- the beginning ---- */

#define SET(option, value) (ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK)

static bool
set_security(struct http_line *line)
{
    const struct http_out *out = line->out;
    CURL *easy = line->easy;
    bool pinned = line->pin[0] != '\0';
    bool ok = true;

    SET(CURLOPT_PROTOCOLS_STR, out->settings.plain ? "https,http" : "https");
    SET(CURLOPT_PROXY, out->proxy == NULL ? "" : out->proxy);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, pinned ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, pinned ? 0L : 2L);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_CAINFO, pinned || !http_file_is_there(&out->ca) ? NULL : out->ca.path);
    SET(CURLOPT_PREREQFUNCTION, check_peer);
    SET(CURLOPT_PREREQDATA, line);
    if (http_file_is_there(&out->certificate)) {
        SET(CURLOPT_SSLCERT, out->certificate.path);
        SET(CURLOPT_SSLKEY, out->key.path);
    }
    return ok;
}

static bool
set_limits(struct http_line *line)
{
    const struct http_out_settings *settings = &line->out->settings;
    CURL *easy = line->easy;
    bool ok = true;

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)settings->patience_ms);
    SET(CURLOPT_TIMEOUT_MS, (long)settings->whole_ms);
    SET(CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_A_SECOND);
    SET(CURLOPT_LOW_SPEED_TIME, (long)((settings->patience_ms + 999) / 1000));
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_ACCEPT_ENCODING, "gzip");
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, 128L * 1024);
    return ok;
}

static bool
set_request(struct http_line *line, const struct http_request *request)
{
    CURL *easy = line->easy;
    bool ok = true;

    SET(CURLOPT_URL, line->url.p);
    SET(CURLOPT_USERAGENT, "comity/" COMITY_VERSION);
    SET(CURLOPT_PRIVATE, (void *)line);
    SET(CURLOPT_ERRORBUFFER, line->text);
    SET(CURLOPT_HEADERFUNCTION, take_head);
    SET(CURLOPT_HEADERDATA, line);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, line);
    SET(CURLOPT_HTTPHEADER, line->headers);
    if (request->post) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
        SET(CURLOPT_POSTFIELDS, request->body.n == 0 ? "" : request->body.p);
    }
    return ok;
}

static int
no_memory(struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, "no memory for a request to another server");
}

static int
add_headers(struct http_line *line, const char *const *headers)
{
    for (; headers != NULL && *headers != NULL; headers++) {
        struct curl_slist *more = curl_slist_append(line->headers, *headers);
        if (more == NULL)
            return -1;
        line->headers = more;
    }
    /* No waiting for a leave to go on. */
    struct curl_slist *more = curl_slist_append(line->headers, "Expect:");
    line->headers = more != NULL ? more : line->headers;
    return more != NULL ? 0 : -1;
}

static int
prepare(struct http_line *line, const struct http_request *request, struct err *err)
{
    int rc = http_url_check(request->url, line->out->settings.plain, NULL, err);

    if (rc != 0)
        return rc;
    if (request->pin.n != 0 && request->pin.n != PIN_DIGITS)
        return err_set(err, ERR_BAD_NAME, "a pin has %d hexadecimal digits", PIN_DIGITS);
    if (request->pin.n > 0)
        memcpy(line->pin, request->pin.p, request->pin.n);
    line->pin[request->pin.n] = '\0';
    line->url.n = line->head.n = 0;
    buf_add_span(&line->url, request->url);
    buf_add_char(&line->url, '\0');
    buf_free(&line->body);
    line->body = buf_new(request->answer_max);
    line->why = (struct err){0};
    line->text[0] = '\0';
    line->doubtful = request->doubtful;
    curl_easy_reset(line->easy);
    bool ok = !line->url.full && add_headers(line, request->headers) == 0 && set_security(line)
        && set_limits(line) && set_request(line, request);
    return ok ? 0 : no_memory(err);
}

/* May this one begin? Half of all places are for those that worked the last time. */
static bool
has_room(const struct http_out *out, const struct http_line *line)
{
    uint32_t most = out->settings.transfers_max;

    return out->running < most && (!line->doubtful || out->doubtful < (most + 1) / 2);
}

static void
start(struct http_line *line)
{
    struct http_out *out = line->out;

    out->running++;
    out->doubtful += line->doubtful ? 1 : 0;
    line->state = LINE_RUNS;
    if (curl_multi_add_handle(out->multi, line->easy) != CURLM_OK)
        finish(line, CURLE_OUT_OF_MEMORY);
}

static void
take_off(struct http_out *out, struct http_line **at, struct http_line *before)
{
    struct http_line *line = *at;

    *at = line->next;
    if (out->last == line)
        out->last = before;
    line->next = NULL;
    out->waiting--;
}

static void
start_some(struct http_out *out)
{
    struct http_line **at = &out->first;
    struct http_line *before = NULL;

    while (*at != NULL && out->running < out->settings.transfers_max) {
        struct http_line *line = *at;
        if (has_room(out, line)) {
            take_off(out, at, before);
            start(line);
            at = &out->first; /* what could not begin was told, and others may have been added */
            before = NULL;
        } else {
            before = line;
            at = &line->next;
        }
    }
}

int
http_line_begin(struct http_line *line, const struct http_request *request, http_done *done,
    void *ctx, struct err *err)
{
    struct http_out *out = line->out;

    if (line->state != LINE_FREE)
        return err_set(err, ERR_INTERNAL, "a line has a transfer already");
    line->done = done;
    line->ctx = ctx;
    int rc = prepare(line, request, err);
    if (rc != 0) {
        curl_slist_free_all(line->headers);
        line->headers = NULL;
        return rc;
    }
    line->state = LINE_WAITS;
    line->next = NULL;
    *(out->last == NULL ? &out->first : &out->last->next) = line;
    out->last = line;
    out->waiting++;
    /* From the loop: nobody is told before this returns. */
    rc = loop_timer_set(out->loop, &out->begin, clock_ticks_us(), err);
    if (rc != 0)
        http_line_stop(line);
    return rc;
}

void
http_line_stop(struct http_line *line)
{
    struct http_out *out = line->out;
    struct http_line *before = NULL;

    if (line->state == LINE_RUNS)
        let_go(line);
    for (struct http_line **at = &out->first; line->state == LINE_WAITS; at = &(*at)->next) {
        if (*at == line) {
            take_off(out, at, before);
            curl_slist_free_all(line->headers);
            line->headers = NULL;
            line->state = LINE_FREE;
            break;
        }
        before = *at;
    }
}

/* ---- life ---- */

static void
on_begin(void *ctx)
{
    start_some(ctx);
}

int
http_out_settings(struct http_out *out, const struct http_out_settings *settings, struct err *err)
{
    char *proxy = NULL;

    if (settings->proxy.n > 0) {
        proxy = strndup(settings->proxy.p, settings->proxy.n);
        if (proxy == NULL)
            return no_memory(err);
    }
    free(out->proxy);
    out->proxy = proxy;
    out->settings = *settings;
    out->settings.proxy = (struct span){NULL, 0};
    return 0;
}

int
http_out_show(struct http_out *out, struct span certificate, struct span key, struct err *err)
{
    int rc = http_file_fill(&out->certificate, certificate, err);

    return rc == 0 ? http_file_fill(&out->key, key, err) : rc;
}

static int
open_files(struct http_out *out, const struct http_out_trust *trust, struct err *err)
{
    int rc = http_file_open(&out->certificate, "certificate", err);

    if (rc == 0)
        rc = http_file_open(&out->key, "key", err);
    if (rc == 0)
        rc = http_file_open(&out->ca, "ca", err);
    if (rc == 0)
        rc = http_file_fill(&out->ca, trust->ca, err);
    return rc == 0 ? http_out_show(out, trust->certificate, trust->key, err) : rc;
}

static bool
set_multi(struct http_out *out)
{
    CURLM *multi = out->multi;

    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK
        && curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, out) == CURLM_OK
        && curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK
        && curl_multi_setopt(multi, CURLMOPT_TIMERDATA, out) == CURLM_OK
        && curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) == CURLM_OK
        && curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS) == CURLM_OK;
}

int
http_out_new(struct loop *loop, const struct http_out_settings *settings,
    const struct http_out_trust *trust, struct http_out **out, struct err *err)
{
    struct http_out *http = calloc(1, sizeof *http);

    *out = http;
    if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return free(http), *out = NULL, no_memory(err);
    http->loop = loop;
    http->certificate.fd = http->key.fd = http->ca.fd = -1;
    http->timer = (struct loop_timer){.due = on_timer, .ctx = http};
    http->begin = (struct loop_timer){.due = on_begin, .ctx = http};
    http->multi = curl_multi_init();
    int rc = http->multi == NULL || !set_multi(http) ? no_memory(err) : 0;
    if (rc == 0)
        rc = http_out_settings(http, settings, err);
    if (rc == 0)
        rc = open_files(http, trust, err);
    if (rc != 0) {
        http_out_free(http);
        *out = NULL;
    }
    return rc;
}

void
http_out_free(struct http_out *out)
{
    if (out == NULL)
        return;
    (void)curl_multi_cleanup(out->multi);
    loop_timer_stop(out->loop, &out->timer);
    loop_timer_stop(out->loop, &out->begin);
    http_file_close(&out->certificate);
    http_file_close(&out->key);
    http_file_close(&out->ca);
    free(out->proxy);
    free(out);
    curl_global_cleanup();
}

size_t
http_out_busy(const struct http_out *out)
{
    return out->running + out->waiting;
}

struct http_line *
http_line_new(struct http_out *out)
{
    struct http_line *line = calloc(1, sizeof *line);

    if (line == NULL)
        return NULL;
    line->out = out;
    line->url = buf_new(URL_BYTES_MAX);
    line->head = buf_new(HEAD_BYTES_MAX);
    line->easy = curl_easy_init();
    if (line->easy != NULL)
        return line;
    free(line);
    return NULL;
}

void
http_line_free(struct http_line *line)
{
    if (line == NULL)
        return;
    http_line_stop(line);
    curl_easy_cleanup(line->easy);
    buf_free(&line->url);
    buf_free(&line->head);
    buf_free(&line->body);
    free(line);
}

bool
http_line_busy(const struct http_line *line)
{
    return line->state != LINE_FREE;
}
