#include "edge/http_private.h"
#include "edge/http_url.h"
#include "edge/tls.h"
#include "sys/clock.h"

#include <stdlib.h>

enum {
    HEAD_BYTES_MAX = 32 * 1024,
    STALL_BYTES_A_SECOND = 256, /* slower than that is nothing */
};

int
http_no_memory(struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, "no memory for a request to another server");
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

void
http_line_finish(struct http_line *line, CURLcode code)
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
    http_line_stop(line);
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

static void
forget_headers(struct http_line *line)
{
    curl_slist_free_all(line->headers);
    line->headers = NULL;
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
    line->url.n = line->head.n = 0;
    buf_add_span(&line->url, request->url);
    buf_add_char(&line->url, '\0');
    const struct span url = {line->url.p, request->url.n};
    int rc = line->url.full ? err_set(err, ERR_BAD_NAME, "the URL is too long")
                            : http_url_check(url, line->out->settings.plain, &line->where, err);

    if (rc != 0)
        return rc;
    if (request->pin.n != 0 && request->pin.n != HTTP_PIN_DIGITS)
        return err_set(err, ERR_BAD_NAME, "a pin has %d hexadecimal digits", HTTP_PIN_DIGITS);
    if (request->pin.n > 0)
        memcpy(line->pin, request->pin.p, request->pin.n);
    line->pin[request->pin.n] = '\0';
    buf_free(&line->body);
    line->body = buf_new(request->answer_max);
    line->why = (struct err){0};
    line->text[0] = '\0';
    curl_easy_reset(line->easy);
    bool ok = add_headers(line, request->headers) == 0 && set_security(line) && set_limits(line)
        && set_request(line, request);
    return ok ? 0 : http_no_memory(err);
}

static void
forget_found(struct http_line *line)
{
    curl_slist_free_all(line->found);
    line->found = NULL;
}

static int
start(struct http_line *line, struct err *err)
{
    CURL *easy = line->easy;
    bool ok = true;

    if (line->found != NULL)
        SET(CURLOPT_RESOLVE, line->found);
    if (!ok || curl_multi_add_handle(line->out->multi, easy) != CURLM_OK)
        return http_no_memory(err);
    line->state = LINE_RUNS;
    return 0;
}

/* It cannot begin: told as the end of it, from wherever the name was found. */
static void
tell_failed(struct http_line *line, const struct err *why)
{
    const struct err copy = *why;

    line->state = LINE_TURN;
    forget_headers(line);
    line->done(line->ctx, NULL, &copy);
}

static int
keep_found(struct http_line *line, struct span addresses, int64_t seconds)
{
    struct buf row = buf_new(LOOKUP_ROW_BYTES);
    struct err err;

    if (lookup_row(&row, line->where.host, line->where.port, addresses, &err) == 0)
        line->found = curl_slist_append(NULL, row.p);
    line->found_until_us = clock_ticks_us() + seconds * 1000000;
    buf_free(&row);
    return line->found == NULL ? -1 : 0;
}

static void
on_found(void *ctx, struct span addresses, int64_t seconds, const struct err *why)
{
    struct http_line *line = ctx;
    struct err err = {0};

    line->lookup = NULL;
    if (why == NULL && (keep_found(line, addresses, seconds) != 0 || start(line, &err) != 0)) {
        (void)http_no_memory(&err);
        why = &err;
    }
    if (why != NULL)
        tell_failed(line, why);
}

static int
look_up(struct http_line *line, struct err *err)
{
    int rc =
        lookup_begin(line->out->resolver, line->where.host, on_found, line, &line->lookup, err);

    if (rc == 0)
        line->state = LINE_LOOKS;
    return rc;
}

int
http_line_begin(struct http_line *line, const struct http_request *request, http_done *done,
    void *ctx, struct err *err)
{
    if (line->state != LINE_TURN)
        return err_set(err, ERR_INTERNAL, "it is not this line's turn");
    line->done = done;
    line->ctx = ctx;
    int rc = prepare(line, request, err);
    if (rc == 0 && clock_ticks_us() >= line->found_until_us)
        forget_found(line);
    bool known =
        rc == 0 && (line->where.numeric || line->found != NULL || line->out->proxy != NULL);
    if (rc == 0)
        rc = known ? start(line, err) : look_up(line, err);
    if (rc != 0)
        forget_headers(line);
    return rc;
}

void
http_line_stop(struct http_line *line)
{
    if (line->state == LINE_LOOKS)
        lookup_forget(line->lookup);
    if (line->state == LINE_RUNS)
        (void)curl_multi_remove_handle(line->out->multi, line->easy);
    if (line->state != LINE_LOOKS && line->state != LINE_RUNS)
        return;
    forget_headers(line);
    line->state = LINE_TURN;
}

/* ---- life ---- */

struct http_line *
http_line_new(struct http_out *out)
{
    struct http_line *line = calloc(1, sizeof *line);

    if (line == NULL)
        return NULL;
    line->out = out;
    line->url = buf_new(HTTP_URL_BYTES_MAX + 1);
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
    http_line_release(line);
    curl_easy_cleanup(line->easy);
    forget_found(line);
    buf_free(&line->url);
    buf_free(&line->head);
    buf_free(&line->body);
    free(line);
}
