/* recall.h: how is a report taken back from those who got it?
 *
 * Each gets a later, revoked version of the very object that it has, as a delivery of its own with
 * an entry of the ledger; what nobody was told yet is told no more. The same when the team that
 * gave a report to us takes it back: then those to whom we passed it on are told. For life, so what
 * comes again does not go out again. doc/federation.md has the rules.
 */
#ifndef COMITY_CORE_RECALL_H
#define COMITY_CORE_RECALL_H

#include "core/exchange.h"
#include "core/outcome.h"
#include "store/recall.h"

enum { RECALL_WHY_BYTES = 4000 };

/* What became of it for each recipient that was decided on, by the store's numbers. */
struct recall_told {
    uint32_t told[OUTCOME_RECIPIENTS_MAX]; /* they had it, and get the recall */
    size_t told_count;
    uint32_t dropped[OUTCOME_RECIPIENTS_MAX]; /* it was due, or too large to be told */
    size_t dropped_count;
    uint64_t refused[OUTCOME_RECIPIENTS_MAX]; /* numbers of held items that waited */
    size_t refused_count;
};

/* Take RECALL's report back, in the open transaction. CORRECTION: the report that takes its place
 * (batch 0: none); who gets that too is told its id, which is RECALL's `corrected`.
 * ERR_CONFLICT: that was done already; ERR_NOT_FOUND: its time is over. Any other error: the
 * transaction must be given up (core_lose). */
struct recall_correction {
    uint64_t batch;
    uint32_t place;
};
MUST_USE int recall_report(struct core *core, const struct store_recall *recall,
    const struct recall_correction *correction, struct recall_told *told, struct err *err);

/* A row of core/exchange.c. */
MUST_USE int exchange_recall(
    struct core *core, const struct exchange_object *object, struct err *err);

#endif
