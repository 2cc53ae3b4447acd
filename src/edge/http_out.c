#include "base/log.h"
#include "edge/http_private.h"
#include "sys/clock.h"

#include <stdlib.h>

enum { KEPT_CONNECTIONS = 512, HEAVY_MAX = 16 };

/* A socket of libcurl's that the loop watches. */
struct watched {
    struct http_out *out;
    curl_socket_t fd;
};

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
        http_line_finish(line, code);
    }
    out->inside = false;
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

/* ---- whose turn it is ---- */

/* Half of all places are for those that worked the last time; few are for those that take much
 * memory. */
static bool
has_room(const struct http_out *out, const struct http_line *line)
{
    uint32_t most = out->settings.transfers_max;

    return out->taken < most
        && ((line->flags & HTTP_DOUBTFUL) == 0 || out->doubtful < (most + 1) / 2)
        && ((line->flags & HTTP_HEAVY) == 0 || out->heavy < HEAVY_MAX);
}

static void
count(struct http_out *out, unsigned flags, bool taken)
{
    size_t one = taken ? 1 : SIZE_MAX;

    out->taken += one;
    out->doubtful += (flags & HTTP_DOUBTFUL) != 0 ? one : 0;
    out->heavy += (flags & HTTP_HEAVY) != 0 ? one : 0;
}

static void
unlink_waiting(struct http_out *out, struct http_line **at, struct http_line *before)
{
    struct http_line *line = *at;

    *at = line->next;
    if (out->last == line)
        out->last = before;
    line->next = NULL;
    out->waiting--;
}

/* The owner may do anything with any line meanwhile, so it is looked from the beginning then. */
static void
give_turns(void *ctx)
{
    struct http_out *out = ctx;
    struct http_line **at = &out->first;
    struct http_line *before = NULL;

    while (*at != NULL && out->taken < out->settings.transfers_max) {
        struct http_line *line = *at;
        if (has_room(out, line)) {
            unlink_waiting(out, at, before);
            count(out, line->flags, true);
            line->state = LINE_TURN;
            line->turn(line->turn_ctx);
            at = &out->first;
            before = NULL;
        } else {
            before = line;
            at = &line->next;
        }
    }
}

/* From the loop: nobody is told before who asked is done. */
static int
soon(struct http_out *out, struct err *err)
{
    return loop_timer_set(out->loop, &out->begin, clock_ticks_us(), err);
}

int
http_line_ask(struct http_line *line, unsigned flags, http_turn *turn, void *ctx, struct err *err)
{
    struct http_out *out = line->out;

    if (line->state != LINE_FREE)
        return err_set(err, ERR_INTERNAL, "a line waits for its turn already");
    int rc = soon(out, err);
    if (rc != 0)
        return rc;
    line->flags = flags;
    line->turn = turn;
    line->turn_ctx = ctx;
    line->state = LINE_WAITS;
    line->next = NULL;
    *(out->last == NULL ? &out->first : &out->last->next) = line;
    out->last = line;
    out->waiting++;
    return 0;
}

void
http_line_release(struct http_line *line)
{
    struct http_out *out = line->out;
    struct http_line **at = &out->first;
    struct http_line *before = NULL;
    struct err err = {0};

    http_line_stop(line);
    if (line->state == LINE_WAITS) {
        for (; *at != line; at = &(*at)->next)
            before = *at;
        unlink_waiting(out, at, before);
    } else if (line->state == LINE_TURN) {
        count(out, line->flags, false);
    }
    line->state = LINE_FREE;
    if (out->waiting > 0 && soon(out, &err) != 0)
        log_error_of("transfers that wait are not begun", &err);
}

/* ---- life ---- */

int
http_out_settings(struct http_out *out, const struct http_out_settings *settings, struct err *err)
{
    char *proxy = NULL;

    if (settings->proxy.n > 0 && !http_url_is_proxy(settings->proxy))
        return err_set_field(err, ERR_BAD_CONFIG, "courier.proxy", 13,
            "http:// and an address with its port are wanted, such as http://192.0.2.1:3128");
    if (settings->proxy.n > 0) {
        proxy = strndup(settings->proxy.p, settings->proxy.n);
        if (proxy == NULL)
            return http_no_memory(err);
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
        return free(http), *out = NULL, http_no_memory(err);
    http->loop = loop;
    http->certificate.fd = http->key.fd = http->ca.fd = -1;
    http->timer = (struct loop_timer){.due = on_timer, .ctx = http};
    http->begin = (struct loop_timer){.due = give_turns, .ctx = http};
    http->multi = curl_multi_init();
    int rc = http->multi == NULL || !set_multi(http) ? http_no_memory(err) : 0;
    if (rc == 0)
        rc = resolver_new(loop, trust->dns, &http->resolver, err);
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
    resolver_free(out->resolver);
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
    return out->taken + out->waiting;
}
