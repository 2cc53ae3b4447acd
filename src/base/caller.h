/* caller.h: who asks, as the front found it in a request?
 *
 * The front finds credentials, core judges them: it trusts nothing here but the bytes. Every
 * question's body begins with this.
 */
#ifndef COMITY_BASE_CALLER_H
#define COMITY_BASE_CALLER_H

#include "base/wire.h"

enum caller_scheme {
    CALLER_NOBODY,
    CALLER_PASSWORD,    /* user, secret: HTTP Basic */
    CALLER_TOKEN,       /* secret: HTTP Bearer, or MISP's bare Authorization */
    CALLER_SESSION,     /* secret: the cookie; proof: X-CSRF-Token */
    CALLER_CERTIFICATE, /* secret: SHA-256 of the client's certificate, hex; TLS has checked that it
                           holds the key */
    CALLER_LINK,        /* user: the team of a link, at the courier's door alone */
};

struct caller {
    uint8_t scheme; /* enum caller_scheme */
    struct span user;
    struct span secret;
    struct span proof; /* n 0: none given */
    struct span peer;  /* the other end's address, for limits and the log */
};

void caller_add(struct buf *out, const struct caller *caller);
/* Borrows from IN. */
void caller_take(struct wire_in *in, struct caller *out);

#endif
