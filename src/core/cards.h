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
/* What is known has changed: the cards that wait are judged again. */
void cards_again(struct core *core);

#endif
