/* card_accept.h: is this signed card believed, must a person look at it, or is it refused?
 *
 * The rule of doc/federation.md, "Cards". A card is given whose own signature is right
 * (card_sign_read); asked is whether the key is the team's. Pure: no I/O, no clock.
 */
#ifndef COMITY_FLOW_CARD_ACCEPT_H
#define COMITY_FLOW_CARD_ACCEPT_H

#include "flow/card_claims.h"
#include "flow/card_sign.h"

enum { CARD_SPONSORS_NEEDED = 2, CARD_WHY_BYTES = 320 };
/* A version may lie so far ahead of the clock: more would outrun what the team says next. */
#define CARD_AHEAD_US INT64_C(600000000)

enum card_verdict {
    CARD_REFUSE,
    CARD_WAIT,   /* for the operator */
    CARD_KNOWN,  /* nothing new: the same, or older, than what is known */
    CARD_ACCEPT, /* as `basis` says */
};

struct card_question {
    const struct card_signed *card;
    const struct card_signed *known; /* of the same team, as it was accepted; NULL: none was */
    const struct keyring *ring;      /* the keys that are known; NULL: none */
    struct span own;                 /* this node's team; n 0: not known */
    const struct team *team;         /* CARD's claims, read at CARD_ANY_TIME */
    const struct team *before;       /* the same of the card known until now; NULL: none */
    const struct roster *roster;     /* what others claim */
    int64_t now_us;
};

struct card_judgement {
    uint8_t verdict; /* enum card_verdict */
    uint8_t basis;   /* enum card_basis, of CARD_ACCEPT */
    /* Teams that vouch for it and count; of CARD_WAIT, too. Borrowed from the card. */
    struct span sponsors[CARD_VOUCHES_MAX];
    size_t sponsor_count;
    bool same;                /* of CARD_KNOWN: it is the very one, maybe with other vouches */
    char why[CARD_WHY_BYTES]; /* in words */
};

/* FROM's vouches beside those of CARD, if they are for its key. Where there are too many, those of
 * sponsors whose keys RING knows now stay: nobody can crowd them out. True: CARD has one more, or a
 * later one. */
bool card_accept_gather(struct card_signed *card, const struct card_signed *from,
    const struct keyring *ring, int64_t now_us);
/* A zeroed judgement refuses. Everything of Q is borrowed. */
void card_accept(const struct card_question *q, struct card_judgement *out);

#endif
