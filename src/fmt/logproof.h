/* logproof.h: what does this file say stands where in which log?
 *
 * C2SP tlog-proof: an index, the way from that entry to the root, a checkpoint with its signatures,
 * and bytes of the application's own that nothing vouches for. Pure; nothing is checked here but
 * the form.
 */
#ifndef COMITY_FMT_LOGPROOF_H
#define COMITY_FMT_LOGPROOF_H

#include "fmt/checkpoint.h"

enum { LOGPROOF_BYTES_MAX = 2 * NOTE_BYTES_MAX, LOGPROOF_EXTRA_MAX = 512 << 10 };

struct logproof {
    struct span extra; /* base64; n 0: none */
    uint64_t index;
    struct merkle_proof path;
    struct span checkpoint; /* the whole note */
};

/* Borrows from TEXT. ERR_BAD_PROOF says what is wrong; ERR_LIMIT. */
MUST_USE int logproof_read(struct span text, struct logproof *out, struct err *err);
/* The application's own bytes. ERR_BAD_PROOF: no base64; ERR_LIMIT. */
MUST_USE int logproof_extra(const struct logproof *proof, struct buf *out, struct err *err);
/* EXTRA: bytes, n 0 for none; PROOF's own is not looked at. ERR_LIMIT. */
MUST_USE int logproof_write(
    struct buf *out, const struct logproof *proof, struct span extra, struct err *err);

#endif
