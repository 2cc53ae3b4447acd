/* witness.h: may a witness cosign this checkpoint, and what does it answer?
 *
 * C2SP tlog-witness, `add-checkpoint`, both sides of it, as pure functions: no I/O, no clock, no
 * memory of what was cosigned. Who calls keeps the latest cosigned checkpoint of each log, and
 * between witness_judge and keeping the new one nobody else may do the same for that log.
 */
#ifndef COMITY_FMT_WITNESS_H
#define COMITY_FMT_WITNESS_H

#include "fmt/checkpoint.h"

enum { WITNESS_PROOF_MAX = 63, WITNESS_BODY_MAX = NOTE_BYTES_MAX + 4096 };

/* What a log asks. */
struct witness_request {
    uint64_t old_size;
    struct merkle_proof proof; /* from old_size to the checkpoint's size */
    struct note note;
    struct checkpoint checkpoint;
};
/* What is known of a log: the latest checkpoint that was cosigned. Zeroed: none was. */
struct witness_known {
    uint64_t size;
    struct merkle_hash root; /* of no meaning for size 0 */
};

/* Borrows from BODY. ERR_BAD_NOTE, ERR_LIMIT: the answer is 400. */
MUST_USE int witness_read(struct span body, struct witness_request *out, struct err *err);
/* CHECKPOINT: a whole note. ERR_LIMIT; ERR_BAD_VALUE: a longer proof than may be sent. */
MUST_USE int witness_ask(struct buf *out, uint64_t old_size, const struct merkle_proof *proof,
    struct span checkpoint, struct err *err);

/* The HTTP status: 200 (cosign, and keep the checkpoint before answering), 400 (the old size is
 * larger), 403 (no signature by one of KEYS, or a wrong one), 404 (COUNT is 0: the log is not
 * known), 409 (another old size is known: the answer tells it), 422 (not consistent). KEYS are
 * those of the log that the checkpoint's origin names. */
int witness_judge(const struct witness_request *request, const struct note_key *keys, size_t count,
    const struct witness_known *known);
/* The body of the answer: for 200 the cosignature, for 409 the size, for others why not. ERR_LIMIT.
 */
MUST_USE int witness_answer(struct buf *out, int status, const struct witness_request *request,
    const struct witness_known *known, const struct note_signer *signer, uint64_t time_s,
    struct err *err);

/* A log takes in an ANSWER of status 200: appends to OUT, which holds the note of the checkpoint,
 * the cosignatures by KEYS that are good; *TAKEN says how many. Others' are passed over;
 * ERR_BAD_NOTE: the answer is none, or one of KEYS' is wrong. */
MUST_USE int witness_take(struct buf *out, struct span answer, const struct note_key *keys,
    size_t count, size_t *taken, struct err *err);

#endif
