/* cards.h: what becomes of a team card that another node shows?
 *
 * Judged by flow/card_accept.h: accepted, it lies in the data folder durably and counts once the
 * directory is read anew, a second later at most; else it waits for the operator, or is refused.
 */
#ifndef COMITY_CORE_CARDS_H
#define COMITY_CORE_CARDS_H

#include "core/exchange.h"
#include "flow/cards.h"

/* The row of `identity` (core/exchange.h): 1: it is a signed card, and was dealt with, or another
 * team's card that is not signed, and says nothing; 0: it has no card, or the sender's own that is
 * not signed. ERR_BAD_CARD says why it is refused. */
int exchange_identity(struct core *core, const struct exchange_object *object, struct err *err);
/* By what cards are judged here, borrowed until the knowledge is read anew. ERR_NO_MEMORY, ERR_IO,
 * ERR_BAD_CONFIG (a key's file). */
MUST_USE int cards_here(
    struct core *core, int64_t now_us, struct cards_world *out, struct err *err);

/* What happened to a card, for the log and for who listens to events. */
struct cards_news {
    const struct card_signed *card; /* NULL: it was no good, and said to be TEAM's */
    struct span team;
    const char *what;    /* "is accepted", ... */
    struct span from;    /* the team whose node brought it; n 0: none */
    struct span account; /* of this node, by which it was decided; n 0: none */
    struct span why;
    bool warns;
};
void cards_tell(struct core *core, const struct cards_news *news);
/* Does this team's card name the certificate that the doors show? If not, it is told once. */
void cards_own_look(struct core *core);
/* What is known has changed: the cards that wait are judged again. */
void cards_again(struct core *core);

#endif
