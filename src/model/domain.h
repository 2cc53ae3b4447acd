/* domain.h: how is this domain name written for comparison?
 *
 * Lower case, A-labels (IDNA 2008 by libidn2), no dot behind.
 */
#ifndef COMITY_MODEL_DOMAIN_H
#define COMITY_MODEL_DOMAIN_H

#include "base/str.h"

enum { DOMAIN_BYTES = 256, DOMAIN_LABEL_MAX = 63, DOMAIN_NAME_MAX = 253 };

/* NAME in its form for comparison, with a NUL behind, at OUT.
 * Errors: ERR_BAD_NAME (empty label, label or name too long, a byte no name has, no IDNA). */
MUST_USE int domain_normalise(struct span name, char out[DOMAIN_BYTES], size_t *n, struct err *err);

/* What one look at a name tells. A name that is SOUND has 1 to 253 bytes and no empty label, none
 * longer than 63 bytes, and letters, digits, '-', '_' or bytes that are not ASCII; no dot behind.
 */
enum { DOMAIN_SOUND = 1, DOMAIN_ASCII = 2, DOMAIN_LOWER = 4 };
unsigned domain_look(struct span name);

/* Is it ASCII throughout, so that comparing without case is enough? */
bool domain_is_ascii(struct span name);

#endif
