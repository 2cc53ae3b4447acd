/* ledger_proof.h: what does this file prove of a delivery, and what not?
 *
 * A proof of Comity's is one C2SP tlog-proof: the entry itself stands in its `extra`, and beside it
 * one item's place, salt and way to the entry's items_root (doc/ledger-format.md). Judging is pure:
 * keys, witnesses and the item are the caller's.
 */
#ifndef COMITY_FMT_LEDGER_PROOF_H
#define COMITY_FMT_LEDGER_PROOF_H

#include "fmt/items.h"
#include "fmt/ledger_entry.h"
#include "fmt/logproof.h"
#include "fmt/receipt.h"

enum { LEDGER_PROOF_KEYS_MAX = 64, LEDGER_PROOF_RECEIPT_MAX = 16384 /* bytes of the note */ };

/* One item of the entry's batch. */
struct ledger_item {
    uint64_t index;
    struct items_salt salt;
    struct merkle_proof path;
};

struct ledger_proof {
    struct logproof log;
    struct span entry;
    struct span receipt; /* the recipient's note, in base64; n 0: none is there */
    bool has_item;
    struct ledger_item item;
    struct buf extra; /* what entry and receipt are borrowed from */
};

/* Borrows from TEXT; OUT->extra is the caller's to free, also after an error. ERR_BAD_PROOF,
 * ERR_LIMIT. */
MUST_USE int ledger_proof_read(struct span text, struct ledger_proof *out, struct err *err);
/* From log (extra aside), entry, receipt and item. ERR_LIMIT. */
MUST_USE int ledger_proof_write(struct buf *out, const struct ledger_proof *proof, struct err *err);

/* The receipt of PROOF, which has one: its note in BYTES, from which NOTE and OUT borrow. Whether
 * it is for ENTRY is said by *FITS; who signed it is note_check's. ERR_BAD_PROOF, ERR_BAD_NOTE. */
MUST_USE int ledger_proof_receipt(const struct ledger_proof *proof,
    const struct ledger_entry *entry, struct buf *bytes, struct note *note, struct receipt *out,
    bool *fits, struct err *err);

struct ledger_proof_question {
    const struct ledger_proof *proof;
    const struct span *item;     /* canonical bytes; NULL: none is at hand */
    const struct note_key *keys; /* of logs that are believed, by the logs' names */
    size_t key_count;
    const struct note_key *witnesses;
    size_t witness_count;
};
enum ledger_proof_log {
    LEDGER_PROOF_NOT_IN_LOG, /* the way does not lead from the entry to the checkpoint's root */
    LEDGER_PROOF_IN_LOG,
};
enum ledger_proof_item {
    LEDGER_PROOF_NO_ITEM,    /* the proof is about the batch only */
    LEDGER_PROOF_UNTRIED,    /* it is about an item, and none is at hand */
    LEDGER_PROOF_OTHER_ITEM, /* the item at hand is not that one */
    LEDGER_PROOF_ITEM,
};
struct ledger_proof_answer {
    struct note note; /* the checkpoint's */
    struct checkpoint checkpoint;
    struct ledger_entry entry;
    uint8_t log;  /* enum ledger_proof_log */
    uint8_t item; /* enum ledger_proof_item */
    enum note_found keys[LEDGER_PROOF_KEYS_MAX];
    enum note_found witnesses[LEDGER_PROOF_KEYS_MAX];
    uint64_t times_s[LEDGER_PROOF_KEYS_MAX]; /* of the witnesses' cosignatures */
    size_t signed_by;                        /* how many of the keys signed well */
    size_t seen_by;                          /* how many of the witnesses */
    bool wrong; /* a signature in the name of a key or witness is wrong */
};
/* The entry's texts live in ARENA. ERR_BAD_PROOF, ERR_BAD_NOTE, ERR_BAD_ENTRY: not well-formed;
 * ERR_LIMIT: more than LEDGER_PROOF_KEYS_MAX keys. */
MUST_USE int ledger_proof_judge(struct arena *arena, const struct ledger_proof_question *question,
    struct ledger_proof_answer *out, struct err *err);

#endif
