/* team_draft.h: which card does a team of another directory become?
 *
 * A draft gathers what the source says of one team; settled, it is checked as every card is, and
 * written.
 */
#ifndef COMITY_CLI_TEAM_DRAFT_H
#define COMITY_CLI_TEAM_DRAFT_H

#include "fmt/json.h"
#include "model/team.h"

enum { TEAM_DRAFT_ID_BYTES = 64, TEAM_CARD_BYTES_MAX = 1024 * 1024 };

struct team_importing {
    const char *from;
    const char *file;
    const char *folder;
    bool force;
    bool sandbox;
    struct buf card;
    struct json *json;  /* of the file */
    struct json *again; /* of the card made, to check it */
    struct arena *arena;
    size_t made;
    size_t bad;
    uint64_t item; /* record or line in hand */
};

/* One team as a source has it, before it is a card. */
struct team_draft {
    char id[TEAM_DRAFT_ID_BYTES + 1];
    struct span name, full_name, site, established, hours, timezone, membership, mail, fingerprint;
    const char *kind;
    struct span economies[ECONOMY_COUNT];
    size_t economy_count;
    struct buf prefixes, asns, domains; /* JSON items, comma between */
};

/* An empty draft of kind other. Owner: the caller, until it is settled. */
struct team_draft team_draft_new(void);
/* "AT", "CERT.at" -> "at-cert-at": what is neither letter nor digit is one '-'. */
void team_draft_id(struct team_draft *d, struct span economy, struct span name);
/* What is malformed is left out with a line on stderr; economies that are none, without. */
void team_draft_prefix(struct team_importing *im, struct team_draft *d, struct span text);
void team_draft_kind(struct team_importing *im, struct team_draft *d, struct span word);
void team_draft_asn(struct team_importing *im, struct team_draft *d, uint64_t asn);
void team_draft_domain(struct team_importing *im, struct team_draft *d, struct span text);
void team_draft_economy(struct team_draft *d, struct span code);
/* Write the card or say why not; only faults of this machine come back: ERR_IO, ERR_NO_MEMORY. */
MUST_USE int team_draft_settle(struct team_importing *im, struct team_draft *d, struct err *err);

#endif
