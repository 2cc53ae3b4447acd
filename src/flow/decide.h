/* decide.h: may this team be told this, under which clause, and what of it?
 *
 * Pure: no I/O, no clock, no allocation, no globals. The policy is an immutable compiled form
 * of all agreements; a verdict is a few ANDs of bit sets. doc/agreement-language.md has the
 * semantics.
 */
#ifndef COMITY_FLOW_DECIDE_H
#define COMITY_FLOW_DECIDE_H

#include "model/agreement.h"
#include "model/verdict.h"

struct policy;

enum { POLICY_CLAUSES_MAX = 32768, POLICY_PROVIDERS_MAX = 4096 };

/* Compile AGREEMENTS for TEAM_COUNT teams (TEAMS[i] is team_id.index i + 1). The policy borrows
 * AGREEMENTS, which must outlive it; TEAMS are only looked at.
 * Errors: ERR_NO_MEMORY; ERR_LIMIT for too many clauses, providers, or teams times clauses. */
struct policy_team { /* what a policy needs to know of a team */
    struct span id;
    const struct economy *economies;
    size_t economy_count;
    struct team_channels channels;
    bool named_only; /* no team: what would tell everybody does not tell it, what withholds does */
};
MUST_USE int policy_compile(const struct agreement_set *agreements, const struct policy_team *teams,
    size_t team_count, struct policy **out, struct err *err);
void policy_free(struct policy *policy);

/* Index of a provider's name (as feed.provider has it; compared without case), for decide_input; 0
 * for "not named", and for names no clause mentions a common index. */
uint32_t policy_provider(const struct policy *policy, struct span provider);

struct decide_input {
    struct team_id origin; /* nobody: only `*` covers it */
    struct team_id recipient;
    uint32_t provider;              /* from policy_provider */
    uint8_t classification;         /* enum classification */
    uint8_t tlp;                    /* enum tlp; of an unlabelled report: feeds_report_tlp */
    bool from_partner;              /* it came under a clause of a partner ... */
    uint8_t onward;                 /* ... whose onward term (enum onward) this is */
    bool recipient_in_constituency; /* for onward: the recipient is of the origin's own constituency
                                     */
    bool recipient_is_party; /* for onward: ... or a party of the agreement under which it came */
    bool clock_trusted;
    int64_t at_us;
};
/* A team_id beyond the policy's teams is withheld as not-decided. */
void decide(const struct policy *policy, const struct decide_input *input, struct verdict *out);

/* For explanations: the clause with that index of verdict.clauses. For reason bad-agreement these
 * are the broken agreements' own. */
const struct agreement *policy_agreement(const struct policy *policy, uint32_t clause);
const struct clause *policy_clause(const struct policy *policy, uint32_t clause);

/* For who asks what a clause is good for: its index (agreement and clause by their positions), or
 * UINT32_MAX if it is suspended; does it cover these two teams, and this question; and as if it
 * were not there. A policy that is muted is its owner's alone. */
uint32_t policy_index(const struct policy *policy, size_t agreement, size_t clause);
bool policy_between(
    const struct policy *policy, uint32_t clause, struct team_id origin, struct team_id recipient);
bool policy_covers(const struct policy *policy, uint32_t clause, const struct decide_input *input);
void policy_mute(struct policy *policy, uint32_t clause, bool mute);

#endif
