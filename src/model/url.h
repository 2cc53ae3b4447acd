/* url.h: what stands where in this URL?
 *
 * RFC 3986 section 3, as far as it matters for who is meant by a URL and what may be told of it.
 * Feeds send what they saw, so nothing is refused but text without "://".
 */
#ifndef COMITY_MODEL_URL_H
#define COMITY_MODEL_URL_H

#include "base/str.h"

struct url {
    struct span scheme; /* with "://" */
    struct span login;  /* with '@'; n 0: none */
    struct span host;   /* without port; with brackets, if it has them */
    struct span rest;   /* from the port on */
};

/* Parts borrow from TEXT. A backslash ends the host as browsers have it. False: no scheme. */
bool url_split(struct span text, struct url *out);
/* Is this host an IP address? Unusual ways to write one (hexadecimal, one number, too many zeros)
 * count, since programs follow them. */
bool url_host_is_address(struct span host);

#endif
