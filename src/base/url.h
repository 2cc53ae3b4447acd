/* url.h: how does this text stand in a URL? */
#ifndef COMITY_BASE_URL_H
#define COMITY_BASE_URL_H

#include "base/str.h"

/* Append TEXT as one segment, name or value: all but RFC 3986's unreserved characters is
 * percent-encoded. */
void url_add(struct buf *out, struct span text);

#endif
