/* card_publish.h: what does this team's own card say next, and how does the team sign it?
 *
 * Who the team is stands in a card that was named, the card until now, or the directory's; where
 * its node is and by which keys it is known is put in here (doc/federation.md, "A node's
 * identity"). Reads the data folder, changes nothing there but node.key, which may be made.
 */
#ifndef COMITY_FLOW_CARD_PUBLISH_H
#define COMITY_FLOW_CARD_PUBLISH_H

#include "flow/cards.h"

enum { CARD_PUBLISH_VKEYS = 3 };

struct card_publish {
    /* Given, and borrowed until card_publish_close. */
    const char *home; /* the data folder */
    struct arena *arena;
    struct span team;
    struct span url;       /* of the door for partners; n 0: as the card said until now */
    struct span pin;       /* of its certificate, as struct card_node has it; n 0: likewise */
    struct span said;      /* who the team is, a card's JSON; n 0: the card until now, */
    struct span directory; /* else this one; n 0: there is none */
    struct span origin;    /* of the node's log */
    bool make;             /* node.key is made if it is not there */
    int64_t now_us;

    /* card_publish_open's */
    bool has_known;
    struct cards_read known; /* the card until now */
    struct json *json;
    struct json_value base; /* the card that says who the team is */
    struct buf vkeys[CARD_PUBLISH_VKEYS];
};

/* Errors: ERR_NOT_FOUND: nothing says who the team is, or there is no node.key; ERR_BAD_CONFIG: it
 * is another team's card, or none; ERR_USAGE: TEAM is not known; nodekey_read's. Owner: the caller,
 * also after an error, until card_publish_close. */
MUST_USE int card_publish_open(struct card_publish *p, struct err *err);
void card_publish_close(struct card_publish *p);

/* Append what would be signed (RFC 8785), with KEY (NULL: none is there yet), as of VERSION (n 0:
 * without one). ERR_USAGE: the node's url was never said. ERR_LIMIT. */
MUST_USE int card_publish_text(struct card_publish *p, const uint8_t *key, struct span version,
    struct buf *out, struct err *err);
/* Is the card until now by KEY, and would the next one say the same? */
bool card_publish_unchanged(struct card_publish *p, const uint8_t *key);
/* ERR_BAD_CONFIG: KEY is not the one that signed the card until now. */
MUST_USE int card_publish_check_key(
    const struct card_publish *p, const uint8_t *key, struct err *err);
/* The next card, newer than the one until now, signed by KEY and, if it is not NULL, PREVIOUS, and
 * read as others will read it; to be kept by cards_keep. ERR_BAD_CARD says what is wrong in what
 * the team says; ERR_USAGE, ERR_LIMIT. */
MUST_USE int card_publish_make(struct card_publish *p, const struct agreement_key *key,
    const struct agreement_key *previous, struct cards_read *out, struct err *err);

#endif
