/* incoming.h: which files were dropped for this node to read?
 *
 * The folder incoming/ of the data folder. A file that was not changed for some seconds is handed
 * to front local as a descriptor (SAID FILE), which reads it as a stream of reports; then it is
 * moved to incoming/done/ once its reports are durable, or to incoming/failed/ with the reason
 * beside it (NAME.reason). Names that begin with a point are left alone.
 */
#ifndef COMITY_CORE_INCOMING_H
#define COMITY_CORE_INCOMING_H

#include "core/state.h"

enum { INCOMING_SETTLED_US = 3000000, INCOMING_AT_ONCE = 4 };

/* Makes the folders. Owner: the caller. ERR_IO, ERR_NO_MEMORY. */
MUST_USE int incoming_new(struct core *core, struct incoming **out, struct err *err);
void incoming_free(struct incoming *incoming);
/* Look now; the loop does again and again. */
void incoming_look(struct core *core);

/* What became of file NUMBER: its stream is complete (moved as soon as that is durable; PROBLEMS,
 * if any, are kept beside it), it could not be read, or nothing that counts: it is read again. */
void incoming_done(struct core *core, uint64_t number, struct span problems);
void incoming_failed(struct core *core, uint64_t number, struct span why);
void incoming_again(struct core *core, uint64_t number);
/* What was done is durable; or nothing of it is. */
void incoming_committed(struct core *core);
void incoming_lost(struct core *core);
/* Front local has gone, and with it what it was reading. */
void incoming_gone(struct core *core);

#endif
