/* intake.h: which streams of reports are coming in, and what is not durable yet?
 *
 * Each record is checked again, looked for among those that were there already, attributed, decided
 * for each recipient and put into the open batch (core/batch.h). Reports are durable when a round
 * of the loop in which a stream was closed is over, or some milliseconds have passed; only then is
 * anybody told so. What fronts say is model/intake.h.
 */
#ifndef COMITY_CORE_INTAKE_H
#define COMITY_CORE_INTAKE_H

#include "core/state.h"

enum { INTAKE_CREDIT = 4 };

/* CORE has its store and knowledge. The window of duplicates is filled from the store. Owner: the
 * caller. ERR_NO_MEMORY, and the store's. */
MUST_USE int intake_new(struct core *core, struct intake **out, struct err *err);
void intake_free(struct intake *intake);

/* May reports be taken in? ERR_BUSY: not while what is judged by, or what was there already, cannot
 * be read. How this machine failed is said WITH_REASON only. */
MUST_USE int intake_ready(const struct core *core, bool with_reason, struct err *err);
/* What was changed, or could not be read, is read anew (knowledge_renew, and the store): asked
 * before each message of reports, and by the clock. */
void intake_renew(struct core *core);

/* Is a stream open under this door's TAG? Then who opened it is who asks. */
bool intake_asker(struct intake *intake, enum door door, uint64_t tag, struct asker *out);
/* The door's channel has gone, and its streams with it. */
void intake_gone(struct core *core, enum door door);

/* Put the open batch into the open transaction. */
MUST_USE int intake_seal(struct core *core, struct err *err);
/* Something waits to be committed, and its time has not come yet? */
bool intake_waits(const struct intake *intake);
/* The transaction is durable; or nothing of it is kept, because WHY. */
void intake_committed(struct core *core);
void intake_lost(struct core *core, const struct err *why);

/* So many entries of the outbox were written out: streams that waited may go on. */
void intake_released(struct core *core, uint64_t count);
uint64_t intake_due(const struct intake *intake);
/* Streams open now, and reports since the start. */
size_t intake_streams(const struct intake *intake);

#endif
