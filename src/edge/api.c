#include "edge/api.h"

#include "base/hash.h"
#include "edge/api_csv.h"
#include "edge/api_document.h"
#include "edge/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUESTION_BYTES = 128 * 1024 };

static const struct row {
    uint16_t message; /* enum message */
    uint16_t status;  /* of success */
    bool json;        /* the answer is JSON, and not empty */
    const char *doors;
} rows[API_ROUTE_COUNT] = {
#define ROUTE(                                                                                     \
    name, id, method, path, body, most, handler, message, doors, status, schema, tag, text)        \
    {MESSAGE_##message, status, (schema)[0] != '\0' && (schema)[0] != '-', doors},
#include "tables/routes.def"
#undef ROUTE
};

/* Which messages ask for a right, so that a request without credentials need not trouble core. */
static bool
needs_right(uint16_t message)
{
    switch (message) {
#define MESSAGE(name, number, function, doors, right, changes, text)                               \
    case number:                                                                                   \
        return RIGHT_##right != RIGHT_NONE;
#include "tables/messages.def"
#undef MESSAGE
    default:
        return true;
    }
}

/* How one answer is to be given. */
struct answer {
    enum api_route route;
    bool csv;
};

/* The same question, the same answer: who has it already is told so (RFC 9110, 8.8.3). */
static int
tag_answer(struct request *request, struct span body, bool csv, bool *same, struct err *err)
{
    struct hash128 hash = hash_bytes128(body.p, body.n, csv);
    struct span known;
    char tag[40];
    int n = snprintf(tag, sizeof tag, "\"%016llx%016llx\"", (unsigned long long)hash.high,
        (unsigned long long)hash.low);
    struct span text = {tag, (size_t)n};

    *same = request_header(request, "If-None-Match", &known)
        && memmem(known.p, known.n, text.p, text.n) != NULL;
    return request_add_header(request, "ETag", text, err);
}

static int
give(struct request *request, const struct answer *answer, struct span body, struct err *err)
{
    const struct row *row = &rows[answer->route];
    const char *type = answer->csv ? "text/csv; charset=utf-8" : "application/json";
    bool same = false;
    int rc = span_equal(request_method(request), SPAN("GET"))
        ? tag_answer(request, body, answer->csv, &same, err)
        : 0;

    if (rc != 0)
        return rc;
    if (same)
        return request_answer(request, 304, NULL, (struct span){NULL, 0}, err);
    if (!row->json)
        return request_answer(request, row->status, NULL, (struct span){NULL, 0}, err);
    return request_answer(request, row->status, type, body, err);
}

static int
told(struct request *request, void *ctx, struct span body, struct err *err)
{
    const struct answer *answer = ctx;
    struct buf csv = {0};
    int rc = answer->csv ? api_csv(request, answer->route, body, &csv, err) : 0;

    if (rc == 0)
        rc = give(request, answer, answer->csv ? buf_span(&csv) : body, err);
    buf_free(&csv);
    return rc;
}

int
api_ask_whole(
    struct request *request, enum api_route route, ask_told *then, void *ctx, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    int rc = api_inputs(request, route, &question, err);

    if (rc == 0)
        rc = ask_whole(request, rows[route].message, buf_span(&question), then, ctx, err);
    buf_free(&question);
    return rc;
}

int
api_check_inputs(const struct request *request, enum api_route route, struct err *err)
{
    struct buf ignored = buf_new(QUESTION_BYTES);
    int rc = api_inputs(request, route, &ignored, err);

    buf_free(&ignored);
    return rc;
}

int
api_ask(struct request *request, enum api_route route, struct err *err)
{
    struct answer *answer = arena_zalloc(request_arena(request), 1, sizeof *answer);

    if (answer == NULL)
        return arena_full(err, "a question");
    answer->route = route;
    int rc = api_csv_wanted(request, route, &answer->csv, err);
    return rc != 0 ? rc : api_ask_whole(request, route, told, answer, err);
}

int
api_document(struct request *request, enum api_route route, struct err *err)
{
    int rc = api_check_inputs(request, route, err);

    return rc != 0 ? rc
                   : request_answer(request, 200, "application/json", api_document_text(), err);
}

/* One function a route, as the front's table asks for one. */
#define ROUTE(                                                                                     \
    name, id, method, path, body, most, handler, message, doors, status, schema, tag, text)        \
    static int handle_##name(struct request *request, struct err *err)                             \
    {                                                                                              \
        return api_##handler(request, API_##name, err);                                            \
    }
#include "tables/routes.def"
#undef ROUTE

static const struct route all[API_ROUTE_COUNT] = {
#define ROUTE(                                                                                     \
    name, id, method, path, body, most, handler, message, doors, status, schema, tag, text)        \
    {#method, path, body, most, false, handle_##name},
#include "tables/routes.def"
#undef ROUTE
};

static const char door_letters[DOOR_COUNT] = {
    [DOOR_LOCAL] = 'L', [DOOR_OPERATORS] = 'O', [DOOR_PARTNERS] = 'P'};

/* What DOOR serves. Who may open the local door is the operator and needs no credentials. */
static void
fill(enum door door, struct route *out)
{
    size_t n = 0;

    for (size_t i = 0; i < API_ROUTE_COUNT; i++) {
        if (strchr(rows[i].doors, door_letters[door]) == NULL)
            continue;
        out[n] = all[i];
        out[n++].signed_in = door != DOOR_LOCAL && needs_right(rows[i].message);
    }
}

const struct route_family *
api_family(enum door door)
{
    static struct route tables[DOOR_COUNT][API_ROUTE_COUNT + 1];
    static struct route_family families[DOOR_COUNT];

    if (door_letters[door] == '\0')
        return NULL;
    if (families[door].table == NULL) {
        fill(door, tables[door]);
        families[door] = (struct route_family){
            .name = "api", .prefix = "/api/", .table = tables[door], .slash_strict = true};
    }
    return &families[door];
}
