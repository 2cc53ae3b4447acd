/* batch.h: which reports lie in the chunk that is being filled, and what comes of them?
 *
 * Reports with their outcomes are collected until the batch is sealed: then all of it goes into the
 * store at once, in the open transaction: records, outcomes, search keys, digests, the outbox'
 * entries, held items and counts.
 */
#ifndef COMITY_CORE_BATCH_H
#define COMITY_CORE_BATCH_H

#include "core/outcome.h"
#include "core/state.h"
#include "flow/flow.h"
#include "model/intake.h"

struct batch;

struct batch *batch_new(void); /* NULL: no memory */
void batch_free(struct batch *batch);
/* Forget what is in it. */
void batch_clear(struct batch *batch);
/* How many reports are in it, and is there no room for one more? */
uint32_t batch_count(const struct batch *batch);
bool batch_full(const struct batch *batch);
/* How long its reports may be kept: all have the same term; 0: none. */
uint32_t batch_term_days(const struct batch *batch);
/* Is there anything to be sealed: reports, or counts of what was not kept? */
bool batch_has_any(const struct batch *batch);

/* Put in what FLOW made of a report; RECORD is its bytes, as they came (model/record.h). ORIGIN is
 * the store's number of the team it came from. Errors: the store's (a new team's number),
 * ERR_NO_MEMORY, ERR_LIMIT; nothing was put in then, the batch is as it was or must be cleared. */
struct batch_origin {
    uint32_t team;
    bool partner;
};
MUST_USE int batch_add(struct batch *batch, struct core *core, const struct flow_result *result,
    struct span record, const struct batch_origin *origin, struct err *err);
/* Count what was not kept. */
void batch_rejected(struct batch *batch, uint64_t count);
void batch_duplicate(struct batch *batch, const struct report *report);

/* Into the store, in the open transaction; empty afterwards. *DUE: how many entries of the outbox
 * it made. */
MUST_USE int batch_seal(struct batch *batch, struct core *core, uint64_t *due, struct err *err);
/* The number that the store gave to the last one that was sealed. */
uint64_t batch_sealed(const struct batch *batch);

#endif
