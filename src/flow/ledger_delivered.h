/* ledger_delivered.h: which items had this delivery of our own?
 *
 * Reads from the node's store what was delivered, as the recipient gets it, and commits to it
 * again, so that one item of it can be proven (flow/ledger_prove.h).
 */
#ifndef COMITY_FLOW_LEDGER_DELIVERED_H
#define COMITY_FLOW_LEDGER_DELIVERED_H

#include "flow/ledger_prove.h"
#include "store/store.h"

/* At which place of its batch was the report that is item INDEX of DELIVERY? False: it has not so
 * many. */
bool ledger_delivered_place(const struct store_delivery *delivery, uint64_t index, uint32_t *place);
/* Which item of DELIVERY was the report at PLACE? False: it is not among them. */
bool ledger_delivered_index(const struct store_delivery *delivery, uint32_t place, uint64_t *index);
/* OUT->index is given; OUT's nodes live in ARENA. ITEM gets the canonical bytes of that one. All
 * that was delivered must still be there: ERR_NOT_FOUND (its time is over, or it was removed);
 * ERR_BAD_STORE, ERR_LIMIT. */
MUST_USE int ledger_delivered_items(struct store *store, struct arena *arena,
    const struct store_delivery *delivery, struct ledger_prove_item *out, struct buf *item,
    struct err *err);

#endif
