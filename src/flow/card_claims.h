/* card_claims.h: does this card claim more than was known of its team?
 *
 * Reports follow claims, so a card that is rightly signed may still be an attempt to be sent what
 * is others' to know. Pure: no I/O, no clock.
 */
#ifndef COMITY_FLOW_CARD_CLAIMS_H
#define COMITY_FLOW_CARD_CLAIMS_H

#include "flow/roster.h"

enum { CARD_CLAIM_BYTES = 160 };

/* Does TEAM claim an economy, a rank, a network, an AS number or a domain that KNOWN, its card
 * until now, does not have? Of a team that had none (KNOWN NULL): one that another team of ROSTER
 * answers for, or a network wider than any one team's? Then WHAT says which, in words. Both cards
 * are to be read at CARD_ANY_TIME: a claim that begins tomorrow counts. */
bool card_claims_more(const struct team *known, const struct roster *roster,
    const struct team *team, char what[CARD_CLAIM_BYTES]);
/* All of these, one by one, to TELL. */
typedef void card_claims_told(void *ctx, const char *what);
void card_claims_each(const struct team *known, const struct roster *roster,
    const struct team *team, card_claims_told *tell, void *ctx);

#endif
