/* taxii_batch.h: what of each batch does this envelope hold?
 *
 * A delivery is a batch's items and behind them its comity-batch object, with the salt under which
 * the sender's ledger commits to them (doc/ledger-format.md, "Items"). Here the root is computed
 * anew over what came, whether or not it is what was sent: the receipt says it. Nothing is kept
 * beyond the envelope.
 */
#ifndef COMITY_EDGE_TAXII_BATCH_H
#define COMITY_EDGE_TAXII_BATCH_H

#include "edge/taxii_posted.h"

/* LIST is the envelope's, in the order of POSTED's objects; fills in the batches, and `batch` of
 * their objects. An item belongs to the first comity-batch behind it. ERR_LIMIT (arena; an item of
 * more than ITEMS_BYTES_MAX). */
MUST_USE int taxii_batch_read(
    struct arena *arena, struct json_value list, struct posted *posted, struct err *err);
/* Count the items that have a fault, once it is known of all. */
void taxii_batch_rejected(struct posted *posted);

#endif
