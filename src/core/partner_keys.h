/* partner_keys.h: by which keys is another team's node known?
 *
 * The verifier keys that the teams' cards name for their logs, cosignatures and receipts
 * (doc/federation.md), read once for each time that the directory is read anew.
 */
#ifndef COMITY_CORE_PARTNER_KEYS_H
#define COMITY_CORE_PARTNER_KEYS_H

#include "core/state.h"
#include "fmt/note.h"

struct partner_keys;

/* NULL: no memory. */
struct partner_keys *partner_keys_new(void);
void partner_keys_free(struct partner_keys *keys);

/* The key of TEAM (its id) for USE; NULL: its card names none. Until the knowledge is read anew. */
const struct note_key *partner_key(struct core *core, struct span team, enum note_use use);

#endif
