/* ledger_prove.h: which file shows somebody else that this stands in our log?
 *
 * Makes proofs of entries, and of single items of a batch, from a log's resources as its checkpoint
 * has them (fmt/ledger_proof.h, doc/ledger-format.md). Pure but for the resources given.
 */
#ifndef COMITY_FLOW_LEDGER_PROVE_H
#define COMITY_FLOW_LEDGER_PROVE_H

#include "fmt/items.h"
#include "store/resources.h"

enum { LEDGER_PROVE_ITEMS_MAX = 1 << 20 };

/* One item, and what the batch is made of. */
struct ledger_prove_item {
    uint64_t index;
    struct items_salt salt;    /* the batch's */
    struct merkle_nodes nodes; /* over items_leaf of each item, in order; filled */
};

/* Append to OUT the proof of entry INDEX; ITEM may be NULL. RECEIPT (a note; n 0: none) is put
 * beside it. Errors: ERR_NOT_FOUND, ERR_BAD_NOTE (the checkpoint); ERR_BAD_VALUE: no such entry or
 * item, or the items are not those of the entry; ERR_BAD_STORE: the tiles do not lead to the
 * checkpoint's root; the resources'. */
MUST_USE int ledger_prove_entry(const struct resources *resources, uint64_t index,
    const struct ledger_prove_item *item, struct span receipt, struct buf *out, struct err *err);

#endif
