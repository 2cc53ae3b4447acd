/* mail_csv.h: how do the reports of a mail look in a spreadsheet?
 *
 * Read back from the bundle that goes with them, so that both attachments say the same. A column
 * for each field that some report has, by its name in the IntelMQ data format; a row for each
 * report.
 */
#ifndef COMITY_EDGE_MAIL_CSV_H
#define COMITY_EDGE_MAIL_CSV_H

#include "base/str.h"

enum { MAIL_CSV_COLUMNS_MAX = 512 }; /* fields beyond them stand in the bundle alone */

/* Append to OUT; *ROWS says how many reports. ERR_LIMIT, ERR_NO_MEMORY, ERR_INTERNAL. */
MUST_USE int mail_csv(struct span bundle, struct buf *out, uint32_t *rows, struct err *err);

#endif
