/* address.h: which IP address or prefix does this text name?
 *
 * Strict forms only: dotted quad without leading zeros (RFC 6943 section 3.1.1 shows
 * why), RFC 4291 for IPv6, no zone. IPv4-mapped IPv6 (::ffff:1.2.3.4) is kept as IPv6
 * and attributed as the IPv4 inside.
 */
#ifndef COMITY_MODEL_ADDRESS_H
#define COMITY_MODEL_ADDRESS_H

#include "base/str.h"

#include <stdint.h>

struct address {
    uint64_t high;  /* IPv6: first 64 bits; IPv4: 0 */
    uint64_t low;   /* IPv6: last 64 bits; IPv4: the address in the low 32 */
    uint8_t family; /* 4, 6; 0: none */
    uint8_t bits;   /* length of a prefix; 32 or 128 for a single address */
};

enum { ADDRESS_TEXT_BYTES = 64 };

/* A single address. Errors: ERR_BAD_ADDRESS. */
MUST_USE int address_parse(struct span text, struct address *out, struct err *err);
/* "192.0.2.0/24" or a single address (full length). Host bits set behind the
 * length are an error. */
MUST_USE int prefix_parse(struct span text, struct address *out, struct err *err);
/* RFC 5952 text (with "/bits" unless a single address), NUL behind; returns its length. */
size_t address_format(const struct address *address, char *out);
bool address_in(const struct address *address, const struct address *prefix);

#endif
