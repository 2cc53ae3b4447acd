/* ledger_node.h: which entry of the node's own ledger is about this report? */
#ifndef COMITY_CLI_LEDGER_NODE_H
#define COMITY_CLI_LEDGER_NODE_H

#include "flow/ledger_prove.h"
#include "store/store.h"

struct ledger_node_wanted {
    const char *id; /* the report's, as the node has it */
    const char *to; /* to whom; NULL: there is one only */
    bool recall;    /* that it was taken back */
};
/* The delivery that is WANTED, as ENTRY and ITEM, whose nodes
 * live in ARENA; BYTES gets the item, as the recipient has it in canonical form. ERR_NOT_FOUND: no
 * such report, or it was not delivered (to TO), or is not there any more; ERR_USAGE: to several
 * teams, which are named. */
MUST_USE int ledger_node_find(struct store *store, struct arena *arena,
    const struct ledger_node_wanted *wanted, uint64_t *entry, struct ledger_prove_item *item,
    struct buf *bytes, struct err *err);

#endif
