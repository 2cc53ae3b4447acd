/* stix_check.h: may this object be kept and served as a STIX 2.1 object?
 *
 * Identifier, type, version, what every object of its type must have, and the form of timestamps
 * and references (STIX 2.1, sections 2.9, 3.1, 3.2, 3.7 and 4 to 7). What it says is not judged.
 */
#ifndef COMITY_FMT_STIX_CHECK_H
#define COMITY_FMT_STIX_CHECK_H

#include "fmt/json.h"

enum { STIX_TYPE_MAX = 250, STIX_SPEC_21 = 21 };

struct stix_checked {
    struct span type;
    struct span id;
    int64_t version_us; /* modified, else created; 0: it has neither */
    uint8_t spec;       /* STIX_SPEC_21 */
};
/* Texts live with the document. OUT's type and id are set as far as they are texts, also where an
 * error comes back: ERR_MISSING_FIELD, ERR_BAD_TYPE, ERR_BAD_NAME, ERR_BAD_TIME, ERR_BAD_VALUE,
 * ERR_DUPLICATE_KEY, with the member in err->field. */
MUST_USE int stix_check(struct json_value object, struct stix_checked *out, struct err *err);

bool stix_check_uuid(struct span text);
/* "type--UUID"? */
bool stix_check_id(struct span id);
/* A STIX timestamp (section 3.2): RFC 3339 in UTC with "Z". */
bool stix_check_time(struct span text, int64_t *us);
/* As STIX writes it: with milliseconds, or microseconds where there are any. Appends. */
void stix_check_add_time(struct buf *out, int64_t us);

#endif
