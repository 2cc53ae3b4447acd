/* taxii_pieces.h: which bytes are the objects of this page?
 *
 * Core says of which runs of which pieces the page is made, and sends the pieces packed if it is
 * asked to; those that were unpacked lately are kept here, in bounded memory. Runs are joined as
 * they are: no JSON is parsed.
 */
#ifndef COMITY_EDGE_TAXII_PIECES_H
#define COMITY_EDGE_TAXII_PIECES_H

#include "model/page.h"

struct taxii_pieces;

/* Keeps at most MAX_BYTES of unpacked pieces, and always the one used last. NULL: no memory. */
struct taxii_pieces *taxii_pieces_new(size_t max_bytes);
void taxii_pieces_free(struct taxii_pieces *pieces);

/* Of the pieces that are there; PIECES may be NULL, here and below. */
size_t taxii_pieces_bytes(const struct taxii_pieces *pieces);
/* Asked now and then: if nobody has joined anything since the last time, all are given back. */
void taxii_pieces_rest(struct taxii_pieces *pieces);

/* Append the page's objects to OUT, with commas between them. 1: a piece that was not sent is not
 * there (ask again, with bodies), OUT is as it was; ERR_INTERNAL: a piece is damaged;
 * ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int taxii_pieces_join(
    struct taxii_pieces *pieces, const struct page *page, struct buf *out, struct err *err);

#endif
