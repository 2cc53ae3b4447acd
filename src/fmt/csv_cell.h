/* csv_cell.h: how does a value stand in a CSV text that people open in a spreadsheet?
 *
 * RFC 4180. Spreadsheets compute what begins like a formula, and reports hold what attackers wrote.
 */
#ifndef COMITY_FMT_CSV_CELL_H
#define COMITY_FMT_CSV_CELL_H

#include "base/str.h"

/* Append TEXT, in quotes where it must be. GUARD: what a spreadsheet would take for a formula gets
 * an apostrophe before it. */
void csv_cell_add(struct buf *out, struct span text, bool guard);

#endif
