/* card_sign_private.h: what do card_sign.c and card_sign_document.c share?
 *
 * card_sign.c makes and checks signatures; card_sign_document.c reads what a card says of them.
 */
#ifndef COMITY_FLOW_CARD_SIGN_PRIVATE_H
#define COMITY_FLOW_CARD_SIGN_PRIVATE_H

#include "flow/card_sign.h"

enum { CARD_VOUCH_BYTES = 2048 };

/* Append what is signed of CARD. ERR_LIMIT, and jcs_add's. */
MUST_USE int card_sign_text(struct buf *out, struct json_value card, struct err *err);
/* Is its signature by its key? */
bool card_sign_is(const struct card_signed *card);
bool card_sign_vouch_is(const struct card_vouch *vouch);

#endif
