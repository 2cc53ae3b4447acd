/* agreement_sign.h: did this party sign this agreement?
 *
 * Ed25519 over the line "comity-agreement-signature-v1" and RFC 8785's form of
 *     {"agreement": the document without `signatures` and `suspended`, "party": ..., "signed_at":
 * ...} (doc/agreement-language.md, section 11). No I/O, no clock.
 */
#ifndef COMITY_FLOW_AGREEMENT_SIGN_H
#define COMITY_FLOW_AGREEMENT_SIGN_H

#include "flow/keyring.h"
#include "model/agreement.h"

enum { AGREEMENT_SIGN_SEED_BYTES = 32, AGREEMENT_SIGN_BASE64_BYTES = 89, AGREEMENT_SIGN_HEX = 65 };

/* A key pair; the secret half is wiped by whoever holds it. */
struct agreement_key {
    uint8_t public[AGREEMENT_KEY_BYTES];
    uint8_t secret[64];
};
/* From its SEED, which is all that needs to be kept. */
void agreement_sign_key(const uint8_t seed[AGREEMENT_SIGN_SEED_BYTES], struct agreement_key *out);

/* Ed25519 over LINE (with its newline) and TEXT. ERR_LIMIT. */
MUST_USE int agreement_sign_bytes(const struct agreement_key *key, struct span line,
    struct span text, uint8_t out[AGREEMENT_SIGNATURE_BYTES], struct err *err);
bool agreement_sign_is(const uint8_t key[AGREEMENT_KEY_BYTES], struct span line, struct span text,
    const uint8_t signature[AGREEMENT_SIGNATURE_BYTES]);

/* Sign A as PARTY at AT_US; texts of OUT in ARENA. ERR_LIMIT. */
MUST_USE int agreement_sign(struct arena *arena, const struct agreement *a, struct span party,
    int64_t at_us, const struct agreement_key *key, struct agreement_signature *out,
    struct err *err);
/* What one of A's signatures is worth. */
enum agreement_mark agreement_sign_mark(const struct agreement *a,
    const struct agreement_signature *signature, const struct keyring *ring);
/* Of all in SET, in place: marks, signed_by_all, and broken where one is wrong. OWN is the team
 * whose signature adopts what has no parties; n 0: nobody's does. ERR_LIMIT. */
MUST_USE int agreement_sign_check(struct arena *arena, struct agreement *agreements, size_t count,
    const struct keyring *ring, struct span own, struct err *err);
/* Has PARTY a good one? */
bool agreement_sign_has(const struct agreement *a, struct span party);

/* Base64, and lower-case hexadecimal SHA-256; both with a NUL behind. */
void agreement_sign_base64(const uint8_t *bytes, size_t n, char out[AGREEMENT_SIGN_BASE64_BYTES]);
void agreement_sign_digest(struct span text, char out[AGREEMENT_SIGN_HEX]);

/* The document as it is kept and handed on: RFC 8785, signatures in, `suspended` out. */
MUST_USE int agreement_sign_document(const struct agreement *a, struct buf *out, struct err *err);

#endif
