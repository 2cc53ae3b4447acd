/* unpacked.h: which reports are in this batch of the store, and what was decided of them? */
#ifndef COMITY_CORE_UNPACKED_H
#define COMITY_CORE_UNPACKED_H

#include "core/outcome.h"
#include "core/state.h"

/* A batch, unpacked. */
struct unpacked {
    struct store_batch row;
    struct outcomes outcomes;
    struct span *records; /* by place */
    struct id_batch ids;
    uint64_t number;
};

/* All of OUT lives in ARENA, which is emptied first. ERR_NOT_FOUND, ERR_BAD_STORE, ERR_LIMIT. */
MUST_USE int unpacked_read(
    struct core *core, struct arena *arena, uint64_t number, struct unpacked *out, struct err *err);

#endif
