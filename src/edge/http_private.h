/* http_private.h: what do the files edge/http_*.c share?
 */
#ifndef COMITY_EDGE_HTTP_PRIVATE_H
#define COMITY_EDGE_HTTP_PRIVATE_H

#include "edge/http_file.h"
#include "edge/http_out.h"
#include "edge/http_url.h"
#include "edge/resolve.h"

#include <curl/curl.h>

enum { HTTP_PIN_DIGITS = 64 };

struct http_out {
    struct loop *loop;
    CURLM *multi;
    struct resolver *resolver;
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
    size_t taken; /* turns; of those: */
    size_t doubtful;
    size_t heavy;
    bool inside; /* libcurl tells what has ended */
};

enum line_state { LINE_FREE, LINE_WAITS, LINE_TURN, LINE_LOOKS, LINE_RUNS };

struct http_line {
    struct http_out *out;
    CURL *easy;
    enum line_state state;
    struct http_line *next; /* of those that wait */
    unsigned flags;
    http_turn *turn;
    void *turn_ctx;
    http_done *done;
    void *ctx;
    char pin[HTTP_PIN_DIGITS + 1]; /* "": none */
    struct http_url where;         /* borrows from url */
    struct lookup *lookup;         /* while the state is LINE_LOOKS */
    struct curl_slist *found;      /* "HOST:PORT:ADDRESSES"; NULL: not known */
    int64_t found_until_us;        /* ticks */
    struct curl_slist *headers;
    struct buf url;
    struct buf head;
    struct buf body;
    struct err why; /* what a callback found */
    char text[CURL_ERROR_SIZE];
};

/* http_line.c: libcurl is done with LINE, whose owner is told. */
void http_line_finish(struct http_line *line, CURLcode code);

int http_no_memory(struct err *err);

#endif
