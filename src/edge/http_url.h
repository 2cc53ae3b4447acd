/* http_url.h: is this an address that the courier may turn to?
 */
#ifndef COMITY_EDGE_HTTP_URL_H
#define COMITY_EDGE_HTTP_URL_H

#include "base/str.h"

enum { HTTP_URL_BYTES_MAX = 8000, HTTP_URL_HOST_BYTES = 253 };

struct http_url {
    struct span host; /* without brackets */
    uint16_t port;
    bool numeric; /* the host is an address */
    bool tls;
};

/* "https://HOST[:PORT][/...]"; with PLAIN also "http://", to an address of this machine. No user's
 * name, no fragment, no white space or bytes beyond ASCII. OUT (may be NULL) borrows. ERR_BAD_NAME.
 */
MUST_USE int http_url_check(struct span url, bool plain, struct http_url *out, struct err *err);
/* HOST, [HOST] or one with :PORT behind it, without any scheme: OUT's port stays what it is where
 * none is said. ERR_BAD_NAME. */
MUST_USE int http_url_authority(struct span authority, struct http_url *out, struct err *err);
/* "http://ADDRESS:PORT"? */
bool http_url_is_proxy(struct span url);

#endif
