/* agreement_life.h: what may this team do to an agreement of its register, and what is kept then?
 *
 * Proposing, signing, suspending, resuming, ending and refusing, for the command line and for core
 * alike. Each asks for a register that is open for writing (flow/registry.h), and is durable when
 * it returns: document first, then the journal's lines, so that a run that was cut off between the
 * two is made good by doing the same again. doc/agreement-language.md, section 11.
 */
#ifndef COMITY_FLOW_AGREEMENT_LIFE_H
#define COMITY_FLOW_AGREEMENT_LIFE_H

#include "flow/registry.h"

/* A document on its way into the register, with the signatures of both. */
struct agreement_taken {
    struct agreement a; /* as it is kept */
    struct agreement_signature
        *rows;   /* of it: those that the journal names first, then the others */
    size_t kept; /* how many the journal names */
    size_t room; /* rows */
    size_t at;   /* its place in the register; the register's count: it is new there */
    char digest[AGREEMENT_SIGN_HEX];
};

/* Could DOCUMENT be proposed or signed by this team? ERR_BAD_AGREEMENT, ERR_USAGE: why not. Asked
 * first, so that what is refused makes no key. */
MUST_USE int agreement_life_fits(const struct registry *registry, const struct agreement *document,
    int64_t now_us, struct err *err);
/* Take DOCUMENT, with the signatures that it brings, and sign it. PROPOSE: it is new, and this
 * team's proposal. OUT in ARENA: its signatures behind `kept` are those that are new.
 * Errors: as agreement_life_fits; ERR_EXISTS: there is another text under its id, or it has ended,
 * or (PROPOSE) it is there already; ERR_BAD_AGREEMENT: a signature is wrong; registry_add's. */
MUST_USE int agreement_life_take(struct registry *registry, struct arena *arena,
    const struct agreement *document, bool propose, int64_t now_us, const struct agreement_key *key,
    struct agreement_taken *out, struct err *err);

struct agreement_change {
    uint8_t type; /* enum journal_type: suspended, resumed, ended, refused */
    int64_t now_us;
    int64_t at_us;      /* from when on; not before now_us */
    struct span reason; /* n 0: none */
};
/* Could it be made of agreement I? ERR_EXISTS: it has ended, is suspended already, is not suspended
 * (by this team), was signed or refused by it; ERR_USAGE: the reason is too long, or AT_US past. */
MUST_USE int agreement_life_may(const struct registry *registry, size_t i,
    const struct agreement_change *change, struct err *err);
/* The same, and it is made. */
MUST_USE int agreement_life_change(struct registry *registry, size_t i,
    const struct agreement_change *change, const struct agreement_key *key, struct err *err);

/* ---- for flow/agreement_foreign.c ---- */

/* What is in REGISTRY of DOCUMENT already: its place, and its signatures as rows of OUT, with room
 * for DOCUMENT's and one more. ERR_EXISTS, ERR_BAD_AGREEMENT as above. */
MUST_USE int agreement_life_kept(const struct registry *registry, struct arena *arena,
    const struct agreement *document, struct agreement_taken *out, struct err *err);
bool agreement_life_has(
    const struct agreement_taken *taken, const struct agreement_signature *signature);
/* An event for each signature that is new, with room for MORE behind them; NULL: ARENA is full. */
struct journal_event *agreement_life_events(const struct registry *registry, struct arena *arena,
    const struct agreement_taken *taken, int64_t now_us, size_t more, size_t *count);

#endif
