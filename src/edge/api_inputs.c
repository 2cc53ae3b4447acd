#include "edge/api.h"
#include "edge/api_value.h"

#include "base/wire.h"

#include <stdlib.h>

enum { BODY_BYTES = 128 * 1024 };

static const struct api_input rows[] = {
#define INPUT(route, name, place, type, most, required, text)                                      \
    {API_##route, API_IN_##place, API_TYPE_##type, required, name, most},
#include "tables/inputs.def"
#undef INPUT
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

/* What is gathered for one request: texts of the query and members of the body, by their rows. */
struct gathered {
    enum api_route route;
    struct api_given given[ROW_COUNT];
    int rc;
    struct err *err;
};

static int
find_row(enum api_route route, enum api_place place, struct span name)
{
    for (int i = 0; i < ROW_COUNT; i++)
        if (rows[i].route == route && rows[i].place == place
            && span_equal(span_of(rows[i].name), name))
            return i;
    return -1;
}

/* "address, name, team": what would have been right. */
static void
add_names(struct buf *out, enum api_route route, enum api_place place)
{
    bool any = false;

    for (int i = 0; i < ROW_COUNT; i++) {
        if (rows[i].route != route || rows[i].place != place)
            continue;
        buf_add_text(out, any ? ", " : "");
        buf_add_text(out, rows[i].name);
        any = true;
    }
    if (!any)
        buf_add_text(out, "none");
}

static int
unknown(enum api_route route, enum api_place place, struct span name, struct err *err)
{
    struct buf names = buf_new(1024);

    add_names(&names, route, place);
    int rc =
        err_set_field(err, ERR_UNKNOWN_FIELD, name.p, name.n, "no %s \"%.*s\"; there are: %.*s",
            place == API_IN_QUERY ? "parameter" : "member", SPAN_ARGS(name), (int)names.n, names.p);
    buf_free(&names);
    return rc;
}

static void
take(struct gathered *g, enum api_place place, struct span name, struct api_given given)
{
    int row = find_row(g->route, place, name);

    if (g->rc != 0)
        return;
    if (row < 0)
        g->rc = unknown(g->route, place, name, g->err);
    else if (g->given[row].is)
        g->rc =
            err_set_field(g->err, ERR_DUPLICATE_KEY, name.p, name.n, "given twice; once is enough");
    else
        g->given[row] = given;
}

static void
take_query(void *ctx, struct span name, struct span value)
{
    take(ctx, API_IN_QUERY, name, (struct api_given){.is = true, .text = value});
}

/* One parser for all requests of this process: they come one after the other. */
static int
parser(struct json **out, struct err *err)
{
    static struct json *one;

    if (one == NULL)
        one = json_new(BODY_BYTES);
    *out = one;
    return one != NULL ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for a JSON parser");
}

static bool
has_body(enum api_route route)
{
    for (int i = 0; i < ROW_COUNT; i++)
        if (rows[i].route == route && rows[i].place == API_IN_BODY)
            return true;
    return false;
}

static int
check_media(const struct request *request, struct err *err)
{
    struct span type;

    if (request_header(request, "Content-Type", &type)) {
        struct span first = {NULL, 0};
        (void)span_next(&type, ';', &first);
        if (span_equal_nocase(span_trim(first), SPAN("application/json")))
            return 0;
    }
    return err_set_field(err, ERR_BAD_MEDIA_TYPE, "Content-Type", 12,
        "the body is read as JSON only: Content-Type: application/json");
}

static int
take_body(const struct request *request, struct gathered *g, struct err *err)
{
    struct json *json;
    struct json_value root;
    struct json_value value;
    struct span key;

    int rc = check_media(request, err);
    if (rc == 0)
        rc = parser(&json, err);
    if (rc == 0)
        rc = json_parse_copy(json, request_body(request), &root, err);
    if (rc != 0)
        return rc;
    if (json_type(root) != JSON_OBJECT)
        return err_set(err, ERR_BAD_TYPE, "the body must be a JSON object");
    struct json_iter it = json_iter(root);
    while (g->rc == 0 && json_next(&it, &key, &value))
        take(g, API_IN_BODY, key, (struct api_given){.is = true, .json = true, .value = value});
    return g->rc;
}

static int
encode(const struct request *request, const struct gathered *g, struct buf *out, struct err *err)
{
    for (int i = 0; i < ROW_COUNT; i++) {
        struct api_given given = g->given[i];
        if (rows[i].route != g->route)
            continue;
        if (rows[i].place == API_IN_PATH)
            given = (struct api_given){.is = true, .text = request_segment(request, rows[i].name)};
        int rc = api_value(&rows[i], &given, out, err);
        if (rc != 0)
            return rc;
    }
    return buf_check(out, "the request", err);
}

int
api_inputs(const struct request *request, enum api_route route, struct buf *out, struct err *err)
{
    struct gathered g = {.route = route, .err = err};

    request_query_all(request, take_query, &g);
    if (g.rc != 0)
        return g.rc;
    if (has_body(route)) {
        int rc = take_body(request, &g, err);
        if (rc != 0)
            return rc;
    }
    return encode(request, &g, out, err);
}
