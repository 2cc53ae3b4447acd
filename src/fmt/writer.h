/* writer.h: which bytes does a partner get?
 *
 * Writers append to a buf the rendering of one redacted report; a file of many is
 * made by head, items, tail. Nothing else may go to a partner.
 */
#ifndef COMITY_FMT_WRITER_H
#define COMITY_FMT_WRITER_H

#include "model/redacted.h"

/* IDF: one JSON object and LF. */
void idf_write(struct buf *out, const struct redacted *redacted);

/* STIX 2.1 bundle of observed-data and SCOs. ERR_LIMIT when OUT is full. FIRST: nothing
 * stands before it in the bundle. */
void stix_write_head(struct buf *out, const struct release_note *note);
void stix_write(struct buf *out, const struct redacted *redacted, const struct release_note *note);
void stix_write_tail(struct buf *out);
/* The identity of NOTE's origin, which its reports refer to; the head has it. */
void stix_write_identity(struct buf *out, const struct release_note *note);

#endif
