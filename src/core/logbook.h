/* logbook.h: what has this node's ledger recorded, and who can see it?
 *
 * The node's log (store/ledger.h) over its store: entries are appended in the transaction that they
 * record, and a checkpoint over all of them is signed at its commit, once. Entries and hashes are
 * shown up to the last checkpoint that is durable, to everybody: they disclose no content
 * (doc/ledger-format.md).
 */
#ifndef COMITY_CORE_LOGBOOK_H
#define COMITY_CORE_LOGBOOK_H

#include "core/state.h"
#include "fmt/ledger_entry.h"
#include "store/resources.h"

/* CORE has its store and knows its own id. The key is made at the first start; a log without its
 * key, or with another, is refused. Owner: core, until logbook_free.
 * Errors: ERR_NOT_FOUND, ERR_BAD_SECRET (the key); ERR_BAD_STORE: the tiles are not those of the
 * checkpoint, or it is not signed by this key. */
MUST_USE int logbook_new(struct core *core, struct err *err);
void logbook_free(struct logbook *logbook);

/* The log's name. */
struct span logbook_origin(const struct logbook *logbook);
/* Its verifier key, appended to OUT. */
void logbook_key(const struct logbook *logbook, struct buf *out);
/* How many entries are under the checkpoint that is durable. */
uint64_t logbook_published(const struct logbook *logbook);
struct resources *logbook_resources(struct logbook *logbook);
/* The signed note of the checkpoint that the log had at SIZE, appended to OUT. Errors: the store's.
 */
MUST_USE int logbook_note_at(
    struct logbook *logbook, uint64_t size, struct buf *out, struct err *err);
/* Append E, in the open transaction. ERR_BAD_ENTRY, ERR_LIMIT, and the store's. */
MUST_USE int logbook_append(
    struct core *core, const struct ledger_entry *e, uint64_t *index, struct err *err);
/* What happened in the register since the last time, in the open transaction. */
MUST_USE int logbook_events(struct core *core, struct err *err);

/* Before the transaction is committed: the checkpoint over what it appended. */
MUST_USE int logbook_seal(struct core *core, struct err *err);
/* It is durable; or nothing of it is kept. */
void logbook_committed(struct core *core);
void logbook_lost(struct core *core);

#endif
