/* http_out.h: what does another server answer?
 *
 * HTTP/1.1 requests to others, by libcurl's multi interface in the process's loop: many at once,
 * bounded in number, bytes and time. https:// only (http:// to this machine where TLS is off),
 * no redirects, no proxy but the one that is set. The other end is believed if its certificate is
 * the one that is pinned, which is looked at before each request's first byte goes out, or else if
 * a CA vouches for it. Connections are kept for the next request. doc/why/0014 has reasons.
 */
#ifndef COMITY_EDGE_HTTP_OUT_H
#define COMITY_EDGE_HTTP_OUT_H

#include "sys/loop.h"

#include "base/str.h"

struct http_out;
struct http_line;

struct http_out_settings {
    uint32_t transfers_max; /* at once; more wait for their turn */
    int64_t patience_ms;    /* connecting, or with nothing coming */
    int64_t whole_ms;       /* a transfer in all */
    bool plain;             /* http:// to a loopback address is fine */
    struct span proxy;      /* http://ADDRESS:PORT; n 0: none. Copied */
};
/* What is there from the beginning. PEM texts: what is shown to others (n 0: nothing), and who
 * vouches for them where nothing is pinned (n 0: nobody does). They are not kept, but copied to
 * memory that libcurl reads as files.
 */
struct http_out_trust {
    struct span certificate;
    struct span key;
    struct span ca;
    struct span dns; /* who is asked for names (resolve.h) */
};

/* Before the walls are up. ERR_IO, ERR_NO_MEMORY, ERR_BAD_CONFIG. Owner: the caller. */
MUST_USE int http_out_new(struct loop *loop, const struct http_out_settings *settings,
    const struct http_out_trust *trust, struct http_out **out, struct err *err);
/* Its lines are freed before. */
void http_out_free(struct http_out *out);
/* For transfers that begin from now on. ERR_NO_MEMORY, ERR_BAD_CONFIG. */
MUST_USE int http_out_settings(
    struct http_out *out, const struct http_out_settings *settings, struct err *err);
/* Another certificate to show; who vouches stays. For connections that begin from now on. ERR_IO.
 */
MUST_USE int http_out_show(
    struct http_out *out, struct span certificate, struct span key, struct err *err);
/* How many have their turn or wait for it. */
size_t http_out_busy(const struct http_out *out);

/* One transfer at a time to another server; what may be kept for the next one is. NULL: no memory.
 */
struct http_line *http_line_new(struct http_out *out);
/* As http_line_release. */
void http_line_free(struct http_line *line);

/* Turns are what is bounded: who has one may hold memory for a transfer, make it, and one more. Ask
 * for it, and TURN is called, later; it is kept until it is given back. ERR_INTERNAL: it was asked
 * for already; ERR_NO_MEMORY. */
enum http_turn_flag {
    HTTP_DOUBTFUL = 1, /* it did not work the last time, or was never tried: half of all turns are
                          not for such */
    HTTP_HEAVY = 2,    /* what comes is much: few at a time */
};
typedef void http_turn(void *ctx);
MUST_USE int http_line_ask(
    struct http_line *line, unsigned flags, http_turn *turn, void *ctx, struct err *err);
/* Give it back, or wait no more; a transfer is broken off, and nobody told. */
void http_line_release(struct http_line *line);
/* Break the transfer off, and keep the turn. */
void http_line_stop(struct http_line *line);

struct http_request {
    bool post;
    struct span url;
    struct span pin; /* SHA-256 of the server's certificate's DER form, 64 hexadecimal digits; n 0:
                        a CA vouches for it */
    const char *const *headers; /* "Name: value", ended by NULL */
    struct span body;           /* of a POST; borrowed until it is over */
    size_t answer_max;          /* bytes of the answer's body, unpacked */
};
struct http_answer {
    unsigned status;  /* never a redirect's */
    struct span head; /* header lines as they came */
    struct span body;
};
/* The first header NAME, without white space around; false: there is none. */
bool http_answer_header(const struct http_answer *answer, const char *name, struct span *value);

/* Exactly one of ANSWER (borrowed until it returns) and WHY is there. WHY: ERR_UNREACHABLE,
 * ERR_UNTRUSTED, ERR_BAD_ANSWER, ERR_LIMIT (the answer is too large), ERR_NO_MEMORY. */
typedef void http_done(void *ctx, const struct http_answer *answer, const struct err *why);
/* REQUEST is copied but for its body. DONE is called once, later, unless the line is stopped.
 * ERR_BAD_NAME: the URL is none that may be used; ERR_INTERNAL: it is not the line's turn;
 * ERR_NO_MEMORY. */
MUST_USE int http_line_begin(struct http_line *line, const struct http_request *request,
    http_done *done, void *ctx, struct err *err);

#endif
