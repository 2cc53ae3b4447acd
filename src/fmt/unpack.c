#include "fmt/unpack.h"

#include <limits.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

/* A window of 128 MiB is what `zstd --long` makes; more would let a sender choose our memory. */
enum { ZSTD_WINDOW_LOG_MAX = 27, XZ_MEMORY_MAX = 192 * 1024 * 1024 };

struct unpack {
    enum unpack_kind kind;
    bool between; /* no stream is open: the end of the file is fine here */
    z_stream gzip;
    ZSTD_DStream *zstd;
    lzma_stream xz;
};

enum unpack_kind
unpack_recognise(struct span head)
{
    if (span_starts(head, SPAN("\x1f\x8b")))
        return UNPACK_GZIP;
    if (span_starts(head, SPAN("\x28\xb5\x2f\xfd")))
        return UNPACK_ZSTD;
    if (span_starts(head,
            SPAN("\xfd"
                 "7zXZ")))
        return UNPACK_XZ;
    return UNPACK_NONE;
}

static bool
start(struct unpack *unpack)
{
    switch (unpack->kind) {
    case UNPACK_GZIP:
        return inflateInit2(&unpack->gzip, 15 + 16) == Z_OK;
    case UNPACK_ZSTD:
        unpack->zstd = ZSTD_createDStream();
        return unpack->zstd != NULL
            && !ZSTD_isError(
                ZSTD_DCtx_setParameter(unpack->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX));
    case UNPACK_XZ:
        unpack->xz = (lzma_stream)LZMA_STREAM_INIT;
        return lzma_stream_decoder(&unpack->xz, XZ_MEMORY_MAX, LZMA_CONCATENATED) == LZMA_OK;
    case UNPACK_NONE:
        break;
    }
    return false;
}

struct unpack *
unpack_new(enum unpack_kind kind)
{
    struct unpack *unpack = calloc(1, sizeof *unpack);

    if (unpack == NULL)
        return NULL;
    unpack->kind = kind;
    if (!start(unpack)) {
        unpack_free(unpack);
        return NULL;
    }
    return unpack;
}

void
unpack_free(struct unpack *unpack)
{
    if (unpack == NULL)
        return;
    if (unpack->kind == UNPACK_GZIP)
        (void)inflateEnd(&unpack->gzip);
    (void)ZSTD_freeDStream(unpack->zstd);
    lzma_end(&unpack->xz);
    free(unpack);
}

static int
damaged(const char *what, const char *why, struct err *err)
{
    return err_set(
        err, ERR_DECOMPRESS, "the %s stream is damaged: %s", what, why == NULL ? "bad data" : why);
}

static int
run_gzip(
    struct unpack *unpack, struct span *in, char *out, size_t size, size_t *made, struct err *err)
{
    z_stream *z = &unpack->gzip;

    if (unpack->between && in->n > 0 && inflateReset(z) != Z_OK)
        return damaged("gzip", z->msg, err);
    z->next_in = (Bytef *)(uintptr_t)in->p;
    z->avail_in = (uInt)(in->n < UINT_MAX ? in->n : UINT_MAX);
    z->next_out = (Bytef *)out;
    z->avail_out = (uInt)(size < UINT_MAX ? size : UINT_MAX);
    unpack->between = false;
    int rc = inflate(z, Z_NO_FLUSH);
    *made = size - z->avail_out;
    *in =
        (struct span){(const char *)z->next_in, in->n - (size_t)((const char *)z->next_in - in->p)};
    if (rc == Z_STREAM_END) {
        unpack->between = true;
        return 0;
    }
    return rc == Z_OK || rc == Z_BUF_ERROR ? 0 : damaged("gzip", z->msg, err);
}

static int
run_zstd(
    struct unpack *unpack, struct span *in, char *out, size_t size, size_t *made, struct err *err)
{
    ZSTD_inBuffer from = {in->p, in->n, 0};
    ZSTD_outBuffer to = {out, size, 0};
    size_t rc = ZSTD_decompressStream(unpack->zstd, &to, &from);

    *made = to.pos;
    *in = (struct span){in->p + from.pos, in->n - from.pos};
    if (ZSTD_isError(rc))
        return damaged("zstd", ZSTD_getErrorName(rc), err);
    if (from.pos > 0 || to.pos > 0)
        unpack->between = rc == 0;
    return 0;
}

static int
run_xz(struct unpack *unpack, struct span *in, bool last, char *out, size_t size, size_t *made,
    struct err *err)
{
    lzma_stream *xz = &unpack->xz;

    xz->next_in = (const uint8_t *)in->p;
    xz->avail_in = in->n;
    xz->next_out = (uint8_t *)out;
    xz->avail_out = size;
    lzma_ret rc = lzma_code(xz, last ? LZMA_FINISH : LZMA_RUN);
    *made = size - xz->avail_out;
    *in = (struct span){(const char *)xz->next_in, xz->avail_in};
    unpack->between = rc == LZMA_STREAM_END;
    if (rc == LZMA_MEMLIMIT_ERROR)
        return err_set(
            err, ERR_BOMB, "the xz stream wants more than %d MiB of memory", XZ_MEMORY_MAX >> 20);
    return rc == LZMA_OK || rc == LZMA_STREAM_END || rc == LZMA_BUF_ERROR
        ? 0
        : damaged("xz", NULL, err);
}

int
unpack_run(struct unpack *unpack, struct span *in, bool last, char *out, size_t size, size_t *made,
    struct err *err)
{
    size_t before = in->n;
    int rc = 0;

    *made = 0;
    if (unpack->kind == UNPACK_GZIP && (in->n > 0 || !unpack->between))
        rc = run_gzip(unpack, in, out, size, made, err);
    else if (unpack->kind == UNPACK_ZSTD)
        rc = run_zstd(unpack, in, out, size, made, err);
    else if (unpack->kind == UNPACK_XZ && !unpack->between)
        rc = run_xz(unpack, in, last, out, size, made, err);
    if (rc == 0 && last && *made == 0 && in->n == before && !unpack->between)
        return err_set(err, ERR_TRUNCATED,
            "the compressed stream ends before its end: the file was cut short");
    return rc;
}
