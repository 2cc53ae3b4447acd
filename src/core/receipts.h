/* receipts.h: did it arrive, and who says so?
 *
 * As a recipient: a batch of a link's team is answered with a signed note over what came
 * (doc/ledger-format.md, "Receipts"), as an object in that team's collection. As a sender: what
 * such a note says is held against the ledger's entry, and kept. Who has a receipt key on its card
 * is delivered to by receipt, everybody else by fetching.
 *
 *   RECEIPTS   team text, since i64, open u8, limit u32, next text (of inputs.def); answers
 *              ReceiptList
 *   RECEIPT    batch text; answers Receipt
 */
#ifndef COMITY_CORE_RECEIPTS_H
#define COMITY_CORE_RECEIPTS_H

#include "core/exchange.h"
#include "fmt/note.h"
#include "store/receipt.h"

struct receipts;

/* CORE has its logbook. Owner: the caller, until receipts_free, also after an error. Errors: as
 * nodekey_read. */
MUST_USE int receipts_new(struct core *core, struct receipts **out, struct err *err);
void receipts_free(struct receipts *receipts);

/* Does TEAM (the store's number) say by receipts what it has? CTX is core. */
bool receipts_by(void *ctx, uint32_t team);
/* The key that TEAM (its id) signs receipts with, by its card; NULL: it names none. Until the
 * knowledge is read anew. */
const struct note_key *receipts_key(struct core *core, struct span team);
/* The key by which this node signs its own. */
const struct note_signer *receipts_signer(const struct core *core);

/* For core/exchange.c: comity-batch, comity-receipt. */
int exchange_batch(struct core *core, const struct exchange_object *object, struct err *err);
int exchange_receipt(struct core *core, const struct exchange_object *object, struct err *err);

/* How it is told: the state; how it was delivered to TEAM; by which key NOTE is signed (nothing if
 * it is none). */
const char *receipts_state_word(enum store_receipt_state state);
const char *receipts_reach_word(
    const struct core *core, uint32_t team, enum store_receipt_reach reach);
void receipts_signer_text(struct buf *out, struct span note);
/* The delivery whose batch is BATCH (urn:uuid:UUID, or the UUID alone). ERR_NOT_FOUND. */
MUST_USE int receipts_find(struct core *core, struct arena *arena, struct span batch,
    struct store_receipt *out, struct err *err);
/* The steps (told.h) of the report at PLACE of BATCH on its way to TEAM, from being written out on;
 * *TOLD: there are some. Lists live in ARENA. */
MUST_USE int receipts_tell_steps(struct core *core, struct arena *arena, uint64_t batch,
    uint32_t place, uint32_t team, struct buf *out, bool *told, struct err *err);

#endif
