/* fork.h: did this log sign two checkpoints that cannot both be of one history?
 *
 * The evidence is both notes and, where they are of different sizes, hashes from which both the
 * larger one's root follows and the root that its first entries have (base/merkle.h, prefix).
 * Nobody who has the log's key needs anything else (doc/ledger-format.md, "Two histories"). Pure.
 */
#ifndef COMITY_FMT_FORK_H
#define COMITY_FMT_FORK_H

#include "fmt/checkpoint.h"

enum { FORK_BYTES_MAX = 2 * NOTE_BYTES_MAX + 8192 };

struct fork {
    struct span notes[2];       /* whole, the smaller one first */
    struct merkle_proof prefix; /* from the smaller to the larger one; none: they are of one size */
};
struct fork_side {
    struct note note;
    struct checkpoint checkpoint;
};

/* Does TEXT begin as such evidence? */
bool fork_is(struct span text);
/* Appends. ERR_LIMIT. */
MUST_USE int fork_write(struct buf *out, const struct fork *fork, struct err *err);
/* Borrows from TEXT. ERR_BAD_PROOF says what is wrong; ERR_LIMIT. */
MUST_USE int fork_read(struct span text, struct fork *out, struct err *err);

/* Takes both notes apart; signatures are checkpoint_check's. ERR_BAD_NOTE; ERR_BAD_PROOF: they are
 * of different logs, or the sizes do not go with the hashes. */
MUST_USE int fork_sides(const struct fork *fork, struct fork_side sides[2], struct err *err);
/* What do they show, whoever signed them? */
enum fork_shown {
    FORK_TWO,   /* not of one history */
    FORK_ONE,   /* the larger one goes on from the smaller */
    FORK_LOOSE, /* the hashes do not give the larger one's root: they say nothing of it */
};
/* BEFORE: the root that as many entries of the larger one have as the smaller one is over. */
enum fork_shown fork_judge(
    const struct fork *fork, const struct fork_side sides[2], struct merkle_hash *before);

#endif
