/* base64.h: which bytes does this base64 stand for?
 *
 * RFC 4648, section 4, with padding, and strict: each row of bytes has one text.
 */
#ifndef COMITY_BASE_BASE64_H
#define COMITY_BASE_BASE64_H

#include "base/str.h"

void base64_add(struct buf *out, const void *bytes, size_t n);
/* At most MAX bytes into OUT; *N says how many. False: TEXT is no base64, or of more bytes. */
bool base64_read(struct span text, void *out, size_t max, size_t *n);
/* Exactly N bytes. */
bool base64_exact(struct span text, void *out, size_t n);

#endif
