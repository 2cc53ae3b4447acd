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
/* A report that was given out is taken back: the very object of stix_write from the same REDACTED
 * and NOTE, revoked (STIX 2.1, section 3.2), in a later version that says no more of it than STIX
 * demands. Its observables are not written again. */
struct stix_recall {
    int64_t at_us;
    struct span why;       /* for people */
    struct span corrected; /* the UUID of what takes its place; n 0: nothing that it may know of */
};
void stix_write_recall(struct buf *out, const struct redacted *redacted,
    const struct release_note *note, const struct stix_recall *recall);
/* The identity of NOTE's origin, which its reports refer to; the head has it. */
void stix_write_identity(struct buf *out, const struct release_note *note);

#endif
