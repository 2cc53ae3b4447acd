/* door.h: which request came in over HTTP, and what goes back?
 *
 * A door is one front process: libmicrohttpd with our guard (edge/guard.h) on one listening socket,
 * and a channel to core. Handlers never block: they ask core (edge/ask.h) and go on when the answer
 * is there, or take the body piece by piece as it comes. A handler that returned without answering,
 * asking, beginning a stream or request_hold has a bug: 500. How a door is made and run stands in
 * edge/front.h.
 */
#ifndef COMITY_EDGE_DOOR_H
#define COMITY_EDGE_DOOR_H

#include "base/caller.h"
#include "base/mem.h"
#include "base/messages.h"

struct request;

/* What a route's row asks for. */
enum request_body {
    BODY_NONE,   /* a body is refused (413) */
    BODY_WHOLE,  /* collected, at most the route's limit, then the handler is called */
    BODY_STREAM, /* handed on as it comes (struct request_stream) */
};

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): written as tables, in this order
struct route {
    const char *method; /* "GET": HEAD too */
    /* "/api/v1/held/{number}/release": {name} is one segment, which is not empty; "{*name}" at the
     * end is all the rest, which may be. The first row that fits is taken. */
    const char *path;
    enum request_body body;
    uint64_t body_max; /* bytes, unpacked */
    bool signed_in;    /* without credentials: 401 before core is asked */
    int (*handle)(struct request *request, struct err *err); /* an error is answered as one */
};
/* Routes that belong together: one standard's, or one interface's. */
struct route_family {
    const char *name; /* for the log */
    /* "/taxii2/": errors below it (404 too) are this family's to render. "/": so are those of all
     * paths that do not begin with another family's prefix or with a segment of its routes. */
    const char *prefix;
    const struct route *table; /* ended by a NULL method */
    /* Answer WHY in the family's form (request_add_header, request_answer); NULL: RFC 9457. Called
     * with STATUS, which is err_http(WHY) but for what only HTTP knows. */
    int (*refuse)(struct request *request, unsigned status, const struct err *why, struct err *err);
    bool slash_strict; /* "/a" and "/a/" are two paths; else the slash at the end is passed over */
};

/* What was asked. All texts live as long as the request. */
struct span request_method(const struct request *request);
struct span request_path(const struct request *request);
/* The segment for {NAME}, decoded; n 0 if the route has none. */
struct span request_segment(const struct request *request, const char *name);
/* The first query parameter NAME, decoded; false if absent. */
bool request_query(const struct request *request, const char *name, struct span *value);
/* Every one of that name, in order. */
void request_query_each(const struct request *request, const char *name,
    void (*each)(void *ctx, struct span value), void *ctx);
/* All of the query, in order, decoded: for who refuses names that it does not know. */
void request_query_all(const struct request *request,
    void (*each)(void *ctx, struct span name, struct span value), void *ctx);
/* Header NAME in any case; false if absent. */
bool request_header(const struct request *request, const char *name, struct span *value);
struct span request_body(const struct request
        *request); /* BODY_WHOLE: unpacked from gzip or zstd as Content-Encoding says */
const struct caller *request_caller(const struct request *request);
bool request_is_tls(const struct request *request);
const char *request_id(const struct request *request); /* 16 hex digits; X-Request-Id */
enum door request_door(const struct request *request);
struct arena *request_arena(struct request *request); /* until it is answered */

/* Headers for the answer, before it. Values with control bytes are refused (ERR_INTERNAL). Those
 * that all answers get (X-Content-Type-Options, Content-Security-Policy, Referrer-Policy,
 * Cross-Origin-Resource-Policy, Cache-Control) are replaced by one of the same name. */
MUST_USE int request_add_header(
    struct request *request, const char *name, struct span value, struct err *err);
/* Answer once. BODY is copied; or owned: freed with free(). Security headers are added for all. */
MUST_USE int request_answer(
    struct request *request, unsigned status, const char *type, struct span body, struct err *err);
MUST_USE int request_answer_owned(
    struct request *request, unsigned status, const char *type, struct buf *body, struct err *err);
/* The family's form of an error (TAXII's, the API's RFC 9457 problem, MISP's), with what its status
 * asks for: WWW-Authenticate, Retry-After. Never fails: what cannot be said closes the connection.
 */
void request_refuse(struct request *request, const struct err *why);
/* The same with another status than the error's own. */
void request_refuse_with(struct request *request, unsigned status, const struct err *why);
/* The form of RFC 9457, for a family that has one of its own for some errors only. */
MUST_USE int problem_answer(
    struct request *request, unsigned status, const struct err *why, struct err *err);
/* The answer will come later, from elsewhere than ask_core. */
void request_hold(struct request *request);

/* An answer without end (server-sent events): begin, add as it comes, end; it ends by itself when
 * the node stops, so nothing may be sent so that must be whole. ERR_BUSY:
 * the client does not read, nothing was kept; try again when DRAINED says so. ERR_LIMIT: it would
 * never fit. */
enum { REQUEST_STREAM_BYTES_MAX = 256 * 1024 };
MUST_USE int request_stream_begin(struct request *request, unsigned status, const char *type,
    void (*drained)(struct request *request, void *ctx), void *ctx, struct err *err);
MUST_USE int request_stream_add(struct request *request, struct span bytes, struct err *err);
void request_stream_end(struct request *request);

/* A handler with BODY_STREAM is called before the body comes, and sets these before it returns. */
struct request_stream {
    void *ctx;
    /* Bytes as they came, unpacked; returns how many were taken (fewer: asked again after
     * request_resume). An error in ERR ends it. */
    size_t (*take)(void *ctx, struct span bytes, struct err *err);
    int (*ended)(void *ctx, struct err *err);
};
void request_take_body(struct request *request, const struct request_stream *stream);
void request_resume(struct request *request);
/* Called when the request is over, however it ended: frees what the handler holds. Last set, first
 * called. */
MUST_USE int request_on_end(
    struct request *request, void (*ended)(void *ctx), void *ctx, struct err *err);

#endif
