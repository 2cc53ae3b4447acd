/* lines.h: what does the next line of this signed text say?
 *
 * Signed texts are lines that each end in a newline, and each fact has one spelling only:
 * two readers never take the same bytes for different things.
 */
#ifndef COMITY_FMT_LINES_H
#define COMITY_FMT_LINES_H

#include "base/merkle.h"

/* Takes the next line off REST, without its newline. False at the end or if it has no newline. */
bool lines_next(struct span *rest, struct span *line);
/* The next line if it begins with WORD and a space; OUT is what is behind. Nothing is taken
 * otherwise. */
bool lines_word(struct span *rest, const char *word, struct span *out);
/* Decimal without leading zeros, at most MERKLE_SIZE_MAX. */
bool lines_number(struct span text, uint64_t *out);
/* Base64 of 32 bytes. */
bool lines_hash(struct span text, struct merkle_hash *out);
/* All lines up to an empty one or the end of REST; both the empty line and END are left. False: a
 * line is no hash, or there are more than MAX. */
bool lines_hashes(struct span *rest, size_t max, struct merkle_proof *out);

void lines_add_hash(struct buf *out, const struct merkle_hash *hash);
void lines_add_hashes(struct buf *out, const struct merkle_proof *proof);

#endif
