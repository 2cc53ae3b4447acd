/* special.h: is this address nobody's on the Internet?
 *
 * The special-purpose blocks of RFC 6890's registries that are not globally reachable,
 * and multicast: private, loopback, documentation ... An address inside says nothing about
 * who answers for it.
 */
#ifndef COMITY_MODEL_SPECIAL_H
#define COMITY_MODEL_SPECIAL_H

#include "model/address.h"

/* The block's word ("private", "loopback", ...), or NULL for an ordinary address.
 * IPv4-mapped IPv6 is judged as the IPv4 inside. A prefix is special if it lies inside. */
const char *special_word(const struct address *address);

#endif
