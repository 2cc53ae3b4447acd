/* receipt.h: who says that which batch arrived?
 *
 * A signed note over batch, root of its items, their number and the time (doc/ledger-format.md).
 * Pure: no I/O, no clock.
 */
#ifndef COMITY_FMT_RECEIPT_H
#define COMITY_FMT_RECEIPT_H

#include "base/merkle.h"
#include "fmt/note.h"

enum { RECEIPT_BATCH_MAX = 255 };

struct receipt {
    struct span batch; /* its id */
    struct merkle_hash root;
    uint64_t count;
    int64_t time_us;
};

/* Does the text of a note begin as a receipt's? */
bool receipt_is(struct span text);
/* Append the note, signed by the recipient. ERR_BAD_NOTE: a batch's id that is none; ERR_LIMIT. */
MUST_USE int receipt_sign(struct buf *out, const struct receipt *receipt,
    const struct note_signer *signer, struct err *err);
/* The text of a note; borrows. Signatures are note_check's. ERR_BAD_NOTE. */
MUST_USE int receipt_read(struct span text, struct receipt *out, struct err *err);

#endif
