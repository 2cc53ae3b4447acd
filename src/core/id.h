/* id.h: which UUID has the report at this place of this batch, and which report is this UUID?
 *
 * RFC 9562, section 5.8 (version 8): the batch's number in custom_a (48 bits, permuted under the
 * node's key, so that ids do not count aloud), the place in custom_b (12 bits), and the batch's 62
 * random bits in custom_c. So looking a report up needs no index, and an id that was guessed is
 * found out by the random bits.
 */
#ifndef COMITY_CORE_ID_H
#define COMITY_CORE_ID_H

#include "base/str.h"

enum { ID_TEXT_BYTES = 37, ID_KEY_BYTES = 16, ID_PLACES = 4096 };
#define ID_BATCH_MAX (((uint64_t)1 << 48) - 1)
#define ID_TAG_MASK (((uint64_t)1 << 62) - 1)

/* The node's, for life: whoever has another cannot read the ids. Kept by the caller (store_set). */
struct id_key {
    uint8_t bytes[ID_KEY_BYTES];
};

/* What the ids of one batch have in common, made once. */
struct id_batch {
    uint64_t hidden; /* the number, permuted */
    uint64_t tag;    /* 62 bits */
};

/* NUMBER at most ID_BATCH_MAX; the upper two bits of TAG do not count. */
struct id_batch id_batch(const struct id_key *key, uint64_t number, uint64_t tag);
/* PLACE below ID_PLACES. 36 characters in lower case and a NUL; returns 36. */
size_t id_text(const struct id_batch *batch, uint32_t place, char out[ID_TEXT_BYTES]);

/* TEXT as ids are written, 36 characters in lower case of version 8, and a NUL, if it is a node's
 * id: a UUID of version 8, or of 4 as STIX writes it, in any case. False: OUT stays as it is. */
bool id_plain(struct span text, char out[ID_TEXT_BYTES]);

/* Which batch and place does TEXT name, if it is an id of this node? TAG is to be held against the
 * batch's (62 bits). Any case, and as STIX writes it (version 4). ERR_BAD_NAME: no UUID;
 * ERR_NOT_FOUND: of another version. */
struct id_place {
    uint64_t batch;
    uint64_t tag;
    uint32_t place;
};
MUST_USE int id_read(
    const struct id_key *key, struct span text, struct id_place *out, struct err *err);

#endif
