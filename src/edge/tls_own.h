/* tls_own.h: which certificate does a node show that was given none?
 */
#ifndef COMITY_EDGE_TLS_OWN_H
#define COMITY_EDGE_TLS_OWN_H

#include "base/str.h"

/* A new key (ECDSA, P-256) and a certificate for it, signed by itself, for this machine's name and
 * loopback's addresses, ten years from NOW_US on, both as PEM behind what the bufs hold. ERR_IO. */
MUST_USE int tls_own(int64_t now_us, struct buf *certificate, struct buf *key, struct err *err);

/* Is KEY that of the first of CERTIFICATE (PEM both)? *UNTIL_US is when that expires, by its own
 * word (Unix). ERR_BAD_CONFIG says what is wrong. */
MUST_USE int tls_fits(struct span certificate, struct span key, int64_t *until_us, struct err *err);

enum { TLS_PIN_BYTES = 65 };
/* SHA-256 of the DER form of the first of CERTIFICATE (PEM), in lower-case hexadecimal, NUL behind:
 * what others know it by. ERR_BAD_CONFIG. */
MUST_USE int tls_pin(struct span certificate, char out[TLS_PIN_BYTES], struct err *err);

#endif
