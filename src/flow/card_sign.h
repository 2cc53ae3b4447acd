/* card_sign.h: is this card the team's own word, and who vouches for it?
 *
 * A signed card is a team card with `version`, `node`, a key of type ed25519 among its `keys`, and
 * a `signature` by that key: Ed25519 over the line "comity-card-signature-v1" and RFC 8785's form
 * of the card without `signature`, `vouches`, and what each node says for itself (`verified`,
 * `accepted`). A vouch is a sponsor's Ed25519 over "comity-card-vouch-v1" and RFC 8785's form of
 * the vouch without `signature` (doc/team-card.md). Pure: no I/O, no clock.
 */
#ifndef COMITY_FLOW_CARD_SIGN_H
#define COMITY_FLOW_CARD_SIGN_H

#include "flow/agreement_sign.h"
#include "fmt/json.h"

enum {
    CARD_SIGNED_BYTES_MAX = 256 * 1024, /* of the whole card, as JSON */
    CARD_VOUCHES_MAX = 16,
    CARD_URL_MAX = 300,
    CARD_VKEY_MAX = 400,
    CARD_PIN_BYTES = 64,
    CARD_SIGNATURE_BYTES = AGREEMENT_SIGNATURE_BYTES,
    CARD_PRINT_BYTES = 33, /* a fingerprint's text, with a NUL */
};

/* Where the team's node is, and by which keys it is known. */
struct card_node {
    struct span url;         /* https://host or https://host:port, no slash behind */
    struct span certificate; /* SHA-256 of its DER form, 64 lower-case hexadecimal digits; n 0: it
                                is vouched for by a CA */
    struct span log;         /* verifier keys (fmt/note.h); n 0: none is named */
    struct span witness;
    struct span receipt;
};

/* Team BY says that KEY is that of TEAM. */
struct card_vouch {
    struct span by;
    struct span team;
    struct span time;
    int64_t time_us;
    uint8_t by_key[CARD_KEY_BYTES];
    uint8_t key[CARD_KEY_BYTES];
    uint8_t signature[CARD_SIGNATURE_BYTES];
};

/* Whose word was it that a card was accepted here? */
enum card_basis {
    CARD_BY_NOBODY, /* it waits */
    CARD_BY_OPERATOR,
    CARD_BY_KEY,      /* the key was known */
    CARD_BY_PREVIOUS, /* the known key signed the new one */
    CARD_BY_SPONSORS,
};
extern const char *const card_basis_words[]; /* by enum card_basis, NULL behind */

struct card_acceptance {
    uint8_t basis;                          /* enum card_basis */
    int64_t time_us;                        /* 0: it was not kept here */
    struct span from;                       /* the team whose node brought it; n 0: none */
    struct span sponsors[CARD_VOUCHES_MAX]; /* of CARD_BY_SPONSORS */
    size_t sponsor_count;
};

struct card_signed {
    struct span id;
    struct span version;
    int64_t version_us;
    struct card_node node;
    uint8_t key[CARD_KEY_BYTES];
    uint8_t signature[CARD_SIGNATURE_BYTES];
    bool has_previous;
    uint8_t previous[CARD_SIGNATURE_BYTES];      /* by the key before: card_sign_by_previous */
    struct card_vouch vouches[CARD_VOUCHES_MAX]; /* those for this team and key, rightly signed */
    size_t vouch_count;
    struct card_acceptance accepted; /* as this node kept it */
    struct span text;                /* what is signed, without the line */
};

/* Read CARD, a whole one, and check its signature. 1: *OUT is filled, texts in ARENA; 0: it is not
 * signed. ERR_BAD_CARD says what is wrong; ERR_LIMIT (size, arena). Vouches that are for another
 * team or key, or wrongly signed, are left out. The rest of the card is card_read's. */
int card_sign_read(
    struct arena *arena, struct json_value card, struct card_signed *out, struct err *err);
/* Did KEY, the one known before, sign this card too? */
bool card_sign_by_previous(const struct card_signed *card, const uint8_t key[CARD_KEY_BYTES]);

/* Append the signed form of CARD (JSON; what it has of `signature`, `vouches`, `verified` and
 * `accepted` does not count), signed by KEY and, if it is not NULL, PREVIOUS. ERR_BAD_CARD,
 * ERR_LIMIT. */
MUST_USE int card_sign(struct buf *out, struct json_value card, const struct agreement_key *key,
    const struct agreement_key *previous, struct err *err);
/* BY says at AT_US that CARD's key is that of its team: put among its vouches, in the place of an
 * earlier one by BY. Texts in ARENA. ERR_LIMIT: there is no room for one more. */
MUST_USE int card_sign_vouch(struct arena *arena, struct card_signed *card, struct span by,
    const struct agreement_key *key, int64_t at_us, struct err *err);
/* FROM's vouches beside those of CARD, if they are for its key, as far as there is room; how many
 * were new. */
size_t card_sign_join(struct card_signed *card, const struct card_signed *from);

/* The card as it is handed on (RFC 8785): `verified` says what this node thinks; KEPT: with
 * `accepted`, as in the data folder. ERR_LIMIT. */
MUST_USE int card_sign_document(
    struct buf *out, const struct card_signed *card, bool verified, bool kept, struct err *err);

/* What people compare: the first 16 bytes of the key's SHA-256, in hexadecimal. */
void card_sign_print(const uint8_t key[CARD_KEY_BYTES], char out[CARD_PRINT_BYTES]);

#endif
