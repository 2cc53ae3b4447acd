/* tls.h: with which certificate does a front show itself, and whom does it believe?
 *
 * TLS 1.2 and 1.3 by GnuTLS, which libmicrohttpd drives; what it would keep for its whole life
 * (certificate, trust, tickets' key) is set here for each connection instead, so that all of it can
 * be replaced while connections go on.
 */
#ifndef COMITY_EDGE_TLS_H
#define COMITY_EDGE_TLS_H

#include "base/str.h"

#include <gnutls/gnutls.h>

struct tls;
struct tls_set; /* what one connection uses; counted */

struct tls_material {
    struct span certificate; /* PEM, with its chain behind it */
    struct span key;         /* PEM */
    struct span client_ca;   /* PEM: clients' certificates must come from these; n 0: see below */
    bool client_any;         /* ask for a certificate and take any: core knows those that count */
};

/* TEXT as GnuTLS wants it: not copied, and not changed either, whatever the type says. */
static inline gnutls_datum_t
tls_datum(struct span text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text.p, (unsigned)text.n};
}

enum { TLS_FINGERPRINT_BYTES = 65 };

/* GnuTLS' words for the versions and ciphers that are spoken. */
extern const char tls_priorities[];

/* ERR_BAD_CONFIG says what is wrong with MATERIAL, which is copied as far as it is needed. */
MUST_USE int tls_new(const struct tls_material *material, struct tls **out, struct err *err);
void tls_free(struct tls *tls);
/* For connections that begin from now on; tickets given before are worth nothing any more.
 * ERR_BAD_CONFIG: all stays as it was. */
MUST_USE int tls_replace(struct tls *tls, const struct tls_material *material, struct err *err);

/* Prepare SESSION, whose handshake has not begun. NULL: it could not be. Release when the session
 * is over. */
struct tls_set *tls_begin(struct tls *tls, gnutls_session_t session);
void tls_release(struct tls_set *set);

/* SHA-256 of the other end's certificate, as lower-case hex; false if it showed none. */
bool tls_fingerprint(gnutls_session_t session, char out[TLS_FINGERPRINT_BYTES]);
/* Is the other end's certificate the one whose fingerprint is PIN, and in force at NOW_US?
 * ERR_UNTRUSTED says what is wrong. */
MUST_USE int tls_is_pinned(
    gnutls_session_t session, const char *pin, int64_t now_us, struct err *err);

#endif
