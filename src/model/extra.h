/* extra.h: what else is an "extra." field, besides text?
 *
 * A field of a name that tables/fields.def does not know is text, whatever it holds. A list
 * (share/tables/extra-fields.csv, which the operator may replace) says of well-known names that
 * they also hold an account, an address, a device ...: then the stricter of the two treatments
 * applies. So the list can only take away, never let through.
 */
#ifndef COMITY_MODEL_EXTRA_H
#define COMITY_MODEL_EXTRA_H

#include "base/mem.h"
#include "model/words.h"

enum { EXTRA_NAMES_MAX = 100000, EXTRA_NAME_MAX = 255 };

struct extra_fields;

/* TEXT: lines of "name,class" behind the header "name,class"; '#' begins a comment line. FILE is
 * for messages. Errors: ERR_BAD_CONFIG with the line, ERR_LIMIT, ERR_NO_MEMORY. Owner: the caller.
 */
MUST_USE int extra_fields_parse(
    struct span text, const char *file, struct extra_fields **out, struct err *err);
void extra_fields_free(struct extra_fields *extras);

/* Of a name that is not listed and has more points ("extra.log.user") the last part counts
 * ("extra.user"). FIELD_CLASS_TEXT for names that are not listed, and for all when EXTRAS is NULL.
 */
enum field_class extra_fields_class(const struct extra_fields *extras, struct span name);
/* The same of "extra." and MEMBER, however long that is: a member of a JSON value, a parameter. */
enum field_class extra_fields_member_class(const struct extra_fields *extras, struct span member);

#endif
