/* shown.h: what may a terminal see of text that others wrote?
 *
 * Not what controls it: such characters are shown as their bytes.
 */
#ifndef COMITY_CLI_SHOWN_H
#define COMITY_CLI_SHOWN_H

#include "base/str.h"

/* Add TEXT, at most MAX columns of it; control characters, bytes that are no UTF-8 and what turns
 * the direction of writing become \xNN. */
void shown_add(struct buf *out, struct span text, size_t max);

#endif
