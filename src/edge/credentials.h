/* credentials.h: what does a request show of who is behind it, and how is a session kept there?
 *
 * Found here, judged in core. Looked for in this order: Authorization (Basic, Bearer, or MISP's
 * bare key of 40 letters and digits), the session's cookie with X-CSRF-Token, the client's
 * certificate.
 */
#ifndef COMITY_EDGE_CREDENTIALS_H
#define COMITY_EDGE_CREDENTIALS_H

#include "edge/door.h"

/* The answer will set the session's cookie: HttpOnly, SameSite=Strict, Path=/, over TLS Secure and
 * with the prefix "__Host-"; it ends with the browser. SECRET is of letters that a cookie may
 * have. */
MUST_USE int credentials_set_session(struct request *request, struct span secret, struct err *err);
MUST_USE int credentials_end_session(struct request *request, struct err *err);

#endif
