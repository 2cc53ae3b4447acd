/* delivery.h: what does the ledger record of a batch for one team?
 *
 * Counts what each clause did, and commits to what goes out, item by item (fmt/items.h); then the
 * entry, what the recipient gets to check it by, and what later proofs need
 * (doc/ledger-format.md). One at a time.
 */
#ifndef COMITY_CORE_DELIVERY_H
#define COMITY_CORE_DELIVERY_H

#include "core/outcome.h"
#include "core/state.h"
#include "fmt/ledger_entry.h"

struct delivery;

/* NULL: no memory. */
struct delivery *delivery_new(void);
void delivery_free(struct delivery *delivery);

/* Begin with batch BATCH for TEAM (the store's number). */
void delivery_begin(struct delivery *delivery, uint64_t batch, uint32_t team);
/* Would VERDICT's clauses fit into the entry? If not, it ends here and another begins. */
bool delivery_fits(const struct delivery *delivery, const struct outcome_verdict *verdict);
/* One report under VERDICT that fits. Released ones: TREATMENTS has bit t set if a field of it was
 * treated so (enum treatment); EFFECT is what happened in the end. */
void delivery_count(struct delivery *delivery, const struct outcome_verdict *verdict,
    enum effect effect, unsigned treatments);
/* ITEM is what its recipient gets; PLACE the report's in the batch. ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int delivery_item(
    struct delivery *delivery, uint32_t place, struct span item, struct err *err);
/* How many items there are. */
uint64_t delivery_items(const struct delivery *delivery);

/* The entry, in the open transaction: a delivery, or a person's decision. Behind it TEXT gets the
 * object that tells the recipient, if there are items; NULL: nobody is told. Errors: as
 * logbook_append. */
MUST_USE int delivery_record(struct core *core, struct delivery *delivery, enum ledger_kind kind,
    enum ledger_decision decision, struct buf *text, struct err *err);
/* What proofs need. COLLECTION 0: the items lie nowhere. */
MUST_USE int delivery_keep(struct core *core, const struct delivery *delivery, uint32_t collection,
    int64_t first_us, int64_t last_us, struct err *err);

#endif
