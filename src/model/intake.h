/* intake.h: how do a front and core speak about a stream of reports?
 *
 * The front asks INTAKE_OPEN under a tag of its own; the stream is that tag on that channel, and
 * every further message of it carries the tag. Core says CREDIT (a u32: so many more INTAKE_RECORDS
 * may be sent; before the first one nothing may), and INTAKE_CLOSE is answered (ANSWER: struct
 * totals; of a stream that is counted, then a u32 and so many struct intake_counts, one for each
 * INTAKE_RECORDS) when everything is durable. A REFUSAL at any time is the stream's end: what came
 * before may be durable or not, and sending all of it again doubles nothing.
 * Every body begins with the caller; only INTAKE_OPEN's counts, further ones may be CALLER_NOBODY.
 *
 *   INTAKE_OPEN     struct intake_open
 *   INTAKE_RECORDS  rejected u32 (records that the front could not read since the last message),
 *                   count u32 (at most INTAKE_RECORDS_MOST), then as many records (model/record.h)
 *   INTAKE_CLOSE    rejected u32, problems text (lines for a person, of rejected records; a file's
 *                   are kept beside it)
 *   INTAKE_ABORT    why text; not answered
 *
 * Core's word FILE ("read this file as a stream of reports"; front local's alone) has a number u64
 * and a name text; its descriptor is the receiver's. The front opens a stream that names that
 * number, also to abort it when it cannot be read at all.
 */
#ifndef COMITY_MODEL_INTAKE_H
#define COMITY_MODEL_INTAKE_H

#include "model/totals.h"

enum { INTAKE_RECORDS_MOST = 1024, INTAKE_PROBLEMS_BYTES = 64 * 1024 };

/* `corrects` and `why` make of the stream a correction: exactly one report, which takes the place
 * of the one with that id, and that one is recalled; both or neither. */
struct intake_open {
    struct span name;     /* of the file or the request, for people */
    uint64_t file;        /* the number that FILE gave; 0: none */
    bool counted;         /* INTAKE_CLOSE tells of each message, too */
    struct span corrects; /* a report's id; n 0: it is an ordinary stream */
    struct span why;      /* for those who got that report */
};
/* What became of one INTAKE_RECORDS. */
struct intake_counts {
    uint32_t stored;
    uint32_t duplicate;
    uint32_t rejected;
};
enum { INTAKE_COUNTED_MOST = 8192 }; /* messages of a stream that are counted each */
void intake_open_add(struct buf *out, const struct intake_open *open);
void intake_open_take(struct wire_in *in, struct intake_open *out); /* borrows */
void intake_counts_add(struct buf *out, const struct intake_counts *counts);
void intake_counts_take(struct wire_in *in, struct intake_counts *out);

#endif
