/* stix_batch.h: by what can a recipient check what the sender's ledger says of a batch?
 *
 * The STIX 2.1 object (section 7.3, a new SDO of Comity's extension) that stands in a team's
 * collection behind the reports of one batch: the entry, and the salt that only the recipient gets
 * (doc/ledger-format.md). It holds nothing of a report.
 */
#ifndef COMITY_FMT_STIX_BATCH_H
#define COMITY_FMT_STIX_BATCH_H

#include "fmt/items.h"

#define STIX_BATCH_TYPE "comity-batch"
#define STIX_BATCH_URN "urn:uuid:" /* before its UUID, the id of the ledger's entry */

struct stix_batch {
    struct span id;     /* the entry's, urn:uuid:... */
    struct span origin; /* the sender's team id */
    struct span log;    /* the log's name */
    uint64_t entry;     /* index */
    uint64_t items;
    struct merkle_hash items_root;
    struct items_salt salt; /* the batch's */
    int64_t made_us;
};

/* Append the object, as fmt/writer.h's writers do. */
void stix_batch_write(struct buf *out, const struct stix_batch *batch);
/* The definition of its extension. */
void stix_batch_write_definition(struct buf *out);

#endif
