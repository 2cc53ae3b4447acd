/* check.h: could a reader have made this report?
 *
 * A front re-encodes what it read; one that was broken into may send anything. So core looks again
 * at what records and report_finish do not: that texts are UTF-8 without NUL, and that what is said
 * to be JSON is, on one line.
 */
#ifndef COMITY_CORE_CHECK_H
#define COMITY_CORE_CHECK_H

#include "model/report.h"

struct check;

struct check *check_new(void); /* NULL: no memory */
void check_free(struct check *check);
/* ERR_BAD_UTF8, ERR_NUL_BYTE, ERR_BAD_JSON ... name the field. */
MUST_USE int check_report(struct check *check, const struct report *report, struct err *err);

#endif
