/* coding.h: may an answer to this request come packed? */
#ifndef COMITY_EDGE_CODING_H
#define COMITY_EDGE_CODING_H

#include "edge/door.h"

/* Does it accept gzip (RFC 9110, section 12.5.3)? */
bool coding_takes_gzip(const struct request *request);
/* BYTES as one gzip member, in place of what OUT holds. ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int coding_gzip(struct span bytes, struct buf *out, struct err *err);

#endif
