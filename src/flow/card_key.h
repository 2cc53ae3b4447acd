/* card_key.h: with which keys does a team say that it signs?
 *
 * A card's `keys` may hold {"type": "ed25519", "key": base64 of 32 bytes, "expires": time}; keys of
 * other types are for people.
 */
#ifndef COMITY_FLOW_CARD_KEY_H
#define COMITY_FLOW_CARD_KEY_H

#include "fmt/json.h"

enum { CARD_KEY_BYTES = 32 };

struct card_key {
    uint8_t bytes[CARD_KEY_BYTES];
    int64_t until_us; /* INT64_MAX: open */
};

/* One item of the list: 1 with *OUT filled, 0 for a key of another type, ERR_BAD_CONFIG. */
int card_key_read(struct json_value item, struct card_key *out, struct err *err);
/* Is KEY among CARD's keys, without an end? */
bool card_key_named(struct json_value card, const uint8_t key[CARD_KEY_BYTES]);
/* Base64 of 32 bytes that may be a key? ERR_BAD_CONFIG if not. */
MUST_USE int card_key_parse(struct span text, uint8_t out[CARD_KEY_BYTES], struct err *err);

#endif
