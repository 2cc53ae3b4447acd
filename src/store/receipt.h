/* receipt.h: which deliveries have arrived, by whose word?
 *
 * A row for each delivery of the ledger from its beginning, so that what is still without a receipt
 * is known; the receipt itself is kept in it when it comes. They hold no content and outlive what
 * was delivered. Beside them, the receipts that this node gave. Errors: as all of the store's.
 * doc/store-schema.md has the tables.
 */
#ifndef COMITY_STORE_RECEIPT_H
#define COMITY_STORE_RECEIPT_H

#include "store/store.h"

enum { STORE_RECEIPT_ID_BYTES = 36 };

enum store_receipt_state {
    STORE_RECEIPT_UNASKED, /* the recipient answers with none */
    STORE_RECEIPT_OPEN,    /* none has come */
    STORE_RECEIPT_RIGHT,   /* it says what the ledger says */
    STORE_RECEIPT_DIFFERS, /* something else came than was delivered */
    STORE_RECEIPT_STATES,
};
struct store_receipt {
    uint64_t entry; /* of the ledger */
    struct span id; /* of the batch: a UUID's text */
    uint64_t batch; /* the node's number of the reports' batch; 0: not known any more */
    uint32_t team;  /* the recipient */
    uint64_t items;
    int64_t made_us;
    uint64_t failed; /* items that were not delivered while they could be */
    uint8_t state;   /* enum store_receipt_state */
    int64_t came_us; /* 0, and an empty note: none has come */
    uint64_t stored; /* by the recipient's word: what became of the reports */
    uint64_t duplicate;
    uint64_t rejected;
    struct span note; /* signed, as it came */
};
/* A new delivery, UNASKED or OPEN. */
MUST_USE int store_receipt_add(
    struct store *store, const struct store_receipt *receipt, struct err *err);
/* ERR_NOT_FOUND. */
MUST_USE int store_receipt_by_id(struct store *store, struct arena *arena, struct span id,
    struct store_receipt *out, struct err *err);
MUST_USE int store_receipt_by_entry(struct store *store, struct arena *arena, uint64_t entry,
    struct store_receipt *out, struct err *err);
/* Keep what came for RECEIPT->entry: state, came_us, note and counts. With the first RIGHT one, its
 * reports count as delivered, unless they do already, also those that had failed. */
MUST_USE int store_receipt_take(
    struct store *store, const struct store_receipt *receipt, struct err *err);

/* At most LIMIT of those of the reports' batch with that number, oldest first. */
MUST_USE int store_receipts_of(struct store *store, struct arena *arena, uint64_t batch,
    uint32_t limit, struct store_receipt **out, size_t *count, struct err *err);

/* What the ledger's entry says: its bytes. ERR_NOT_FOUND. */
MUST_USE int store_receipt_record(
    struct store *store, struct arena *arena, uint64_t entry, struct span *bytes, struct err *err);

struct store_receipt_query {
    uint32_t team;    /* 0: all */
    int64_t since_us; /* delivered */
    bool open;        /* only those without a right one, of whom one may still come */
    uint64_t before;  /* entry, exclusive; UINT64_MAX: from the newest on */
    uint32_t limit;
};
/* Newest first. */
MUST_USE int store_receipts(struct store *store, struct arena *arena,
    const struct store_receipt_query *query, struct store_receipt **out, size_t *count,
    struct err *err);
/* How many are open, and since when the oldest of these is (0: there is none). */
MUST_USE int store_receipts_open(
    struct store *store, uint64_t *count, int64_t *oldest_us, struct err *err);

/* One that this node gave, for a batch of TEAM's. */
struct store_receipt_given {
    uint32_t team;
    struct span id; /* of the batch */
    int64_t came_us;
    uint64_t stored;
    uint64_t duplicate;
    uint64_t rejected;
    struct span note;
};
/* In the place of an earlier one. */
MUST_USE int store_receipt_given_put(
    struct store *store, const struct store_receipt_given *given, struct err *err);
/* ERR_NOT_FOUND. */
MUST_USE int store_receipt_given_get(struct store *store, struct arena *arena, uint32_t team,
    struct span id, struct store_receipt_given *out, struct err *err);

/* Has the recipient got it? */
enum store_receipt_reach {
    STORE_REACH_WAITS,   /* it lies there */
    STORE_REACH_TAKEN,   /* fetched by the recipient, or sent to it */
    STORE_REACH_RECEIPT, /* it says so */
    STORE_REACH_FAILED,  /* it was not taken while it could be */
};
MUST_USE int store_receipt_reached(struct store *store, const struct store_receipt *receipt,
    enum store_receipt_reach *out, struct err *err);

/* Remove those of deliveries before BEFORE_US of which nothing is left, and given ones that are as
 * old, at most MAX of each. *REMOVED 0: nothing is left to do. */
MUST_USE int store_receipts_expire(
    struct store *store, int64_t before_us, uint32_t max, uint32_t *removed, struct err *err);

#endif
