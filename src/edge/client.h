/* client.h: how does the command line ask the running node?
 *
 * Over the unix socket in the node's data folder, the local door: who may open it is the operator.
 * One question after the other, by libcurl; nothing here opens a connection to the network.
 */
#ifndef COMITY_EDGE_CLIENT_H
#define COMITY_EDGE_CLIENT_H

#include "base/str.h"

#include <sys/types.h>

struct client;

enum { CLIENT_ANSWER_BYTES = 64 * 1024 * 1024 };

/* The node of the data folder HOME. Owner: the caller, until client_free. Errors: ERR_NOT_FOUND (no
 * node's socket is there), ERR_LIMIT (the path is too long for one), ERR_NO_MEMORY. */
MUST_USE int client_new(const char *home, struct client **out, struct err *err);
void client_free(struct client *client);

struct client_answer {
    unsigned status;
    unsigned retry_after_s; /* of 429 and 503; 0: not said */
    struct buf body;        /* the caller's, until client_answer_free */
};
void client_answer_free(struct client_answer *answer);

/* METHOD PATH ("/api/v1/status"), with JSON as the body if it is not empty. An answer of any status
 * is no error. Errors: ERR_NOT_FOUND (the node does not run), ERR_IO (it went away), ERR_LIMIT. */
MUST_USE int client_ask(struct client *client, const char *method, const char *path,
    struct span json, struct client_answer *answer, struct err *err);

/* What is sent piece by piece. */
struct client_source {
    void *ctx;
    /* Up to N bytes to P; 0: the end; negative: an error, in ERR. */
    ssize_t (*read)(void *ctx, char *p, size_t n, struct err *err);
    /* Told now and then; false: stop. May be NULL. */
    bool (*go_on)(void *ctx, uint64_t sent_bytes);
    const char *encoding; /* Content-Encoding; NULL: none */
};
/* POST what SOURCE gives. Errors as client_ask's, the source's own, ERR_STOPPED. */
MUST_USE int client_send(struct client *client, const char *path,
    const struct client_source *source, struct client_answer *answer, struct err *err);

/* 0 for an answer of 2xx; else the problem that it tells (RFC 9457) as an error. */
MUST_USE int client_check(const struct client_answer *answer, struct err *err);

#endif
