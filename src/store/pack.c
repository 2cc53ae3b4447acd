#include "store/pack.h"

#include <stdlib.h>
#include <zstd.h>

/* Level 1 packs reports to about a fifth; higher levels cost several times as much for a tenth. */
enum { LEVEL = 1, WINDOW_LOG = 20 };

struct packer {
    ZSTD_CCtx *out;
    ZSTD_DCtx *in;
};

struct packer *
packer_new(void)
{
    struct packer *packer = calloc(1, sizeof *packer);

    if (packer == NULL)
        return NULL;
    packer->out = ZSTD_createCCtx();
    packer->in = ZSTD_createDCtx();
    if (packer->out == NULL || packer->in == NULL
        || ZSTD_isError(ZSTD_CCtx_setParameter(packer->out, ZSTD_c_compressionLevel, LEVEL))
        || ZSTD_isError(ZSTD_CCtx_setParameter(packer->out, ZSTD_c_windowLog, WINDOW_LOG))
        || ZSTD_isError(ZSTD_CCtx_setParameter(packer->out, ZSTD_c_checksumFlag, 1))) {
        packer_free(packer);
        return NULL;
    }
    return packer;
}

void
packer_free(struct packer *packer)
{
    if (packer == NULL)
        return;
    ZSTD_freeCCtx(packer->out);
    ZSTD_freeDCtx(packer->in);
    free(packer);
}

int
pack(struct packer *packer, struct span raw, struct buf *out, struct err *err)
{
    if (raw.n > PACK_MAX_BYTES)
        return err_set(
            err, ERR_LIMIT, "a chunk of %zu bytes; at most %d", raw.n, (int)PACK_MAX_BYTES);
    size_t room = ZSTD_compressBound(raw.n);
    out->n = 0;
    out->full = false;
    char *p = buf_reserve(out, room);
    if (p == NULL)
        return buf_check(out, "a chunk", err);
    size_t n = ZSTD_compress2(packer->out, p, room, raw.n == 0 ? "" : raw.p, raw.n);
    if (ZSTD_isError(n))
        return err_set(err, ERR_NO_MEMORY, "a chunk cannot be packed: %s", ZSTD_getErrorName(n));
    out->n = n;
    return 0;
}

int
pack_open(struct packer *packer, struct arena *arena, struct span packed, size_t raw_bytes,
    struct span *out, struct err *err)
{
    if (raw_bytes > PACK_MAX_BYTES)
        return err_set(err, ERR_BAD_STORE, "a chunk says that it has %zu bytes", raw_bytes);
    char *p = arena_alloc(arena, raw_bytes + 1);
    if (p == NULL)
        return arena_full(err, "a chunk is unpacked");
    size_t n = ZSTD_decompressDCtx(packer->in, p, raw_bytes, packed.p, packed.n);
    if (ZSTD_isError(n))
        return err_set(err, ERR_BAD_STORE, "a chunk is damaged: %s", ZSTD_getErrorName(n));
    if (n != raw_bytes)
        return err_set(err, ERR_BAD_STORE, "a chunk has %zu bytes instead of %zu", n, raw_bytes);
    p[n] = '\0';
    *out = (struct span){p, n};
    return 0;
}
