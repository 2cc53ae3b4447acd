/* receipts_private.h: what do the files core/receipts*.c share?
 */
#ifndef COMITY_CORE_RECEIPTS_PRIVATE_H
#define COMITY_CORE_RECEIPTS_PRIVATE_H

#include "core/counts.h"
#include "core/logbook.h"
#include "core/receipts.h"

struct receipts {
    char name[NOTE_NAME_MAX + 1]; /* of the signer's key */
    struct note_signer signer;
    struct pace not_right;
};

/* One more of STAT for TEAM, in the open transaction. */
MUST_USE int receipts_count(
    struct core *core, enum stat stat, uint32_t team, int64_t now_us, struct err *err);

#endif
