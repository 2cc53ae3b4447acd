#include "flow/nearmiss.h"

static bool
of_economy(const struct policy_team *team, struct economy economy)
{
    for (size_t i = 0; i < team->economy_count; i++)
        if (team->economies[i].index == economy.index)
            return true;
    return false;
}

bool
nearmiss_covers(const struct agreement *agreement, const struct party_pattern *pattern,
    const struct policy_team *team)
{
    if (pattern->type == PARTY_ANY)
        return true;
    if (team == NULL)
        return false;
    if (pattern->type == PARTY_PARTY)
        return agreement_has_party(agreement, team->id);
    if (pattern->type == PARTY_ECONOMY)
        return of_economy(team, pattern->economy);
    return span_equal(pattern->team, team->id);
}

/* A report that names no provider may be of any. */
static bool
covers_provider(const struct clause *clause, struct span provider)
{
    bool any = clause->provider_count == 0 || provider.n == 0;

    for (size_t i = 0; !any && i < clause->provider_count; i++)
        any = span_equal_nocase(clause->providers[i], provider);
    return any;
}

uint32_t
nearmiss_lacks(const struct agreement *agreement, const struct clause *clause,
    const struct nearmiss_question *q)
{
    uint32_t lacks = 0;

    if (agreement->suspended)
        lacks |= NEARMISS_SUSPENDED;
    if (q->at_us < agreement->valid_from_us)
        lacks |= NEARMISS_NOT_YET;
    if (q->at_us >= agreement->valid_until_us)
        lacks |= NEARMISS_ENDED;
    if (q->tlp > clause->tlp_max)
        lacks |= NEARMISS_TLP;
    if (!covers_provider(clause, q->provider))
        lacks |= NEARMISS_PROVIDER;
    if ((clause->classifications >> q->classification & 1) == 0)
        lacks |= NEARMISS_CLASSIFICATION;
    if (!nearmiss_covers(agreement, &clause->from, q->origin))
        lacks |= NEARMISS_FROM;
    if (!nearmiss_covers(agreement, &clause->to, q->recipient))
        lacks |= NEARMISS_TO;
    return lacks;
}

/* How far off: a clause about other teams or other incidents is farther than one that only ended.
 */
static unsigned
distance(uint32_t lacks)
{
    static const uint8_t weights[] = {2, 2, 2, 3, 3, 5, 8, 8};
    unsigned sum = 0;

    for (size_t i = 0; i < sizeof weights; i++)
        sum += (lacks >> i & 1) != 0 ? weights[i] : 0;
    return sum;
}

static size_t
insert(struct nearmiss *out, size_t count, size_t room, const struct nearmiss *new)
{
    size_t at = count;

    while (at > 0 && distance(out[at - 1].lacks) > distance(new->lacks))
        at--;
    if (at == room)
        return count;
    size_t kept = count < room ? count : room - 1;
    memmove(out + at + 1, out + at, (kept - at) * sizeof *out);
    out[at] = *new;
    return kept + 1;
}

size_t
nearmiss_find(const struct agreement_set *agreements, const struct nearmiss_question *question,
    struct nearmiss *out, size_t room)
{
    size_t count = 0;

    for (size_t i = 0; room > 0 && i < agreements->count; i++) {
        const struct agreement *agreement = &agreements->agreements[i];
        bool grants = agreement->kind == AGREEMENT_BILATERAL
            || agreement->kind == AGREEMENT_MULTILATERAL || agreement->kind == AGREEMENT_BASELINE;
        for (size_t c = 0; grants && !agreement->broken && c < agreement->clause_count; c++) {
            struct nearmiss new = {agreement, &agreement->clauses[c], 0};
            new.lacks = nearmiss_lacks(agreement, new.clause, question);
            count = insert(out, count, room, &new);
        }
    }
    return count;
}

enum tlp
nearmiss_tlp(const struct agreement_set *agreements, enum tlp tlp, struct span provider)
{
    for (size_t i = 0; i < agreements->count; i++) {
        const struct agreement *agreement = &agreements->agreements[i];
        for (size_t c = 0; c < agreement->clause_count; c++) {
            const struct clause *clause = &agreement->clauses[c];
            if (clause->tlp_floor > tlp && covers_provider(clause, provider))
                tlp = (enum tlp)clause->tlp_floor;
        }
    }
    return tlp;
}
