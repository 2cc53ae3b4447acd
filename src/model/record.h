/* record.h: how does a report travel between roles and lie in the store?
 *
 * One record: its length (u32), then its fields in order, then the line (u32) it came from.
 * Nothing is kept that report_finish derives, so who reads one calls it again and trusts nobody.
 * A field is named by its place in tables/fields.def, whose order is for life.
 */
#ifndef COMITY_MODEL_RECORD_H
#define COMITY_MODEL_RECORD_H

#include "base/wire.h"
#include "model/report.h"

/* Append REPORT (finished) to OUT. */
void record_add(struct buf *out, const struct report *report);

/* Take the next record off IN into REPORT over ROOM fields at FIELDS; texts borrow from IN's bytes.
 * Finishes the report (report_finish). That texts are UTF-8 and JSON values are JSON is not looked
 * at: who cannot trust where IN came from asks core/check.h. Errors: ERR_INTERNAL when the bytes
 * are no record (nothing behind it can be read); ERR_LIMIT, ERR_DUPLICATE_KEY and what
 * report_finish says: the record is passed over and reading may go on. */
MUST_USE int record_next(struct wire_in *in, struct report *report, struct field *fields,
    uint32_t room, struct err *err);
/* The bytes of the next record, with its length, taken off IN; n 0 when they are not there. */
struct span record_bytes(struct wire_in *in);

#endif
