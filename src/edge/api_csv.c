#include "edge/api_csv.h"

#include "base/url.h"
#include "fmt/csv_cell.h"
#include "fmt/json.h"

#include <stdlib.h>

enum { CSV_BYTES = 64 * 1024 * 1024, CELL_BYTES = 4 * 1024 * 1024 };

static const struct column {
    uint16_t route;
    const char *heading;
    const char *path;
} columns[] = {
#define COLUMN(route, heading, path) {API_##route, heading, path},
#include "tables/columns.def"
#undef COLUMN
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

/* ---- what does the client take? ---- */

/* A weight in thousandths (RFC 9110, 12.4.2). */
static unsigned
weight(struct span parameters)
{
    struct span parameter;

    while (span_next(&parameters, ';', &parameter)) {
        parameter = span_trim(parameter);
        if (parameter.n < 3 || (parameter.p[0] | 0x20) != 'q' || parameter.p[1] != '=')
            continue;
        unsigned value = parameter.p[2] == '1' ? 1000 : 0;
        unsigned unit = 100;
        for (size_t i = 4; i < parameter.n && i < 7 && value < 1000; i++, unit /= 10)
            value += (unsigned)((unsigned char)parameter.p[i] - '0') % 10 * unit;
        return value;
    }
    return 1000;
}

/* How much ACCEPT wants TYPE: by the most exact of the ranges that cover it. */
static unsigned
wants(struct span accept, struct span type)
{
    struct span item;
    unsigned best = 0;
    unsigned exact = 0;

    while (span_next(&accept, ',', &item)) {
        struct span range;
        size_t slash = (size_t)((const char *)memchr(type.p, '/', type.n) - type.p);
        unsigned how = 0;
        if (!span_next(&item, ';', &range))
            continue;
        range = span_trim(range);
        if (span_equal_nocase(range, type))
            how = 3;
        else if (range.n == slash + 2 && range.p[range.n - 1] == '*'
            && span_equal_nocase(
                (struct span){range.p, slash + 1}, (struct span){type.p, slash + 1}))
            how = 2;
        else if (span_equal(range, SPAN("*/*")))
            how = 1;
        if (how > exact) {
            exact = how;
            best = weight(item);
        }
    }
    return best;
}

static bool
has_columns(enum api_route route)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (columns[i].route == route)
            return true;
    return false;
}

int
api_csv_wanted(const struct request *request, enum api_route route, bool *wanted, struct err *err)
{
    struct span accept;

    *wanted = false;
    if (!request_header(request, "Accept", &accept) || span_trim(accept).n == 0)
        return 0;
    unsigned json = wants(accept, SPAN("application/json"));
    unsigned csv = has_columns(route) ? wants(accept, SPAN("text/csv")) : 0;
    *wanted = csv > json;
    if (json == 0 && csv == 0)
        return err_set_field(err, ERR_NOT_ACCEPTABLE, "Accept", 6,
            "the answer is application/json%s", has_columns(route) ? " or text/csv" : "");
    return 0;
}

/* ---- the text ---- */

/* An array of texts with spaces between; anything else as JSON. */
static void
flatten(struct json_value value, struct buf *cell)
{
    struct json_value item;
    struct span key;

    if (json_type(value) != JSON_ARRAY) {
        json_add_value(cell, value);
        return;
    }
    struct json_iter it = json_iter(value);
    while (json_next(&it, &key, &item)) {
        buf_add_text(cell, cell->n > 0 ? " " : "");
        if (json_type(item) == JSON_STRING)
            buf_add_span(cell, json_string(item));
        else
            json_add_value(cell, item);
    }
}

static bool
find(struct json_value item, const char *path, struct json_value *out)
{
    char name[64];

    *out = item;
    while (*path != '\0') {
        size_t n = strcspn(path, ".");
        if (n >= sizeof name)
            return false;
        memcpy(name, path, n);
        name[n] = '\0';
        if (json_type(*out) != JSON_OBJECT || !json_get(*out, name, out))
            return false;
        path += n + (path[n] == '.');
    }
    return json_type(*out) != JSON_NULL;
}

static void
add_row(struct buf *out, enum api_route route, struct json_value item, struct buf *cell)
{
    bool first = true;

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        struct json_value value;
        if (columns[i].route != route)
            continue;
        buf_add_text(out, first ? "" : ",");
        first = false;
        if (!find(item, columns[i].path, &value))
            continue;
        cell->n = 0;
        if (json_type(value) == JSON_STRING) {
            csv_cell_add(out, json_string(value), true);
            continue;
        }
        flatten(value, cell);
        csv_cell_add(out, buf_span(cell), json_type(value) == JSON_ARRAY);
    }
    buf_add_text(out, "\r\n");
}

static void
add_headings(struct buf *out, enum api_route route)
{
    bool first = true;

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (columns[i].route != route)
            continue;
        buf_add_text(out, first ? "" : ",");
        buf_add_text(out, columns[i].heading);
        first = false;
    }
    buf_add_text(out, "\r\n");
}

static int
write_rows(enum api_route route, struct json_value items, struct buf *out, struct err *err)
{
    struct buf cell = buf_new(CELL_BYTES);
    struct json_value item;
    struct span key;

    add_headings(out, route);
    if (json_type(items) == JSON_ARRAY) {
        struct json_iter it = json_iter(items);
        while (json_next(&it, &key, &item))
            add_row(out, route, item, &cell);
    }
    out->full = out->full || cell.full;
    buf_free(&cell);
    return buf_check(out, "the list as CSV", err);
}

int
api_csv_text(
    enum api_route route, struct span json, struct buf *out, struct span *next, struct err *err)
{
    static struct json *parser;
    struct json_value root;
    struct json_value value;

    if (parser == NULL)
        parser = json_new(CSV_BYTES);
    if (parser == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a JSON parser");
    int rc = json_parse_copy(parser, json, &root, err);
    if (rc != 0)
        return rc;
    *next = (struct span){NULL, 0};
    if (json_get(root, "next", &value) && json_type(value) == JSON_STRING)
        *next = json_string(value);
    if (!json_get(root, "items", &value))
        return err_set(err, ERR_INTERNAL, "the answer is no list");
    return write_rows(route, value, out, err);
}

static void
add_parameter(void *ctx, struct span name, struct span value)
{
    struct buf *link = ctx;

    if (span_equal(name, SPAN("next")))
        return;
    url_add(link, name);
    buf_add_char(link, '=');
    url_add(link, value);
    buf_add_char(link, '&');
}

/* The same request, to go on with. */
static int
add_link(struct request *request, struct span next, struct err *err)
{
    struct buf link = buf_new(16 * 1024);

    buf_add_text(&link, "<");
    buf_add_span(&link, request_path(request));
    buf_add_char(&link, '?');
    request_query_all(request, add_parameter, &link);
    buf_add_text(&link, "next=");
    url_add(&link, next);
    buf_add_text(&link, ">; rel=\"next\"");
    int rc = buf_check(&link, "a link", err);
    if (rc == 0)
        rc = request_add_header(request, "Link", buf_span(&link), err);
    buf_free(&link);
    return rc;
}

int
api_csv(struct request *request, enum api_route route, struct span json, struct buf *out,
    struct err *err)
{
    struct span next;

    *out = buf_new(CSV_BYTES);
    int rc = api_csv_text(route, json, out, &next, err);
    return rc == 0 && next.n > 0 ? add_link(request, next, err) : rc;
}
