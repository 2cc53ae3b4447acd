/* taxii_media.h: is this media type one that TAXII 2.1 speaks, and may the answer be one?
 *
 * TAXII 2.1, section 1.6.8 (media types and negotiation). `application/taxii+json` without a
 * version means 2.1, the only one there is here; spaces and case do not matter.
 */
#ifndef COMITY_EDGE_TAXII_MEDIA_H
#define COMITY_EDGE_TAXII_MEDIA_H

#include "base/str.h"

#define TAXII_MEDIA "application/taxii+json;version=2.1"

enum taxii_media {
    MEDIA_OTHER,
    MEDIA_TAXII,
    MEDIA_STIX,  /* application/stix+json (or vnd.oasis.stix+json) of version 2.1 or none */
    MEDIA_RANGE, /* any type, or any of application's */
};
/* One media type with its parameters; *REFUSED: its weight (RFC 9110, 12.4.2) is 0. */
enum taxii_media taxii_media(struct span text, bool *refused);
/* Does ACCEPT (a list; n 0 where there is none) take application/taxii+json;version=2.1? */
bool taxii_media_accepted(struct span accept);

#endif
