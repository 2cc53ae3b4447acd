/* cards.h: what becomes of a team card that another node shows?
 *
 * Judged by flow/card_accept.h: accepted, it lies in the data folder durably and counts once the
 * directory is read anew, a second later at most; else it waits for the operator, or is refused.
 */
#ifndef COMITY_CORE_CARDS_H
#define COMITY_CORE_CARDS_H

#include "core/exchange.h"

/* The row of `identity` (core/exchange.h): 1: it is a signed card, and was dealt with, or another
 * team's card that is not signed, and says nothing; 0: it has no card, or the sender's own that is
 * not signed. ERR_BAD_CARD says why it is refused. */
int exchange_identity(struct core *core, const struct exchange_object *object, struct err *err);
/* The operator says that CARD (its text) is TEAM's, and the directory is read anew at once. One
 * that is not signed, or this node's own, is left as it is. Opens a transaction. ERR_BAD_CARD,
 * ERR_EXISTS (a newer one is known), and of this machine. */
MUST_USE int cards_take_operators(
    struct core *core, struct span team, struct span card, struct err *err);
/* What is known has changed: the nodes of links whose teams' cards say something else than WAS, the
 * directory before (NULL: none), are where their cards say now. In an open transaction. */
void cards_move_links(struct core *core, const struct roster *was);
/* What is known has changed: the cards that wait are judged again. */
void cards_again(struct core *core);

#endif
