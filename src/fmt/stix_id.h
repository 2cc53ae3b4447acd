/* stix_id.h: which identifier does STIX give an object of this content?
 *
 * UUIDv5 (RFC 9562): for observables over their contributing members as canonical JSON in
 * OASIS' namespace (STIX 2.1 section 2.9), for Comity's own objects in its own.
 */
#ifndef COMITY_FMT_STIX_ID_H
#define COMITY_FMT_STIX_ID_H

#include "base/str.h"

/* STIX_UUID_VERSION_AT: where a UUID says its version. */
enum { STIX_ID_BYTES = 64, STIX_UUID_BYTES = 36, STIX_UUID_VERSION_AT = 14 };

enum stix_id_space { STIX_ID_OBSERVABLE, STIX_ID_OWN };

struct stix_id {
    char text[STIX_ID_BYTES];
    size_t n;
};

/* STIX_UUID_BYTES characters at OUT, no NUL. */
void stix_id_uuid(enum stix_id_space space, struct span name, char *out);
/* "type--uuid". TYPE has at most 24 bytes. */
void stix_id_make(struct stix_id *id, const char *type, enum stix_id_space space, struct span name);

#endif
