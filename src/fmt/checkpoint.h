/* checkpoint.h: how large was this log, and which root did it have?
 *
 * The text of a checkpoint (C2SP tlog-checkpoint): origin, size, root, and lines that others may
 * add. Pure.
 */
#ifndef COMITY_FMT_CHECKPOINT_H
#define COMITY_FMT_CHECKPOINT_H

#include "base/merkle.h"
#include "fmt/note.h"

struct checkpoint {
    struct span origin;
    uint64_t size;
    struct merkle_hash root;
    struct span extensions; /* whole lines; n 0: none */
};

/* TEXT is a note's text. ERR_BAD_NOTE says what is wrong. */
MUST_USE int checkpoint_read(struct span text, struct checkpoint *out, struct err *err);
/* A note that holds one. */
MUST_USE int checkpoint_read_note(
    struct span bytes, struct note *note, struct checkpoint *out, struct err *err);
/* Did KEY sign NOTE, which holds CHECKPOINT, for the log? A log's key goes by the log's name: what
 * the key of another log signed says nothing here. */
enum note_found checkpoint_check(
    const struct note *note, const struct checkpoint *checkpoint, const struct note_key *key);
void checkpoint_add(struct buf *out, const struct checkpoint *checkpoint);
/* The whole note, signed by the log. ERR_LIMIT, ERR_BAD_NOTE (an origin that is none). */
MUST_USE int checkpoint_sign(struct buf *out, const struct checkpoint *checkpoint,
    const struct note_signer *signer, struct err *err);
/* Append to OUT, which holds the note of a checkpoint, SIGNER's cosignature. */
MUST_USE int checkpoint_cosign(struct buf *out, struct span text, const struct note_signer *signer,
    uint64_t time_s, struct err *err);

#endif
