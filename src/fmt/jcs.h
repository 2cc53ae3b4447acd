/* jcs.h: which bytes stand for this JSON value, whoever wrote it down?
 *
 * The canonical form of RFC 8785 (JCS), over which documents are signed: members in the order of
 * their keys' UTF-16 code units, numbers as ECMAScript prints them, no white space, no escape that
 * could be left out.
 */
#ifndef COMITY_FMT_JCS_H
#define COMITY_FMT_JCS_H

#include "fmt/json.h"

/* Append V to OUT; check OUT for being full afterwards, as with every buf.
 * Errors: ERR_DUPLICATE_KEY; ERR_BAD_NUMBER for an integer that no double holds: two texts that
 * differ would get the same bytes. */
MUST_USE int jcs_add(struct buf *out, struct json_value v, struct err *err);
/* The same of an object less its own members LEFT_OUT (NULL behind the last). */
MUST_USE int jcs_add_without(
    struct buf *out, struct json_value v, const char *const *left_out, struct err *err);
/* From text. Errors: also those of json_parse. */
MUST_USE int jcs_add_text(struct buf *out, struct span text, struct err *err);

/* One string, with quotes; TEXT is UTF-8. */
void jcs_add_string(struct buf *out, struct span text);
/* One number. ERR_BAD_NUMBER: it is infinite or none. */
MUST_USE int jcs_add_number(struct buf *out, double value, struct err *err);

#endif
