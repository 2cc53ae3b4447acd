/* nodekey.h: from which seed do this node's keys follow?
 *
 * 32 random bytes in the data folder's `node.key`, as 64 hexadecimal digits that only their owner
 * can read. The keys of ledger, cosignatures and receipts follow from them (fmt/note.h), so whoever
 * has them can sign in the node's name.
 */
#ifndef COMITY_FLOW_NODEKEY_H
#define COMITY_FLOW_NODEKEY_H

#include "fmt/note.h"

/* HOME is the data folder. MAKE: one is made if none is there. OUT is to be wiped by the caller.
 * Errors: ERR_NOT_FOUND; ERR_BAD_SECRET when others may read the file, or it holds no seed; ERR_IO.
 */
MUST_USE int nodekey_read(
    const char *home, bool make, uint8_t out[NOTE_SEED_BYTES], struct err *err);

/* The name by which the key for USE goes: the log's is ORIGIN (core/logbook.h), the others are
 * called beside it. OUT has NOTE_NAME_MAX + 1 bytes. */
void nodekey_name(struct span origin, enum note_use use, char *out);

#endif
