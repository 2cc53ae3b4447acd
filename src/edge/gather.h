/* gather.h: which deliveries are whole, of the pages that came so far?
 *
 * A delivery (its objects and the comity-batch object that closes them) may lie on several pages of
 * another node's collection; it is handed on as one, so that its root can be computed, and nothing
 * in it is parted from what it refers to. What waits for its end is bounded: nodes of this make
 * close a delivery before it is larger than an envelope. A delivery of which something was handed
 * on before its end, or passed over, loses its comity-batch: nobody can vouch for it as a whole.
 */
#ifndef COMITY_EDGE_GATHER_H
#define COMITY_EDGE_GATHER_H

#include "fmt/json.h"
#include "model/page.h"

enum {
    GATHER_PAGE_MAX = PAGE_OBJECT_MAX + 64 * 1024, /* bytes of a page */
    GATHER_BYTES_MAX = 2 * PAGE_BODY_MAX - 64,     /* of one page and what waited */
};

struct gather {
    struct buf objects; /* without white space, with commas between */
    size_t whole;       /* bytes up to the end of the last whole delivery */
    size_t item; /* up to the end of the last report, which stands behind what it refers to */
    bool more;   /* the newest page is not the last */
    bool parted; /* of the delivery that is open, something is not here */
};

void gather_init(struct gather *gather);
void gather_free(struct gather *gather);
/* Add the page BODY (TAXII 2.1, section 3.7) behind the others; JSON reads it. ERR_BAD_ANSWER: it
 * is none, or ends nothing and goes on nowhere; ERR_LIMIT. */
MUST_USE int gather_page(
    struct gather *gather, struct json *json, struct span body, struct err *err);
/* How many bytes can be handed on: whole deliveries; all, when no page follows; where more waits
 * than there is room for, up to the last report. */
size_t gather_ready(const struct gather *gather);
/* What is behind *AT_US is too large to be had: go on behind the one object that the manifest BODY
 * (TAXII 2.1, section 5.6.1) names, at whose date *AT_US is then. ERR_BAD_ANSWER: it names none. */
MUST_USE int gather_skip(
    struct gather *gather, struct json *json, struct span body, int64_t *at_us, struct err *err);
/* The first N bytes were handed on. */
void gather_drop(struct gather *gather, size_t n);

#endif
