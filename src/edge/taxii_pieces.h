/* taxii_pieces.h: which bytes are the objects of this page?
 *
 * Core sends pieces packed, each once, and says which runs of their bytes the page is made of;
 * pieces that were unpacked lately are kept here, in bounded memory, and core is told so. Runs
 * are joined as they are: no JSON is parsed.
 */
#ifndef COMITY_EDGE_TAXII_PIECES_H
#define COMITY_EDGE_TAXII_PIECES_H

#include "model/page.h"

struct taxii_pieces;

/* Keeps at most MAX_BYTES of unpacked pieces, and always the one used last. NULL: no memory. */
struct taxii_pieces *taxii_pieces_new(size_t max_bytes);
void taxii_pieces_free(struct taxii_pieces *pieces);

/* The pieces that are there; *COUNT of them, at most PAGE_HELD_MAX. Borrowed until the next call.
 */
const uint64_t *taxii_pieces_held(const struct taxii_pieces *pieces, size_t *count);
size_t taxii_pieces_bytes(const struct taxii_pieces *pieces);

/* Append the page's objects to OUT, with commas between them. 1: a piece that was not sent is no
 * longer there (ask again and name none), OUT is as it was; ERR_INTERNAL: a piece is damaged;
 * ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int taxii_pieces_join(
    struct taxii_pieces *pieces, const struct page *page, struct buf *out, struct err *err);

#endif
