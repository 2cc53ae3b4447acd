/* team.h: who are the teams, and what does each answer for?
 *
 * A team card holds RFC 2350's contents. Teams are known by index into one immutable
 * roster, so that nothing is compared as text once reports flow.
 */
#ifndef COMITY_MODEL_TEAM_H
#define COMITY_MODEL_TEAM_H

#include "base/mem.h"
#include "model/address.h"
#include "model/words.h"

struct team_id {
    uint32_t index; /* 0: nobody; else 1 + position in the roster */
};

/* How a team can be reached; only what verdicts ask about. */
struct team_channels {
    bool any;       /* some channel is known */
    bool encrypted; /* an encrypted one is known */
    bool receipt;   /* one that answers with signed receipts is known */
};

/* What a team is to one of its economies. */
struct team_scope {
    struct span word; /* all, government, research, finance, ... */
    uint16_t rank;    /* among teams of the same kind, 1 first; 0: TEAM_RANK_DEFAULT */
    bool whole;       /* answers for the economy as a whole (scope all) */
};
enum { TEAM_RANK_DEFAULT = 100 };

struct team {
    struct span id; /* "fi-ncsc": letters, digits, '-', '.', '_' */
    struct span name;
    struct span full_name; /* n 0: none */
    struct span kind;      /* national, government, research, ... */
    struct span site;      /* URL; n 0: none */
    struct span source;    /* where the card comes from */
    bool verified;         /* the operator confirmed the card, or it was accepted */
    struct span word;      /* whose word an accepted card is, for people; n 0: the directory's */
    const struct economy *economies;
    size_t economy_count;
    const struct team_scope *scopes; /* one for each economy; NULL: by kind (team_kind_whole) */
    const struct address *prefixes;
    size_t prefix_count;
    const uint32_t *asns;
    size_t asn_count;
    const struct span *domains; /* lower case, no leading dot */
    size_t domain_count;
    struct team_channels channels;
    struct span card; /* the card as compact JSON; n 0: made in memory */
};

/* Does a team of this kind answer for its economy as a whole where its card does not say? */
static inline bool
team_kind_whole(struct span kind)
{
    return span_equal(kind, SPAN("national")) || span_equal(kind, SPAN("coordination-center"));
}

#endif
