/* stix_object.h: what do STIX objects say beside their observables and patterns?
 *
 * Members of indicators and observed-data as fields of a report.
 */
#ifndef COMITY_FMT_STIX_OBJECT_H
#define COMITY_FMT_STIX_OBJECT_H

#include "fmt/json.h"
#include "model/report.h"

/* Member NAME if it is text, else n 0. */
struct span stix_object_text(struct json_value object, const char *name);
bool stix_object_revoked(struct json_value object);
/* Has it Comity's own extension? */
bool stix_object_is_ours(struct json_value object);

/* Add time, classification, Comity's extension, and all members that have no place of their own
 * as extra.NAME. May return STIX_MAP_WHOLE. */
MUST_USE int stix_object_observed(
    struct report *report, struct arena *scratch, struct json_value object, struct err *err);
MUST_USE int stix_object_indicator(
    struct report *report, struct arena *scratch, struct json_value object, struct err *err);

#endif
