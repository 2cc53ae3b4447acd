/* front_private.h: what do the files that make up a front know of each other?
 *
 * For src/edge's front, request, body, route, guard, ask and credentials only: handlers see door.h.
 */
#ifndef COMITY_EDGE_FRONT_PRIVATE_H
#define COMITY_EDGE_FRONT_PRIVATE_H

#include "edge/door.h"
#include "edge/front.h"
#include "edge/guard.h"
#include "edge/talk.h"
#include "fmt/unpack.h"

#include <microhttpd.h>

enum {
    REQUEST_ARENA_BYTES = 16 * 1024 * 1024,
    REQUEST_SEGMENTS_MAX = 8,
    REQUEST_PARAMETERS_MAX = 512,
    REQUEST_SPARE_MAX = 64,        /* requests kept for reuse */
    REQUEST_DRAIN_BYTES = 1 << 20, /* read on behind an error, so that the client hears of it */
    UNPACK_BYTES = 64 * 1024,
};

enum request_state {
    REQUEST_HEAD,     /* its line is there, its headers are not */
    REQUEST_BODY,     /* the body comes */
    REQUEST_DRAIN,    /* the answer is known, the rest of the body is passed over */
    REQUEST_HANDLED,  /* all is there, the answer is not */
    REQUEST_ANSWERED, /* the answer is on its way */
};

struct pair {
    struct span name;
    struct span value;
};

struct added_header {
    struct added_header *next;
    const char *name;
    const char *value;
};

struct end_call {
    struct end_call *next;
    void (*ended)(void *ctx);
    void *ctx;
};

struct ask_slot;
struct out_stream;

struct request {
    struct front *front;
    struct MHD_Connection *connection;
    struct guard_conn *conn;
    struct request *spare; /* the next kept one */
    struct arena *arena;
    enum request_state state;
    char id[17];
    int64_t begun_us; /* ticks */
    const char *method;
    struct span target; /* as it came */
    struct span path;
    struct pair *parameters;
    size_t parameter_count;
    const struct route *route;
    const struct route_family *family;
    struct pair segments[REQUEST_SEGMENTS_MAX];
    size_t segment_count;
    struct caller caller;
    struct added_header *headers;
    struct end_call *ends;
    /* body */
    uint64_t body_bytes; /* unpacked */
    uint64_t drained;
    struct buf body;
    struct unpack *unpack;
    char *unpacked; /* UNPACK_BYTES; [unpacked_at, unpacked_n) waits for its taker */
    size_t unpacked_at;
    size_t unpacked_n;
    uint64_t packed_bytes;
    struct request_stream stream;
    bool streams_in;
    bool body_ended;
    /* answer */
    struct MHD_Response *response; /* to be queued */
    unsigned status;
    uint64_t sent_bytes;
    bool answered;
    bool close;     /* the connection must not be used again */
    bool inside;    /* one of libmicrohttpd's callbacks runs for it */
    bool suspended; /* it waits for somebody else than the client */
    bool held;
    bool gone; /* its client is: nobody waits for the answer */
    bool over;
    struct out_stream *out;
    struct ask_slot *asks;
    size_t ask_count;
};

struct compiled_route {
    const struct route *route;
    const struct route_family *family;
    struct span prefix; /* up to the first "{" */
};

struct front {
    struct front_settings settings;
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct guard *guard;
    struct tls *tls;      /* NULL: none */
    struct talks *talks;  /* with core */
    struct intake *files; /* being read */
    struct compiled_route *routes;
    size_t route_count;
    struct request *spares;
    size_t spare_count;
    size_t running; /* requests */
    uint64_t next_id;
    bool stopping;
    bool dying;
    bool woken; /* a request goes on in the next run */
    int epoll_fd;
    uint64_t collected_bytes; /* bodies that are in memory */
    uint32_t first_idle_s;    /* what libmicrohttpd was started with */
    void (*stopped)(void *ctx);
    void *stopped_ctx;
    struct loop_timer timer;
    int64_t stop_at_us;
    struct patience {
        int64_t since_us; /* ticks: core was asked for a sign of life; 0: not */
        bool asked;       /* the question is on its way */
        bool lost;        /* none came */
    } patience;
    uint64_t answers[6]; /* by the status' first digit */
    uint64_t refused;    /* by the guard */
    uint64_t shut;       /* too slow */
    /* libmicrohttpd wants them as C strings for as long as it runs; they are the first ones. */
    char *pem_certificate;
    char *pem_key;
};

/* front_http.c */
/* Go on with a request from outside libmicrohttpd's callbacks: its answer is there, or room. */
void front_wake(struct request *request);

/* front_step.c: libmicrohttpd's callbacks; CTX is the front */
void *front_step_line(void *ctx, const char *target, struct MHD_Connection *connection);
enum MHD_Result front_step(void *ctx, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_n, void **place);
void front_step_over(void *ctx, struct MHD_Connection *connection, void **place,
    enum MHD_RequestTerminationCode code);

/* request.c */
void request_set_answer(struct request *request, unsigned status, struct MHD_Response *response);
/* RESPONSE is taken, also on an error. */
MUST_USE int request_answer_response(struct request *request, unsigned status, const char *type,
    struct MHD_Response *response, struct err *err);
/* Everything a request holds, but its own memory. */
void request_over(struct request *request);
struct request *request_new(struct front *front);
void request_recycle(struct request *request);
void request_free(struct request *request);

/* route.c */
MUST_USE int route_compile(struct front *front, struct err *err);
/* Fills route, family, segments; or answers 404 or 405 and returns false. */
bool route_find(struct request *request);
MUST_USE int route_parse_target(struct request *request, struct err *err);

/* body.c */
/* Says how the body will come, before it does; false: refused. */
bool body_begin(struct request *request);
/* Take bytes as they came; returns how many were not taken. */
size_t body_take(struct request *request, struct span bytes);
/* A body of this request may have so many bytes. */
uint64_t body_most(const struct request *request);
/* All has come. False: not yet, what was unpacked still waits for its taker. */
bool body_end(struct request *request);
void body_free(struct request *request);

/* stream.c */
void stream_over(struct request *request);

/* credentials.c */
MUST_USE int credentials_find(struct request *request, struct err *err);

/* ask.c */
/* What REQUEST asked, nobody waits for any more. */
void asks_drop(struct request *request);
/* Who asked within a time that is over is told that nothing came. */
void asks_late(struct request *request, int64_t now_us);

/* patience.c */
/* Call once a second: who waits for a core that hangs is refused. */
void patience_look(struct front *front, int64_t now_us);
/* This core, or the next one, has all its time. */
void patience_begin(struct front *front);

/* access.c */
void request_log(const struct request *request);

#endif
