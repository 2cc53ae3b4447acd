/* pseudonym.h: under which name does this recipient know this value?
 *
 * The same value is always the same pseudonym for one recipient under one agreement, and another
 * for everybody else: keys are derived from the node's secret for each pair
 * (doc/agreement-language.md, section 9). Addresses keep what they share of their prefixes
 * (ipcrypt-pfx, draft-denis-ipcrypt) and can be turned back; all else is HMAC-SHA-256, which only
 * who has the value again can recognise. No I/O, no clock.
 */
#ifndef COMITY_FLOW_PSEUDONYM_H
#define COMITY_FLOW_PSEUDONYM_H

#include "base/mem.h"
#include "model/address.h"
#include "model/report.h"

enum { PSEUDONYM_SECRET_BYTES = 32, PSEUDONYM_HEX = 32 };

struct pseudonyms; /* the secret, and the keys made last */
struct pseudonym_key;

/* SECRET is copied to memory that is neither swapped nor dumped. Owner: the caller. NULL: no
 * memory, or libsodium does not start. */
struct pseudonyms *pseudonyms_new(const uint8_t secret[PSEUDONYM_SECRET_BYTES]);
void pseudonyms_free(struct pseudonyms *pseudonyms);

/* The key for RECIPIENT under AGREEMENT; lives until the next call. NULL: an id is longer than any
 * can be. */
const struct pseudonym_key *pseudonyms_key(
    struct pseudonyms *pseudonyms, struct span agreement, struct span recipient);

/* An address, or a network, whose length stays. */
struct address pseudonym_address(const struct pseudonym_key *key, const struct address *address);
struct address pseudonym_address_back(
    const struct pseudonym_key *key, const struct address *pseudonym);
/* VALUE of CLASS, as it is; OUT gets the digits and a NUL. */
void pseudonym_hex(const struct pseudonym_key *key, enum field_class class, struct span value,
    char out[PSEUDONYM_HEX + 1]);

enum { PSEUDONYM_NAME_MOST = 253 };
/* VALUE as names are made pseudonyms of: the same in any case, and with a point behind. p NULL: it
 * is too long. Borrows ROOM. */
struct span pseudonym_plain_name(struct span value, char room[PSEUDONYM_NAME_MOST]);

/* Turn FIELD (a copy the caller owns, its class set) into its pseudonym. False when it has none:
 * remove it. Results live in ARENA. */
bool pseudonym_field(struct arena *arena, const struct pseudonym_key *key, struct field *field);

/* ipcrypt-pfx itself, for those who check it: draft-denis-ipcrypt, section on prefix-preserving
 * encryption. The halves of KEY must differ (NULL otherwise, or without memory). Owner: caller. */
struct pseudonym_key *pseudonym_key_of(const uint8_t address_key[32], const uint8_t other_key[32]);
void pseudonym_key_free(struct pseudonym_key *key);

#endif
