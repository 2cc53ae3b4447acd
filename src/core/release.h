/* release.h: what of the outbox can be written out for its recipients now?
 *
 * When nothing else is to do, the oldest batch that has something due is redacted for each
 * recipient as was decided when it came in, written as STIX into the recipients' collections, and
 * taken off the outbox, in one transaction: a node that is killed in between does it again.
 */
#ifndef COMITY_CORE_RELEASE_H
#define COMITY_CORE_RELEASE_H

#include "core/state.h"

/* Registers idle work with CORE's loop. Owner: the caller. ERR_NO_MEMORY. */
MUST_USE int release_new(struct core *core, struct release **out, struct err *err);
void release_free(struct release *release);

/* No idle work for now, or again. */
void release_pause(struct release *release, bool pause);
/* Write out one batch, in the open transaction or a new one. *MORE: there was one. */
MUST_USE int release_batch(struct core *core, bool *more, struct err *err);
/* A person let go what was held: write it out for TEAM (the store's number), in the open
 * transaction. ERR_NOT_FOUND: the report's time is over. */
MUST_USE int release_held(struct core *core, const struct store_held *held, struct err *err);
/* A person keeps it back: the ledger gets that, in the open transaction. Errors: the same. */
MUST_USE int release_refused(struct core *core, const struct store_held *held, struct err *err);

#endif
