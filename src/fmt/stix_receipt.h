/* stix_receipt.h: in which object does a receipt travel?
 *
 * A STIX 2.1 object (section 7.3, a new SDO of Comity's extension) that holds the signed note
 * (fmt/receipt.h) and what became of the batch's reports at the recipient. Only the note is signed.
 */
#ifndef COMITY_FMT_STIX_RECEIPT_H
#define COMITY_FMT_STIX_RECEIPT_H

#include "fmt/json.h"

#define STIX_RECEIPT_TYPE "comity-receipt"

struct stix_receipt {
    struct span batch;  /* a UUID's text */
    struct span origin; /* the recipient's team id */
    struct span note;
    uint64_t stored;
    uint64_t duplicate;
    uint64_t rejected;
    int64_t made_us;
    int64_t said_us; /* if it is said again: the later version */
};

/* Append the object, as fmt/writer.h's writers do. */
void stix_receipt_write(struct buf *out, const struct stix_receipt *receipt);
/* The definition of its extension. */
void stix_receipt_write_definition(struct buf *out);
/* Note and counts of OBJECT, which passed stix_check; borrowed. ERR_MISSING_FIELD, ERR_BAD_TYPE,
 * ERR_BAD_NUMBER. */
MUST_USE int stix_receipt_read(struct json_value object, struct stix_receipt *out, struct err *err);

#endif
