/* base64.h: which bytes does this base64 stand for?
 *
 * RFC 4648, section 4, with padding, or section 5 (for URLs), without. Strict: each row of bytes
 * has one text.
 */
#ifndef COMITY_BASE_BASE64_H
#define COMITY_BASE_BASE64_H

#include "base/str.h"

void base64_add(struct buf *out, const void *bytes, size_t n);
void base64_add_url(struct buf *out, const void *bytes, size_t n);
/* At most MAX bytes into OUT; *N says how many. False: TEXT is no base64, or of more bytes. */
bool base64_read(struct span text, void *out, size_t max, size_t *n);
bool base64_read_url(struct span text, void *out, size_t max, size_t *n);
/* As others write section 4's: padding may be missing or too much, and bits that count for nothing
 * may be set. */
bool base64_read_lax(struct span text, void *out, size_t max, size_t *n);
/* Exactly N bytes. */
bool base64_exact(struct span text, void *out, size_t n);

#endif
