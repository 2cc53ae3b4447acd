/* stix_known.h: which author and which TLP label do an object's references mean?
 *
 * Learned from the identities and marking definitions of the same input.
 */
#ifndef COMITY_FMT_STIX_KNOWN_H
#define COMITY_FMT_STIX_KNOWN_H

#include "fmt/json.h"

/* What has been learned from identities and marking definitions; bounded: beyond it nothing is
 * learned. */
struct stix_known;

struct stix_known *stix_known_new(void);
void stix_known_free(struct stix_known *known);
void stix_known_learn(
    struct stix_known *known, struct json_value object, struct span type, struct span id);
/* An identity's name, or n 0. */
struct span stix_known_name(const struct stix_known *known, struct span id);
/* Is every marking that OBJECT names known? */
bool stix_known_all_markings(const struct stix_known *known, struct json_value object);
/* The strictest TLP label of OBJECT's markings (granular ones too), n 0 for none. A marking that is
 * not known comes back as its id, which is no TLP label, so that the report is withheld. */
struct span stix_known_marking(const struct stix_known *known, struct json_value object);

#endif
