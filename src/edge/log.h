/* log.h: what of the node's ledger can be fetched?
 *
 * The static resources of C2SP tlog-tiles under /log/, at all doors and for everybody, read-only:
 * clients of such logs have no credentials, and what is there discloses no content
 * (doc/ledger-format.md). Tiles never change; the checkpoint is always asked for anew.
 */
#ifndef COMITY_EDGE_LOG_H
#define COMITY_EDGE_LOG_H

#include "edge/door.h"

extern const struct route_family log_family;

#endif
