/* httpdate.h: which instant does this date of HTTP name?
 *
 * The three forms of RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT",
 * "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"; also with an offset such as
 * "+0200".
 */
#ifndef COMITY_FMT_HTTPDATE_H
#define COMITY_FMT_HTTPDATE_H

#include "base/str.h"

#include <stdint.h>

/* Microseconds since 1970, UTC; false when TEXT is no such date. */
bool httpdate_parse(struct span text, int64_t *us);

#endif
