/* cells.h: which questions can these agreements tell apart?
 *
 * Teams that every clause covers alike, classifications and providers likewise, are taken
 * together: one of them answers for all. So that what two policies say can be compared whole, not
 * by samples. Pure; all of it lives in the arena.
 */
#ifndef COMITY_FLOW_CELLS_H
#define COMITY_FLOW_CELLS_H

#include "flow/decide.h"

enum { CELLS_MAX = 200 * 1000 * 1000, CELLS_PROVIDER_GROUPS_MAX = 64 };

struct cells_teams { /* as team_id.index; 0: a sender who is not in the directory */
    const uint32_t *members;
    uint32_t count;
};
/* Groups 0 and 1 are reports that name no provider, and providers that no clause names. */
enum { CELLS_NOT_NAMED, CELLS_OTHERS, CELLS_NAMED };
struct cells_providers {
    const struct span *names; /* [0] answers for all; of CELLS_OTHERS a name that nobody can have */
    size_t count;
};
struct cells {
    struct cells_teams *teams; /* group 0 is the sender who is not in the directory, alone */
    size_t team_groups;
    uint64_t classes[CLASSIFICATION_COUNT]; /* bit c: enum classification c */
    size_t class_groups;
    struct cells_providers *providers;
    size_t provider_groups;
};

/* What all of SETS (whole: with laws and conditions) tell apart among TEAMS. Suspended and ended
 * ones count, too. Errors: ERR_LIMIT when ARENA is full, or beyond CELLS_MAX questions or
 * CELLS_PROVIDER_GROUPS_MAX groups of providers; ERR_NO_MEMORY. */
MUST_USE int cells_make(struct arena *arena, const struct agreement_set *const *sets,
    size_t set_count, const struct policy_team *teams, size_t team_count, struct cells *out,
    struct err *err);

/* Who asks for this pair of groups; false if there is no such pair: a group of one has nobody else
 * to tell, and nobody tells the unknown. */
bool cells_pair(const struct cells *cells, size_t from, size_t to, struct team_id *origin,
    struct team_id *recipient);
enum classification cells_class(const struct cells *cells, size_t group);

#endif
