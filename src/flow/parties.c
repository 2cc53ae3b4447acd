#include "flow/parties.h"

#include "base/hash.h"

struct gathering {
    struct parties *out;
    struct table *ids; /* NULL: only counting */
    size_t room;
};

static int
add_name(struct gathering *g, struct span id, struct err *err)
{
    uint32_t index;

    if (g->ids == NULL) {
        g->room++;
        return 0;
    }
    int rc = table_add(g->ids, id, &index, err);
    if (rc == 0 && index == g->out->count)
        g->out->teams[g->out->count++] = (struct policy_team){.id = id};
    return rc;
}

static int
add_pattern(struct gathering *g, const struct party_pattern *pattern, struct err *err)
{
    return pattern->type == PARTY_TEAM ? add_name(g, pattern->team, err) : 0;
}

static int
add_set(struct gathering *g, const struct agreement_set *set, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < set->count; i++) {
        const struct agreement *a = &set->agreements[i];
        for (size_t p = 0; rc == 0 && p < a->party_count; p++)
            if (a->parties[p].n > 0)
                rc = add_name(g, a->parties[p], err);
        for (size_t c = 0; rc == 0 && c < a->clause_count; c++) {
            rc = add_pattern(g, &a->clauses[c].from, err);
            if (rc == 0)
                rc = add_pattern(g, &a->clauses[c].to, err);
        }
    }
    return rc;
}

static int
add_roster(struct gathering *g, const struct roster *roster, struct err *err)
{
    int rc = 0;

    for (uint32_t i = 1; rc == 0 && i <= roster_count(roster); i++) {
        const struct team *team = roster_team(roster, (struct team_id){i});
        uint32_t index;
        rc = table_add(g->ids, team->id, &index, err);
        g->out->teams[g->out->count++] =
            (struct policy_team){team->id, team->economies, team->economy_count, team->channels};
    }
    g->out->known = g->out->count;
    return rc;
}

int
parties_gather(struct arena *arena, const struct roster *roster,
    const struct agreement_set *const *sets, size_t set_count, struct parties *out, struct err *err)
{
    struct gathering g = {.out = out, .room = roster_count(roster)};
    int rc = 0;

    *out = (struct parties){0};
    for (size_t s = 0; rc == 0 && s < set_count; s++)
        rc = add_set(&g, sets[s], err);
    out->teams = arena_zalloc(arena, g.room + 1, sizeof *out->teams);
    if (rc != 0 || out->teams == NULL)
        return rc != 0 ? rc : arena_full(err, "the list of teams");
    g.ids = table_new(g.room + 1);
    if (g.ids == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu teams", g.room);
    rc = add_roster(&g, roster, err);
    for (size_t s = 0; rc == 0 && s < set_count; s++)
        rc = add_set(&g, sets[s], err);
    table_free(g.ids);
    return rc;
}

bool
parties_knows(const struct parties *parties, struct span id)
{
    for (size_t i = 0; i < parties->known; i++)
        if (span_equal(parties->teams[i].id, id))
            return true;
    return false;
}
