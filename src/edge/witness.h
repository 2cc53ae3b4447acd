/* witness.h: who asks this node to cosign a checkpoint?
 *
 * C2SP tlog-witness: POST /witness/add-checkpoint at the partners' door, without credentials, as
 * the checkpoint is signed. Core judges it (core/witness.h).
 */
#ifndef COMITY_EDGE_WITNESS_H
#define COMITY_EDGE_WITNESS_H

#include "edge/door.h"

extern const struct route_family witness_family;

#endif
