/* parties.h: which teams does a policy know of?
 *
 * The directory's teams as policy_compile wants them, and those that agreements name though the
 * directory has no card of them.
 */
#ifndef COMITY_FLOW_PARTIES_H
#define COMITY_FLOW_PARTIES_H

#include "flow/decide.h"
#include "flow/roster.h"

struct parties {
    struct policy_team *teams; /* those of the directory first, in its order */
    size_t count;
    size_t known; /* how many are in the directory */
};

/* Teams of ROSTER, then every other that SETS name as a party or in a clause. All live in ARENA.
 * Errors: ERR_LIMIT, ERR_NO_MEMORY. */
MUST_USE int parties_gather(struct arena *arena, const struct roster *roster,
    const struct agreement_set *const *sets, size_t set_count, struct parties *out,
    struct err *err);

/* Is there a team with this id in the directory? */
bool parties_knows(const struct parties *parties, struct span id);

#endif
