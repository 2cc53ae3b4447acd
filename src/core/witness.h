/* witness.h: does every partner show everybody one history, and who has seen ours?
 *
 * Each node witnesses the logs of those that it has a link to (C2SP tlog-witness, add-checkpoint),
 * looks at what they show to everybody, and has its own witnessed by them. Two checkpoints of one
 * log that are not of one history are kept for ever, with what shows it to others (fmt/fork.h);
 * nothing of that log is cosigned any more. What is kept are single values of the store:
 *
 *   witnessed.LOG  the newest checkpoint that was cosigned
 *   shown.LOG      a newer one that its log showed, of a log that does not ask to be cosigned
 *   doubt.LOG      one that was not proven to go on from witnessed.LOG: until the log's own tiles
 *                  have shown whether it does
 *   fork.LOG       when (i64), two notes, the hashes that lead from one to the other (texts)
 *   witness.TEAM   how much of our log TEAM's node has cosigned
 *
 *   WITNESS_ADD   body text (of add-checkpoint); answered, when durable: status u16 (of HTTP), text
 *   WITNESS_SEEN  team u32, cosigned u64 (as the last answer said; 0 at first), text: what its log
 *                 shows now (a checkpoint), count u32, of each path text, bytes text (what else of
 *                 the log was fetched; n 0: it is not there); answered, when durable: cosigned u64,
 *                 path text (to be fetched, too; then the same is said with it), why text (n > 0:
 *                 the log does not show what it must)
 *   WITNESS_TAKE  team u32; answer: size u64 (of our log), text: the body for that team's witness
 *                 (n 0: it has seen all that there is)
 *   WITNESS_TOLD  team u32, size u64 (as taken), status u16, text: what it answered; answered, when
 *                 durable: again u8 (WITNESS_TAKE gives something at once)
 *   PEER_EVIDENCE team text; answer: PeerEvidence (share/openapi/schemas.json)
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
