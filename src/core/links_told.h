/* links_told.h: how do people and their programs see links?
 *
 * JSON of an answer (share/openapi/schemas.json: Peer, LinkWay) and lines for Prometheus.
 */
#ifndef COMITY_CORE_LINKS_TOLD_H
#define COMITY_CORE_LINKS_TOLD_H

#include "core/links_private.h"

/* QUEUE may be NULL: nothing ever was for the team. */
void links_tell_peer(const struct core *core, const struct store_link *link,
    const struct store_queue *queue, struct buf *out);
/* Member "link" of an outbox item: how pushing to TEAM goes, or null. */
void links_tell_push(const struct core *core, uint32_t team, struct buf *out);
/* Members of the status: how many there are, and how many are lost. */
void links_tell_counts(const struct core *core, struct buf *out);
void links_tell_metrics(const struct core *core, struct buf *out);

#endif
