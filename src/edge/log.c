#include "edge/log.h"

#include "base/tile.h"
#include "edge/ask.h"
#include "edge/coding.h"

enum { PATH_BYTES = 2 * TILE_PATH_BYTES };

/* What was asked for. */
struct fetch {
    bool tile;
    bool gzip;
};

static int
add_headers(struct request *request, const struct fetch *fetch, struct err *err)
{
    int rc = request_add_header(request, "Cache-Control",
        fetch->tile ? SPAN("public, max-age=31536000, immutable") : SPAN("no-cache"), err);

    if (rc == 0 && fetch->gzip)
        rc = request_add_header(request, "Content-Encoding", SPAN("gzip"), err);
    return rc == 0 && fetch->tile
        ? request_add_header(request, "Vary", SPAN("Accept-Encoding"), err)
        : rc;
}

static int
told(struct request *request, void *ctx, struct span body, struct err *err)
{
    const struct fetch *fetch = ctx;
    const char *type = fetch->tile ? "application/octet-stream" : "text/plain; charset=utf-8";
    struct buf packed = buf_new(TILE_BUNDLE_MAX + TILE_BUNDLE_MAX / 8);
    int rc = fetch->gzip ? coding_gzip(body, CODING_USUAL, &packed, err) : 0;

    if (rc == 0)
        rc = add_headers(request, fetch, err);
    if (rc == 0)
        rc = request_answer(request, 200, type, fetch->gzip ? buf_span(&packed) : body, err);
    buf_free(&packed);
    return rc;
}

/* Asked as whoever it is: it is the same for everybody. */
static int
fetch(struct request *request, struct span path, const struct tile *tile, struct err *err)
{
    struct fetch *fetch = arena_zalloc(request_arena(request), 1, sizeof *fetch);
    struct buf question = buf_new(PATH_BYTES);

    if (fetch == NULL)
        return arena_full(err, "a request");
    *fetch = (struct fetch){
        .tile = tile != NULL, .gzip = tile != NULL && tile->entries && coding_takes_gzip(request)};
    wire_add_text(&question, path);
    int rc = ask_whole(request, MESSAGE_LOG, buf_span(&question), told, fetch, err);
    buf_free(&question);
    return rc;
}

static int
get_checkpoint(struct request *request, struct err *err)
{
    return fetch(request, SPAN("checkpoint"), NULL, err);
}

static int
get_cosigned(struct request *request, struct err *err)
{
    return fetch(request, SPAN("cosigned"), NULL, err);
}

static int
get_tile(struct request *request, struct err *err)
{
    static const char prefix[] = "/log/";
    struct span path = request_path(request);
    struct tile tile;

    path = (struct span){path.p + sizeof prefix - 1, path.n - (sizeof prefix - 1)};
    if (!tile_parse(path, &tile))
        return err_set(err, ERR_NOT_FOUND, "a log has no such resource");
    return fetch(request, path, &tile, err);
}

static const struct route routes[] = {
    {"GET", "/log/checkpoint", BODY_NONE, 0, false, get_checkpoint},
    {"GET", "/log/cosigned", BODY_NONE, 0, false, get_cosigned},
    {"GET", "/log/tile/{*rest}", BODY_NONE, 0, false, get_tile},
    {NULL, NULL, BODY_NONE, 0, false, NULL},
};
const struct route_family log_family = {"log", "/log/", routes, NULL, true};
