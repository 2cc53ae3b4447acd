/* correction.h: which report takes the place of one that was wrong?
 *
 * A stream of exactly one report, which is taken in as a new one, names what it corrects, and goes
 * its way; in the same transaction the old one is recalled (core/recall.h).
 */
#ifndef COMITY_CORE_CORRECTION_H
#define COMITY_CORE_CORRECTION_H

#include "core/state.h"
#include "model/intake.h"

struct correction;
struct stream;

/* *OUT: NULL for an ordinary stream. ERR_NOT_ALLOWED: not for ASK's asker; ERR_NOT_FOUND,
 * ERR_CONFLICT: there is no such report, or it was recalled; ERR_MISSING_FIELD: no reason; the
 * store's. Owner: the caller, until correction_free. */
MUST_USE int correction_new(struct core *core, const struct ask *ask,
    const struct intake_open *open, struct correction **out, struct err *err);
void correction_free(struct correction *correction);

/* All that STREAM, a correction, may have: COUNT records at IN. ERR_BAD_VALUE: not exactly one new
 * report; the intake is half done then, if the transaction must be given up. */
MUST_USE int correction_take(
    struct core *core, struct stream *stream, struct wire_in *in, uint32_t count, struct err *err);

#endif
