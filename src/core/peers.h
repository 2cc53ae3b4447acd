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

/* TEAM's node says that it is at URL, and known by PIN, from now on: a link to it, if there is one,
 * follows, and its account. In an open transaction. ERR_BAD_VALUE, ERR_EXISTS (another account has
 * that certificate). */
MUST_USE int peers_moved(
    struct core *core, struct span team, struct span url, struct span pin, struct err *err);

#endif
