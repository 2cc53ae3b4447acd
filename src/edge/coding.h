/* coding.h: may an answer to this request come packed, or as a page? */
#ifndef COMITY_EDGE_CODING_H
#define COMITY_EDGE_CODING_H

#include "edge/door.h"

/* Does it accept gzip (RFC 9110, section 12.5.3)? */
bool coding_takes_gzip(const struct request *request);
/* Does it name text/html among what it accepts, as browsers do (section 12.5.1)? */
bool coding_takes_html(const struct request *request);
enum coding_level { CODING_FAST = 1, CODING_USUAL = 6 };
/* BYTES as one gzip member, in place of what OUT holds. ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int coding_gzip(
    struct span bytes, enum coding_level level, struct buf *out, struct err *err);

#endif
