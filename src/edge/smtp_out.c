#include "edge/smtp_out.h"

#include "base/conf.h"
#include "edge/http_url.h"
#include "edge/resolve.h"
#include "sys/clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CONNECT_MS = 30 * 1000,
    WHOLE_MS = 10 * 60 * 1000, /* RFC 5321, 4.5.3.2.6 */
    STALL_BYTES_A_SECOND = 16,
    STALL_SECONDS = 120,
    TEXT_BYTES = 512,
    SAID_BYTES = 512, /* RFC 5321, 4.5.3.1.5 */
    ADDRESS_BYTES = MAIL_ADDRESS_BYTES + 3,
    CODE_DIGITS = 3,
    PORT_SMTP = 25,
    PORT_SMTPS = 465, /* RFC 8314, 7.3 */
    CLOSING = 221,    /* the answer to QUIT */
    TRANSIENT = 400,  /* replies from here are for now, */
    PERMANENT = 500,  /* and from here for good */
};

struct smtp_out {
    struct loop *loop;
    CURLM *multi;
    CURL *easy;
    struct resolver *resolver;
    struct loop_timer timer;
    struct http_file ca;
    bool running;
    struct http_url where; /* host is the text below */
    char host[HTTP_URL_HOST_BYTES];
    struct lookup *lookup;    /* NULL: no name is looked for */
    struct curl_slist *found; /* of CURLOPT_RESOLVE */
    struct curl_slist *to;
    struct span rest; /* of the message */
    struct span message;
    smtp_done *done;
    void *ctx;
    unsigned said_code; /* of the server's last reply */
    char said[SAID_BYTES];
    char text[CURL_ERROR_SIZE];
};

static void finish(struct smtp_out *smtp, CURLcode code);

/* ---- libcurl in the loop ---- */

static void
act(struct smtp_out *smtp, curl_socket_t fd, int events)
{
    CURLMsg *message;
    int number;

    (void)curl_multi_socket_action(smtp->multi, fd, events, &number);
    while ((message = curl_multi_info_read(smtp->multi, &number)) != NULL)
        if (message->msg == CURLMSG_DONE) {
            finish(smtp, message->data.result);
            return;
        }
}

/* There is one connection at most. */
struct watched {
    struct smtp_out *smtp;
    curl_socket_t fd;
};

static void
on_ready(void *ctx, unsigned events)
{
    const struct watched *watched = ctx;
    int told = 0;

    told |= (events & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0;
    told |= (events & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0;
    told |= (events & LOOP_CLOSED) != 0 ? CURL_CSELECT_ERR : 0;
    act(watched->smtp, watched->fd, told);
}

static void
on_timer(void *ctx)
{
    act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int
set_timer(CURLM *multi, long ms, void *ctx)
{
    struct smtp_out *smtp = ctx;
    struct err err;

    (void)multi;
    if (ms >= 0)
        return loop_timer_set(
            smtp->loop, &smtp->timer, clock_ticks_us() + (int64_t)ms * 1000, &err);
    loop_timer_stop(smtp->loop, &smtp->timer);
    return 0;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
    struct smtp_out *smtp = ctx;
    struct watched *watched = of_socket;
    unsigned events = what == CURL_POLL_IN ? LOOP_READ
        : what == CURL_POLL_OUT            ? LOOP_WRITE
                                           : LOOP_READ | LOOP_WRITE;
    struct err err;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        loop_forget(smtp->loop, fd);
        free(watched);
        (void)curl_multi_assign(smtp->multi, fd, NULL);
        return 0;
    }
    if (watched == NULL) {
        watched = malloc(sizeof *watched);
        if (watched == NULL)
            return -1;
        *watched = (struct watched){smtp, fd};
        (void)curl_multi_assign(smtp->multi, fd, watched);
    }
    return loop_watch(smtp->loop, fd, what == CURL_POLL_NONE ? 0 : events, on_ready, watched, &err);
}

/* ---- the talk ---- */

static size_t
give(char *to, size_t size, size_t n, void *ctx)
{
    struct smtp_out *smtp = ctx;
    size_t room = size * n;

    room = smtp->rest.n < room ? smtp->rest.n : room;
    if (room > 0)
        memcpy(to, smtp->rest.p, room);
    smtp->rest = (struct span){smtp->rest.p + room, smtp->rest.n - room};
    return room;
}

/* The last reply is what the server thinks of it; libcurl's own words say less. */
static size_t
hear(char *p, size_t size, size_t n, void *ctx)
{
    struct smtp_out *smtp = ctx;
    struct span line = span_trim((struct span){p, size * n});
    uint64_t code;

    if (line.n < CODE_DIGITS || !span_u64((struct span){line.p, CODE_DIGITS}, &code)
        || code == CLOSING)
        return size * n;
    smtp->said_code = (unsigned)code;
    (void)snprintf(smtp->said, sizeof smtp->said, "%.*s",
        (int)(line.n < SAID_BYTES - 1 ? line.n : SAID_BYTES - 1), line.p);
    for (char *c = smtp->said; *c != '\0'; c++)
        *c = (unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f ? '?' : *c;
    return size * n;
}

/* A reply of 5xx is for good, and so is a signing in that was refused for that; everything else may
 * be other the next time: who has no TLS today may be somebody in the middle. */
static uint8_t
outcome_of(const struct smtp_out *smtp, CURLcode code)
{
    if (code == CURLE_OK)
        return MAIL_OK;
    return smtp->said_code >= PERMANENT
            && (code == CURLE_SEND_ERROR || code == CURLE_LOGIN_DENIED
                || code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_RECV_ERROR
                || code == CURLE_QUOTE_ERROR)
        ? MAIL_REFUSED
        : MAIL_LATER;
}

static void
let_go(struct smtp_out *smtp)
{
    if (smtp->lookup != NULL)
        lookup_forget(smtp->lookup);
    smtp->lookup = NULL;
    (void)curl_multi_remove_handle(smtp->multi, smtp->easy);
    curl_easy_reset(smtp->easy);
    curl_slist_free_all(smtp->to);
    curl_slist_free_all(smtp->found);
    smtp->to = smtp->found = NULL;
    smtp->running = false;
}

static void
finish(struct smtp_out *smtp, CURLcode code)
{
    char why[TEXT_BYTES + SAID_BYTES];
    bool is_reply = code == CURLE_OK || smtp->said_code >= TRANSIENT;
    struct mail_sent sent = {
        .outcome = outcome_of(smtp, code), .code = is_reply ? (uint16_t)smtp->said_code : 0};

    (void)snprintf(why, sizeof why, "%s",
        is_reply                    ? smtp->said
            : smtp->text[0] != '\0' ? smtp->text
                                    : curl_easy_strerror(code));
    sent.why = span_of(why);
    let_go(smtp);
    smtp->done(smtp->ctx, &sent);
}

/* It was never asked. */
static void
fail(struct smtp_out *smtp, const struct err *why)
{
    const struct mail_sent sent = {.outcome = MAIL_LATER, .why = span_of(why->msg)};

    let_go(smtp);
    smtp->done(smtp->ctx, &sent);
}

/* ---- the beginning ---- */

#define SET(option, value) (ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK)

/* That name is this machine's (RFC 6761, 6.3), whatever a name server says: mail in the clear does
 * not depend on one. */
static bool
is_localhost(const struct smtp_out *smtp)
{
    return span_equal(smtp->where.host, SPAN("localhost"));
}

static bool
is_plain(const struct smtp_out *smtp)
{
    return !smtp->where.tls
        && (is_localhost(smtp) || (smtp->where.numeric && conf_is_loopback(smtp->where.host)));
}

static bool
set_security(struct smtp_out *smtp)
{
    CURL *easy = smtp->easy;
    bool ok = true;

    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_USE_SSL, is_plain(smtp) ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_CAINFO, http_file_is_there(&smtp->ca) ? smtp->ca.path : NULL);
    return ok;
}

static bool
set_text(struct smtp_out *smtp, CURLoption option, struct span before, struct span text,
    struct span behind)
{
    struct buf whole = buf_new(4 * TEXT_BYTES);

    buf_add_span(&whole, before);
    buf_add_span(&whole, text);
    buf_add_span(&whole, behind);
    buf_add_char(&whole, '\0');
    bool ok = !whole.full && curl_easy_setopt(smtp->easy, option, whole.p) == CURLE_OK;
    if (whole.p != NULL)
        explicit_bzero(whole.p, whole.n);
    buf_free(&whole);
    return ok;
}

static bool
set_mail(struct smtp_out *smtp, const struct smtp_mail *mail)
{
    CURL *easy = smtp->easy;
    char to[ADDRESS_BYTES];
    bool ok = true;

    (void)snprintf(to, sizeof to, "<%.*s>", (int)mail->to.n, mail->to.p);
    smtp->to = curl_slist_append(NULL, to);
    SET(CURLOPT_MAIL_RCPT, smtp->to);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->message.n);
    SET(CURLOPT_READFUNCTION, give);
    SET(CURLOPT_READDATA, smtp);
    SET(CURLOPT_HEADERFUNCTION, hear);
    SET(CURLOPT_HEADERDATA, smtp);
    SET(CURLOPT_ERRORBUFFER, smtp->text);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, (long)WHOLE_MS);
    SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)STALL_SECONDS);
    SET(CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_A_SECOND);
    SET(CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
    SET(CURLOPT_FRESH_CONNECT, 1L);
    SET(CURLOPT_FORBID_REUSE, 1L);
    /* The path is what we say in EHLO. */
    const char *at = memchr(mail->from.p, '@', mail->from.n);
    struct span domain = {at + 1, mail->from.n - (size_t)(at + 1 - mail->from.p)};
    ok = ok && smtp->to != NULL && set_text(smtp, CURLOPT_URL, mail->server, SPAN("/"), domain)
        && set_text(smtp, CURLOPT_MAIL_FROM, SPAN("<"), mail->from, SPAN(">"));
    if (mail->user.n > 0)
        ok = ok && set_text(smtp, CURLOPT_USERNAME, SPAN(""), mail->user, SPAN(""))
            && set_text(smtp, CURLOPT_PASSWORD, SPAN(""), mail->password, SPAN(""));
    return ok;
}

/* smtp://HOST, and a port behind it perhaps; nothing else that libcurl would find in a URL. */
static int
take_server(struct smtp_out *smtp, struct span server, struct err *err)
{
    struct span rest = server;
    struct span scheme;

    if (!span_next(&rest, ':', &scheme) || rest.n < 3 || !span_starts(rest, SPAN("//"))
        || (!span_equal(scheme, SPAN("smtp")) && !span_equal(scheme, SPAN("smtps"))))
        return err_set(err, ERR_BAD_NAME, "mail.smtp is not smtp://HOST:PORT");
    rest = (struct span){rest.p + 2, rest.n - 2};
    smtp->where = (struct http_url){.tls = scheme.n == sizeof "smtps" - 1};
    smtp->where.port = smtp->where.tls ? PORT_SMTPS : PORT_SMTP;
    int rc = http_url_authority(rest, &smtp->where, err);
    if (rc != 0)
        return err_set(err, ERR_BAD_NAME, "mail.smtp is not smtp://HOST:PORT");
    /* The name outlives the settings that it is from. */
    memcpy(smtp->host, smtp->where.host.p, smtp->where.host.n);
    smtp->where.host.p = smtp->host;
    return 0;
}

/* ---- where it is, and then the talk ---- */

/* ADDRESSES n 0: the host is an address. */
static int
start(struct smtp_out *smtp, struct span addresses, struct err *err)
{
    CURL *easy = smtp->easy;
    struct buf row = buf_new(LOOKUP_ROW_BYTES);
    bool ok = true;
    int rc = 0;

    if (addresses.n > 0)
        rc = lookup_row(&row, smtp->where.host, smtp->where.port, addresses, err);
    if (rc == 0 && addresses.n > 0) {
        smtp->found = curl_slist_append(NULL, row.p);
        ok = smtp->found != NULL;
        SET(CURLOPT_RESOLVE, smtp->found);
    }
    buf_free(&row);
    if (rc == 0 && (!ok || curl_multi_add_handle(smtp->multi, easy) != CURLM_OK))
        rc = err_set(err, ERR_NO_MEMORY, "no memory to send a mail");
    return rc;
}

static void
on_found(void *ctx, struct span addresses, int64_t seconds, const struct err *why)
{
    struct smtp_out *smtp = ctx;
    struct err err = {0};

    (void)seconds;
    smtp->lookup = NULL;
    if (why != NULL)
        (void)err_set(&err, why->code, "%.*s: %s", SPAN_ARGS(smtp->where.host), why->msg);
    else
        (void)!start(smtp, addresses, &err);
    if (err.code != ERR_OK)
        fail(smtp, &err);
}

static int
reach(struct smtp_out *smtp, struct err *err)
{
    if (smtp->where.numeric)
        return start(smtp, SPAN(""), err);
    if (is_localhost(smtp))
        return start(smtp, SPAN("127.0.0.1,[::1]"), err);
    return lookup_begin(smtp->resolver, smtp->where.host, on_found, smtp, &smtp->lookup, err);
}

int
smtp_out_begin(struct smtp_out *smtp, const struct smtp_mail *mail, smtp_done *done, void *ctx,
    struct err *err)
{
    if (smtp->running)
        return err_set(err, ERR_INTERNAL, "a mail is being sent already");
    int rc = take_server(smtp, mail->server, err);
    if (rc != 0)
        return rc;
    if (!mail_is_address(mail->from) || !mail_is_address(mail->to))
        return err_set(err, ERR_BAD_NAME, "mail.from or the team's address is none");
    smtp->rest = smtp->message = mail->message;
    smtp->done = done;
    smtp->ctx = ctx;
    smtp->said_code = 0;
    smtp->said[0] = smtp->text[0] = '\0';
    smtp->running = true;
    rc = set_mail(smtp, mail) && set_security(smtp)
        ? reach(smtp, err)
        : err_set(err, ERR_NO_MEMORY, "no memory to send a mail");
    if (rc != 0)
        let_go(smtp);
    return rc;
}

/* ---- life ---- */

void
smtp_out_stop(struct smtp_out *smtp)
{
    if (smtp->running)
        let_go(smtp);
}

bool
smtp_out_busy(const struct smtp_out *smtp)
{
    return smtp->running;
}

int
smtp_out_new(
    struct loop *loop, struct span ca, struct span dns, struct smtp_out **out, struct err *err)
{
    struct smtp_out *smtp = calloc(1, sizeof *smtp);

    *out = smtp;
    if (smtp == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return free(smtp), *out = NULL, err_set(err, ERR_NO_MEMORY, "no memory to send mails");
    smtp->loop = loop;
    smtp->ca.fd = -1;
    smtp->timer = (struct loop_timer){.due = on_timer, .ctx = smtp};
    smtp->multi = curl_multi_init();
    smtp->easy = curl_easy_init();
    if (smtp->multi == NULL || smtp->easy == NULL
        || curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK
        || curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETDATA, smtp) != CURLM_OK
        || curl_multi_setopt(smtp->multi, CURLMOPT_TIMERFUNCTION, set_timer) != CURLM_OK
        || curl_multi_setopt(smtp->multi, CURLMOPT_TIMERDATA, smtp) != CURLM_OK)
        return err_set(err, ERR_NO_MEMORY, "no memory to send mails");
    int rc = resolver_new(loop, dns, &smtp->resolver, err);
    if (rc == 0)
        rc = http_file_open(&smtp->ca, "mail-ca", err);
    return rc == 0 ? http_file_fill(&smtp->ca, ca, err) : rc;
}

void
smtp_out_free(struct smtp_out *smtp)
{
    if (smtp == NULL)
        return;
    smtp_out_stop(smtp);
    curl_easy_cleanup(smtp->easy);
    if (smtp->multi != NULL)
        (void)curl_multi_cleanup(smtp->multi);
    resolver_free(smtp->resolver);
    loop_timer_stop(smtp->loop, &smtp->timer);
    http_file_close(&smtp->ca);
    free(smtp);
}
