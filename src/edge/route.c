#include "edge/front_private.h"

#include <stdlib.h>

/* ---- the target ---- */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986, section 2.1; PLUS_IS_SPACE in queries, as forms write them. */
static int
decode(struct arena *arena, struct span text, bool plus_is_space, struct span *out, struct err *err)
{
    char *to = arena_alloc(arena, text.n + 1);
    size_t n = 0;

    if (to == NULL)
        return arena_full(err, "decoding a URL");
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            int high = text.n - i > 2 ? hex_digit(text.p[i + 1]) : -1;
            int low = text.n - i > 2 ? hex_digit(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return err_set(err, ERR_BAD_VALUE, "the URL has a \"%%\" without two hex digits");
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0')
            return err_set(err, ERR_NUL_BYTE, "the URL holds a NUL");
        to[n++] = c;
    }
    to[n] = '\0';
    *out = (struct span){to, n};
    if (!span_is_utf8(*out))
        return err_set(err, ERR_BAD_UTF8, "the URL is not UTF-8 when decoded");
    return 0;
}

static size_t
count_of(struct span text, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == c;
    return n;
}

static int
parse_parameters(struct request *request, struct span query, struct err *err)
{
    size_t room = count_of(query, '&') + 1;
    struct span part;

    if (room > REQUEST_PARAMETERS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d parameters", REQUEST_PARAMETERS_MAX);
    request->parameters = arena_zalloc(request->arena, room, sizeof *request->parameters);
    if (request->parameters == NULL)
        return arena_full(err, "reading the query");
    while (span_next(&query, '&', &part)) {
        const char *equal = part.n == 0 ? NULL : memchr(part.p, '=', part.n);
        struct pair *pair = &request->parameters[request->parameter_count];
        struct span name = {part.p, equal == NULL ? part.n : (size_t)(equal - part.p)};
        struct span value = {part.p + part.n, 0};
        if (part.n == 0)
            continue;
        if (equal != NULL)
            value = (struct span){equal + 1, part.n - name.n - 1};
        int rc = decode(request->arena, name, true, &pair->name, err);
        if (rc == 0)
            rc = decode(request->arena, value, true, &pair->value, err);
        if (rc != 0)
            return rc;
        request->parameter_count++;
    }
    return 0;
}

int
route_parse_target(struct request *request, struct err *err)
{
    struct span target = request->target;
    const char *mark = memchr(target.p, '?', target.n);

    request->path = (struct span){target.p, mark == NULL ? target.n : (size_t)(mark - target.p)};
    if (mark == NULL || mark + 1 == target.p + target.n)
        return 0;
    return parse_parameters(request, (struct span){mark + 1, target.n - request->path.n - 1}, err);
}

/* ---- routes ---- */

static size_t
count_routes(const struct route_family *const *families)
{
    size_t n = 0;

    for (; *families != NULL; families++)
        for (const struct route *route = (*families)->table; route->method != NULL; route++)
            n++;
    return n;
}

int
route_compile(struct front *front, struct err *err)
{
    front->routes = calloc(count_routes(front->settings.families) + 1, sizeof *front->routes);
    if (front->routes == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for routes");
    for (const struct route_family *const *family = front->settings.families; *family != NULL;
         family++)
        for (const struct route *route = (*family)->table; route->method != NULL; route++)
            front->routes[front->route_count++] =
                (struct compiled_route){route, *family, {route->path, strcspn(route->path, "{")}};
    return 0;
}

/* One "{name}" of PATTERN takes what PATH has up to the next slash. */
static bool
take_segment(struct request *request, struct span *pattern, struct span *path)
{
    const char *close = memchr(pattern->p, '}', pattern->n);
    bool rest = pattern->p[1] == '*';
    size_t skip = rest ? 2 : 1;
    const char *slash = memchr(path->p, '/', path->n);
    size_t n = rest || slash == NULL ? path->n : (size_t)(slash - path->p);

    if (close == NULL || (n == 0 && !rest) || request->segment_count == REQUEST_SEGMENTS_MAX)
        return false;
    request->segments[request->segment_count++] =
        (struct pair){{pattern->p + skip, (size_t)(close - pattern->p) - skip}, {path->p, n}};
    *path = (struct span){path->p + n, path->n - n};
    *pattern = (struct span){close + 1, pattern->n - (size_t)(close + 1 - pattern->p)};
    return true;
}

static bool
fits(struct request *request, const struct compiled_route *at, struct span path)
{
    struct span pattern = span_of(at->route->path + at->prefix.n);

    if (!span_starts(path, at->prefix))
        return false;
    path = (struct span){path.p + at->prefix.n, path.n - at->prefix.n};
    request->segment_count = 0;
    while (pattern.n > 0) {
        if (pattern.p[0] == '{') {
            if (!take_segment(request, &pattern, &path))
                return false;
        } else if (path.n > 0 && path.p[0] == pattern.p[0]) {
            path = (struct span){path.p + 1, path.n - 1};
            pattern = (struct span){pattern.p + 1, pattern.n - 1};
        } else {
            return false;
        }
    }
    return path.n == 0;
}

static bool
fits_path(struct request *request, const struct compiled_route *at)
{
    struct span path = request->path;
    size_t n = strlen(at->route->path);
    bool slashed = n > 1 && at->route->path[n - 1] == '/';

    if (fits(request, at, path))
        return true;
    if (at->family->slash_strict || path.n < 2)
        return false;
    if (path.p[path.n - 1] == '/')
        return !slashed && fits(request, at, (struct span){path.p, path.n - 1});
    if (!slashed)
        return false;
    char *with = arena_alloc(request->arena, path.n + 1);
    if (with == NULL)
        return false;
    memcpy(with, path.p, path.n);
    with[path.n] = '/';
    return fits(request, at, (struct span){with, path.n + 1});
}

static bool
fits_method(const struct request *request, const struct route *route)
{
    return strcmp(request->method, route->method) == 0
        || (strcmp(request->method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* The methods that PATH has, for Allow. */
static int
allowed_methods(struct request *request, struct buf *out)
{
    int count = 0;

    for (size_t i = 0; i < request->front->route_count; i++) {
        const struct compiled_route *at = &request->front->routes[i];
        if (!fits_path(request, at))
            continue;
        if (request->family == NULL)
            request->family = at->family;
        buf_add_text(out, count++ == 0 ? "" : ", ");
        buf_add_text(out, at->route->method);
        if (strcmp(at->route->method, "GET") == 0)
            buf_add_text(out, ", HEAD");
    }
    return count;
}

static struct span
first_segment(struct span path)
{
    const char *slash = path.n < 2 ? NULL : memchr(path.p + 1, '/', path.n - 1);

    return (struct span){path.p, slash == NULL ? path.n : (size_t)(slash - path.p)};
}

static bool
shares_segment(const struct request *request, const struct route_family *family)
{
    struct span first = first_segment(request->path);

    for (const struct route *route = family->table; route->method != NULL; route++)
        if (span_equal(first, first_segment(span_of(route->path))))
            return true;
    return false;
}

/* Whose form has the error about a path that nobody serves? */
static const struct route_family *
family_of(const struct request *request)
{
    const struct route_family *all_else = NULL;
    bool shared = false;

    for (const struct route_family *const *family = request->front->settings.families;
         *family != NULL; family++) {
        const char *prefix = (*family)->prefix;
        if (prefix != NULL && strcmp(prefix, "/") == 0)
            all_else = *family;
        else if (prefix != NULL && span_starts(request->path, span_of(prefix)))
            return *family;
        else
            shared = shared || shares_segment(request, *family);
    }
    return shared ? NULL : all_else;
}

static void
refuse_path(struct request *request)
{
    struct buf methods = buf_new(256);
    struct err err = {0};

    request->segment_count = 0;
    if (allowed_methods(request, &methods) == 0) {
        request->family = family_of(request);
        (void)err_set(&err, ERR_NOT_FOUND, "nothing is at %.*s", SPAN_ARGS(request->path));
    } else {
        (void)err_set(&err, ERR_BAD_METHOD, "%s cannot be done at %.*s, only %.*s", request->method,
            SPAN_ARGS(request->path), SPAN_ARGS(buf_span(&methods)));
        struct err ignored = {0};
        (void)!request_add_header(request, "Allow", buf_span(&methods), &ignored);
    }
    buf_free(&methods);
    request_refuse(request, &err);
}

bool
route_find(struct request *request)
{
    struct err err = {0};

    for (size_t i = 0; i < request->front->route_count; i++) {
        const struct compiled_route *at = &request->front->routes[i];
        if (!fits_method(request, at->route) || !fits_path(request, at))
            continue;
        request->route = at->route;
        request->family = at->family;
        for (size_t j = 0; j < request->segment_count; j++)
            if (decode(request->arena, request->segments[j].value, false,
                    &request->segments[j].value, &err)
                != 0)
                return request_refuse(request, &err), false;
        return true;
    }
    refuse_path(request);
    return false;
}
