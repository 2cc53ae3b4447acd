/* pack.h: how do chunks become small, and whole again?
 *
 * zstd, one frame a chunk, with its checksum, its size in the frame, and a window that bounds what
 * reading it takes.
 */
#ifndef COMITY_STORE_PACK_H
#define COMITY_STORE_PACK_H

#include "base/mem.h"
#include "base/str.h"

enum { PACK_MAX_BYTES = 64 << 20 }; /* of one chunk, unpacked */

struct packer;
/* NULL when the machine is out of memory. */
struct packer *packer_new(void);
void packer_free(struct packer *packer);

/* RAW, packed, in place of what OUT holds. ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int pack(struct packer *packer, struct span raw, struct buf *out, struct err *err);
/* PACKED, which must become RAW_BYTES, in ARENA. ERR_BAD_STORE when it does not, ERR_LIMIT. */
MUST_USE int pack_open(struct packer *packer, struct arena *arena, struct span packed,
    size_t raw_bytes, struct span *out, struct err *err);

#endif
