/* peers.h: with which other teams' nodes shall this one exchange?
 *
 * Core's side of PEERS, PEER, PEER_ADD and PEER_REMOVE; all but the last answer JSON
 * (share/openapi/schemas.json: PeerList, Peer). A link and its account are made, changed and ended
 * together.
 *
 *   PEERS        asks nothing
 *   PEER         asks team text
 *   PEER_ADD     asks card text, url text, pin text, push, poll, witness u8 (of inputs.def)
 *   PEER_REMOVE  asks team text
 */
#ifndef COMITY_CORE_PEERS_H
#define COMITY_CORE_PEERS_H

#include "core/core.h"

/* The directory was read anew: where an accepted card is newer than the one that said where a
 * link's node is and by which certificate it is known, link and account follow. What cannot be is
 * logged. */
void peers_follow(struct core *core);

#endif
