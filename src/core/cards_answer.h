/* cards_answer.h: what does core tell of signed cards: those that wait, and a team's?
 *
 * JSON of share/openapi/schemas.json, for this node's people alone.
 */
#ifndef COMITY_CORE_CARDS_ANSWER_H
#define COMITY_CORE_CARDS_ANSWER_H

#include "core/core.h"
#include "flow/cards.h"

/* Members of a team's answer: its accepted card's signature, the keys that are known, who vouches,
 * how many of its cards wait, what people decided of them. Errors: this machine's, the store's. */
MUST_USE int cards_tell_team(struct core *core, struct arena *arena, const struct team *team,
    struct buf *out, struct err *err);

/* What one of this node's people decided of a card. */
struct cards_decision {
    const char *what;   /* accepted, refused, vouched, forgotten, published */
    const char *told;   /* "is accepted", ...: for the log and for events */
    struct span reason; /* n 0: none was asked */
    const struct card_signed *card;
};
/* Kept with the team, of whose decisions the newest stay. In an open transaction. */
MUST_USE int cards_note(struct core *core, const struct ask *ask,
    const struct cards_decision *decision, struct err *err);
/* The card's files are changed and durable: what follows from it, with the answer to ASK. */
MUST_USE int cards_decided(struct core *core, const struct ask *ask,
    const struct cards_decision *decision, struct err *err);

/* SHA-256 of what the card's key signed, in lower-case hexadecimal. */
void cards_digest(const struct card_signed *card, char out[AGREEMENT_SIGN_HEX]);

#endif
