#include "edge/console.h"

#include "edge/coding.h"
#include "edge/console_files.h"

#include <string.h>

/* Scripts, styles and connections of this node alone; nothing inline, no frames, no plugins, and no
 * way for text to become script. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

static const struct console_file *
find(struct span path)
{
    for (const struct console_file *file = console_files; file->path != NULL; file++)
        if (span_equal(path, span_of(file->path)))
            return file;
    return NULL;
}

static int
add_headers(struct request *request, bool packed, struct err *err)
{
    int rc = request_add_header(request, "Vary", SPAN("Accept-Encoding"), err);

    if (rc == 0)
        rc = request_add_header(request, "Content-Security-Policy", span_of(policy), err);
    if (rc == 0 && packed)
        rc = request_add_header(request, "Content-Encoding", SPAN("gzip"), err);
    return rc;
}

static int
add_age(struct request *request, const struct console_file *file, bool packed, bool kept,
    struct err *err)
{
    struct buf tag = buf_new(64);
    const char *cache = kept ? "public, max-age=31536000, immutable" : "no-cache";

    buf_format(&tag, "\"%s%s\"", file->tag, packed ? "-gzip" : "");
    int rc = request_add_header(request, "ETag", buf_span(&tag), err);
    buf_free(&tag);
    return rc != 0 ? rc : request_add_header(request, "Cache-Control", span_of(cache), err);
}

static int
serve(struct request *request, const struct console_file *file, bool kept, struct err *err)
{
    bool packed = file->packed.n > 0 && coding_takes_gzip(request);
    struct span known;
    int rc = add_headers(request, packed, err);

    if (rc == 0)
        rc = add_age(request, file, packed, kept, err);
    if (rc != 0)
        return rc;
    if (request_header(request, "If-None-Match", &known)
        && memmem(known.p, known.n, file->tag, strlen(file->tag)) != NULL)
        return request_answer(request, 304, NULL, (struct span){NULL, 0}, err);
    return request_answer(request, 200, file->type, packed ? file->packed : file->plain, err);
}

static int
page(struct request *request, struct err *err)
{
    const struct console_file *file = find(SPAN("index.html"));

    if (file == NULL)
        return err_set(err, ERR_NOT_FOUND,
            "this program was built without the console, as npm could not be reached then; the API "
            "is at /api/v1/openapi.json");
    return serve(request, file, false, err);
}

static int
asset(struct request *request, struct err *err)
{
    struct span name = request_segment(request, "name");
    const struct console_file *file = find(name);

    if (file == NULL || span_equal(name, SPAN("index.html")))
        return err_set(err, ERR_NOT_FOUND, "the console has no such file (any more)");
    return serve(request, file, true, err);
}

static int
entry(struct request *request, struct err *err)
{
    struct span number = request_segment(request, "entry");

    for (size_t i = 0; i < number.n; i++)
        if (number.p[i] < '0' || number.p[i] > '9')
            return err_set(err, ERR_NOT_FOUND, "an entry of the ledger is named by its number");
    return page(request, err);
}

/* Who came with a browser to a path that no page has, or none can be read from, gets the page that
 * says so (src/web/pages/lost.js). */
static int
refuse(struct request *request, unsigned status, const struct err *why, struct err *err)
{
    const struct console_file *file = find(SPAN("index.html"));
    struct span method = request_method(request);
    bool reads = span_equal(method, SPAN("GET")) || span_equal(method, SPAN("HEAD"));

    if (file == NULL || !reads || (status != 404 && status != 400) || !coding_takes_html(request))
        return problem_answer(request, status, why, err);
    bool packed = file->packed.n > 0 && coding_takes_gzip(request);
    int rc = add_headers(request, packed, err);
    if (rc != 0)
        return rc;
    return request_answer(request, status, file->type, packed ? file->packed : file->plain, err);
}

static const struct route files[] = {
    {"GET", "/assets/{*name}", BODY_NONE, 0, false, asset},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};

/* Which page it is, the browser's side reads from the path: src/web/app.js. */
static const struct route routes[] = {
    {"GET", "/", BODY_NONE, 0, false, page},
    {"GET", "/reports", BODY_NONE, 0, false, page},
    {"GET", "/reports/{id}", BODY_NONE, 0, false, page},
    {"GET", "/held", BODY_NONE, 0, false, page},
    {"GET", "/teams", BODY_NONE, 0, false, page},
    {"GET", "/teams/{id}", BODY_NONE, 0, false, page},
    {"GET", "/teams/{id}/waiting", BODY_NONE, 0, false, page},
    {"GET", "/teams/{id}/card", BODY_NONE, 0, false, page},
    {"GET", "/agreements", BODY_NONE, 0, false, page},
    {"GET", "/agreements/{id}", BODY_NONE, 0, false, page},
    {"GET", "/partners", BODY_NONE, 0, false, page},
    {"GET", "/partners/{team}", BODY_NONE, 0, false, page},
    {"GET", "/receipts", BODY_NONE, 0, false, page},
    {"GET", "/ledger", BODY_NONE, 0, false, page},
    {"GET", "/ledger/proof", BODY_NONE, 0, false, page},
    {"GET", "/ledger/{entry}", BODY_NONE, 0, false, entry},
    {"GET", "/economies", BODY_NONE, 0, false, page},
    {"GET", "/economies/{code}", BODY_NONE, 0, false, page},
    {"GET", "/operations", BODY_NONE, 0, false, page},
    {"GET", "/operations/log", BODY_NONE, 0, false, page},
    {"GET", "/operations/mail", BODY_NONE, 0, false, page},
    {"GET", "/operations/figures", BODY_NONE, 0, false, page},
    {"GET", "/account", BODY_NONE, 0, false, page},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};

const struct route_family console_files_family = {"console", "/assets/", files, NULL, false};
const struct route_family console_family = {"console", "/", routes, refuse, false};
