/* witness.h: does every partner show everybody one history, and who has seen ours?
 *
 * Each node witnesses the logs of those that it has a link to (C2SP tlog-witness, add-checkpoint),
 * and has its own witnessed by them. Of each partner's log the newest checkpoint that was cosigned
 * is kept, and two of one size with different roots for ever: with the log's key anybody can see
 * that it signed both (doc/ledger-format.md, "Witnesses"). What is kept are single values of the
 * store: witnessed.LOG, fork.LOG, doubt.LOG,
 * witness.TEAM.
 *
 *   WITNESS_ADD   body text (of add-checkpoint); answered, when durable: status u16 (of HTTP), text
 *   WITNESS_SEEN  team u32, text: the checkpoint that its log shows now; answered when durable
 *   WITNESS_TAKE  team u32; answer: size u64 (of our log), text: the body for that team's witness
 *                 (n 0: it has seen all that there is)
 *   WITNESS_TOLD  team u32, size u64 (as taken), status u16, text: what it answered; answered, when
 *                 durable: again u8 (WITNESS_TAKE gives something at once)
 */
#ifndef COMITY_CORE_WITNESS_H
#define COMITY_CORE_WITNESS_H

#include "core/state.h"
#include "fmt/checkpoint.h"

struct witness;

/* CORE has its logbook. Owner: the caller, until witness_free, also after an error. Errors: as
 * nodekey_read. */
MUST_USE int witness_new(struct core *core, struct witness **out, struct err *err);
void witness_free(struct witness *witness);

/* Member "witnessed" of a link's JSON: what is known of TEAM's log, and what its node has seen of
 * ours. */
void witness_tell(struct core *core, struct span team, struct buf *out);

#endif
