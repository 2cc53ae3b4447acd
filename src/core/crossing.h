/* crossing.h: which entry of the node's own ledger is about this report, and what crossed?
 *
 *   REPORT_PROOF  id text, team text (n 0: there is one only), recall u8; answer: a CrossingProof
 *                 (share/openapi/schemas.json)
 */
#ifndef COMITY_CORE_CROSSING_H
#define COMITY_CORE_CROSSING_H

#include "flow/ledger_prove.h"
#include "store/store.h"

struct crossing_wanted {
    struct span id; /* the report's, as the node has it */
    struct span to; /* to whom; n 0: there is one only */
    bool recall;    /* that it was taken back */
};
struct crossing {
    uint64_t entry;
    uint32_t team; /* the store's number of the recipient */
    struct ledger_prove_item item;
};
/* The delivery that is WANTED; its nodes live in ARENA. BYTES gets the item, as the recipient has
 * it in canonical form. ERR_NOT_FOUND: no such report, or it was not delivered (to TO), or is not
 * there any more; ERR_USAGE: to several teams, which are named. */
MUST_USE int crossing_find(struct store *store, struct arena *arena,
    const struct crossing_wanted *wanted, struct crossing *out, struct buf *bytes, struct err *err);

/* The recipient's receipt for ENTRY, a note, in ARENA; n 0: none has come that is right. */
MUST_USE int crossing_receipt(
    struct store *store, struct arena *arena, uint64_t entry, struct span *out, struct err *err);

#endif
