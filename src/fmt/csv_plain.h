/* csv_plain.h: which cells has a line whose quotes stand only around cells?
 *
 * Nearly all lines are so. They are taken 64 bytes at a time, a bit a byte, without a branch a
 * character; any other line is left to csv_split, which knows all of RFC 4180.
 */
#ifndef COMITY_FMT_CSV_PLAIN_H
#define COMITY_FMT_CSV_PLAIN_H

#include "base/str.h"

/* Cells of LINE without their quotes, into at most ROOM; LINE needs INPUT_PADDING readable bytes
 * behind it. Returns their number, or 0: the line is not plain, has more cells, or an open quote.
 * *ASCII: no byte is NUL or above 0x7f; only set with a number. */
size_t csv_plain(struct span line, char separator, struct span *cells, size_t room, bool *ascii);

#endif
