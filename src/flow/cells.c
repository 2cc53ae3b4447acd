#include "flow/cells.h"

#include "flow/nearmiss.h"

#include <stdlib.h>

/* Things that are split into groups until every clause covers a group wholly or not at all. */
struct split {
    uint32_t *group; /* of each thing */
    uint32_t *moved; /* of each group: where those that are covered go */
    size_t count;
    uint32_t groups;
};

static int
split_new(struct split *split, size_t count, struct err *err)
{
    *split = (struct split){.group = calloc(count + 1, sizeof *split->group),
        .moved = calloc(2 * count + 2, sizeof *split->moved),
        .count = count,
        .groups = count > 0};
    return split->group != NULL && split->moved != NULL
        ? 0
        : err_set(err, ERR_NO_MEMORY, "no memory to compare agreements");
}

static void
split_free(struct split *split)
{
    free(split->group);
    free(split->moved);
}

/* A group of which only some are covered becomes two. */
static void
split_by(struct split *split, bool (*covered)(const void *ctx, size_t thing), const void *ctx)
{
    uint32_t before = split->groups;
    uint32_t *inside = split->moved;
    uint32_t *outside = split->moved + split->count + 1;

    memset(inside, 0, before * sizeof *inside);
    memset(outside, 0, before * sizeof *outside);
    for (size_t i = 0; i < split->count; i++) {
        uint32_t g = split->group[i];
        if (!covered(ctx, i))
            outside[g] = 1;
        else if (inside[g] == 0)
            inside[g] = UINT32_MAX;
    }
    for (uint32_t g = 0; g < before; g++)
        inside[g] = inside[g] != 0 && outside[g] != 0 ? split->groups++ : g;
    for (size_t i = 0; i < split->count; i++)
        if (split->group[i] < before && covered(ctx, i))
            split->group[i] = inside[split->group[i]];
}

/* ---- teams ---- */

struct by_pattern {
    const struct agreement *agreement;
    const struct party_pattern *pattern;
    const struct policy_team *teams;
};

static bool
covered_team(const void *ctx, size_t thing)
{
    const struct by_pattern *by = ctx;

    return nearmiss_covers(by->agreement, by->pattern, &by->teams[thing]);
}

static bool
no_economy(const void *ctx, size_t thing)
{
    return ((const struct policy_team *)ctx)[thing].economy_count == 0;
}

static bool
has_channels(const void *ctx, size_t thing)
{
    return ((const struct policy_team *)ctx)[thing].channels.encrypted;
}

static bool
has_receipt(const void *ctx, size_t thing)
{
    return ((const struct policy_team *)ctx)[thing].channels.receipt;
}

static void
split_teams(struct split *split, const struct agreement_set *set, const struct policy_team *teams)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct agreement *a = &set->agreements[i];
        const struct party_pattern home = {.type = PARTY_ECONOMY, .economy = a->economy};
        struct by_pattern by = {a, &home, teams};
        if (a->kind == AGREEMENT_LAW)
            split_by(split, covered_team, &by);
        for (size_t c = 0; c < a->clause_count; c++) {
            by.pattern = &a->clauses[c].from;
            if (by.pattern->type != PARTY_ANY)
                split_by(split, covered_team, &by);
            by.pattern = &a->clauses[c].to;
            if (by.pattern->type != PARTY_ANY)
                split_by(split, covered_team, &by);
        }
    }
}

/* Lists of each group's things, one after the other in ORDER. */
static int
list_groups(struct arena *arena, const struct split *split, uint32_t base, uint32_t **order,
    size_t **starts, struct err *err)
{
    *order = arena_zalloc(arena, split->count + 1, sizeof **order);
    *starts = arena_zalloc(arena, split->groups + 2u, sizeof **starts);
    if (*order == NULL || *starts == NULL)
        return arena_full(err, "the comparison of agreements");
    for (size_t i = 0; i < split->count; i++)
        (*starts)[split->group[i] + 2]++;
    for (size_t g = 2; g < split->groups + 2u; g++)
        (*starts)[g] += (*starts)[g - 1];
    for (size_t i = 0; i < split->count; i++)
        (*order)[(*starts)[split->group[i] + 1]++] = (uint32_t)i + base;
    return 0;
}

static int
make_teams(struct arena *arena, const struct split *split, struct cells *out, struct err *err)
{
    static const uint32_t nobody[] = {0};
    uint32_t *order;
    size_t *starts;
    int rc = list_groups(arena, split, 1, &order, &starts, err);

    out->team_groups = split->groups + 1u;
    out->teams = arena_zalloc(arena, out->team_groups, sizeof *out->teams);
    if (rc == 0 && out->teams == NULL)
        rc = arena_full(err, "the comparison of agreements");
    if (rc != 0)
        return rc;
    out->teams[0] = (struct cells_teams){nobody, 1};
    for (uint32_t g = 0; g < split->groups; g++)
        out->teams[g + 1] =
            (struct cells_teams){order + starts[g], (uint32_t)(starts[g + 1] - starts[g])};
    return 0;
}

static int
group_teams(struct arena *arena, const struct agreement_set *const *sets, size_t set_count,
    const struct policy_team *teams, size_t team_count, struct cells *out, struct err *err)
{
    struct split split;
    int rc = split_new(&split, team_count, err);

    if (rc == 0) {
        split_by(&split, no_economy, teams);
        split_by(&split, has_channels, teams);
        split_by(&split, has_receipt, teams);
        for (size_t s = 0; s < set_count; s++)
            split_teams(&split, sets[s], teams);
        rc = make_teams(arena, &split, out, err);
    }
    split_free(&split);
    return rc;
}

/* ---- classifications ---- */

/* A set of classifications splits every group that it cuts. */
static void
split_classes(struct cells *out, uint64_t covered)
{
    size_t before = out->class_groups;

    for (size_t g = 0; g < before; g++) {
        uint64_t inside = out->classes[g] & covered;
        if (inside == 0 || inside == out->classes[g])
            continue;
        out->classes[out->class_groups++] = inside;
        out->classes[g] &= ~covered;
    }
}

static void
group_classes(const struct agreement_set *const *sets, size_t set_count, struct cells *out)
{
    out->class_groups = 1;
    out->classes[0] = (((uint64_t)1 << CLASSIFICATION_COUNT) - 1) & ~(uint64_t)1;
    for (size_t s = 0; s < set_count; s++)
        for (size_t i = 0; i < sets[s]->count; i++)
            for (size_t c = 0; c < sets[s]->agreements[i].clause_count; c++)
                split_classes(out, sets[s]->agreements[i].clauses[c].classifications);
}

enum classification
cells_class(const struct cells *cells, size_t group)
{
    return (enum classification)__builtin_ctzll(cells->classes[group]);
}

/* ---- providers ---- */

struct by_provider {
    const struct clause *clause;
    const struct span *names;
};

static bool
covered_name(const void *ctx, size_t thing)
{
    const struct by_provider *by = ctx;

    for (size_t i = 0; i < by->clause->provider_count; i++)
        if (span_equal_nocase(by->clause->providers[i], by->names[thing]))
            return true;
    return false;
}

static bool
is_known(const struct span *names, size_t count, struct span name)
{
    for (size_t i = 0; i < count; i++)
        if (span_equal_nocase(names[i], name))
            return true;
    return false;
}

static int
collect_names(struct arena *arena, const struct agreement_set *const *sets, size_t set_count,
    struct span **out, size_t *count, struct err *err)
{
    struct span *names = arena_zalloc(arena, POLICY_PROVIDERS_MAX, sizeof *names);

    *out = names;
    *count = 0;
    if (names == NULL)
        return arena_full(err, "the comparison of agreements");
    for (size_t s = 0; s < set_count; s++)
        for (size_t i = 0; i < sets[s]->count; i++)
            for (size_t c = 0; c < sets[s]->agreements[i].clause_count; c++) {
                const struct clause *clause = &sets[s]->agreements[i].clauses[c];
                for (size_t p = 0; p < clause->provider_count; p++) {
                    if (is_known(names, *count, clause->providers[p]))
                        continue;
                    if (*count == POLICY_PROVIDERS_MAX)
                        return err_set(err, ERR_LIMIT, "the agreements name more than %d providers",
                            POLICY_PROVIDERS_MAX);
                    names[(*count)++] = clause->providers[p];
                }
            }
    return 0;
}

static int
make_providers(struct arena *arena, const struct split *split, const struct span *names,
    struct cells *out, struct err *err)
{
    static const struct span not_named[] = {{"", 0}};
    static const struct span others[] = {{"\x01", 1}}; /* no document may hold this */
    uint32_t *order;
    size_t *starts;
    int rc = list_groups(arena, split, 0, &order, &starts, err);
    struct span *sorted = arena_zalloc(arena, split->count + 1, sizeof *sorted);

    out->provider_groups = split->groups + (size_t)CELLS_NAMED;
    out->providers = arena_zalloc(arena, out->provider_groups, sizeof *out->providers);
    if (rc == 0 && (sorted == NULL || out->providers == NULL))
        rc = arena_full(err, "the comparison of agreements");
    if (rc == 0 && out->provider_groups > CELLS_PROVIDER_GROUPS_MAX)
        rc = err_set(err, ERR_LIMIT,
            "the agreements tell more than %d groups of providers apart; compare fewer at a time",
            CELLS_PROVIDER_GROUPS_MAX);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < split->count; i++)
        sorted[i] = names[order[i]];
    out->providers[CELLS_NOT_NAMED] = (struct cells_providers){not_named, 1};
    out->providers[CELLS_OTHERS] = (struct cells_providers){others, 1};
    for (uint32_t g = 0; g < split->groups; g++)
        out->providers[CELLS_NAMED + g] =
            (struct cells_providers){sorted + starts[g], starts[g + 1] - starts[g]};
    return 0;
}

static int
group_providers(struct arena *arena, const struct agreement_set *const *sets, size_t set_count,
    struct cells *out, struct err *err)
{
    struct span *names;
    size_t count;
    struct split split = {0};
    int rc = collect_names(arena, sets, set_count, &names, &count, err);

    if (rc == 0)
        rc = split_new(&split, count, err);
    for (size_t s = 0; rc == 0 && s < set_count; s++)
        for (size_t i = 0; i < sets[s]->count; i++)
            for (size_t c = 0; c < sets[s]->agreements[i].clause_count; c++) {
                const struct by_provider by = {&sets[s]->agreements[i].clauses[c], names};
                if (by.clause->provider_count > 0)
                    split_by(&split, covered_name, &by);
            }
    if (rc == 0)
        rc = make_providers(arena, &split, names, out, err);
    split_free(&split);
    return rc;
}

/* ---- all of them ---- */

int
cells_make(struct arena *arena, const struct agreement_set *const *sets, size_t set_count,
    const struct policy_team *teams, size_t team_count, struct cells *out, struct err *err)
{
    *out = (struct cells){0};
    int rc = group_teams(arena, sets, set_count, teams, team_count, out, err);
    group_classes(sets, set_count, out);
    if (rc == 0)
        rc = group_providers(arena, sets, set_count, out, err);
    if (rc != 0)
        return rc;
    size_t pairs = out->team_groups * out->team_groups;
    return pairs <= CELLS_MAX / (out->class_groups * TLP_COUNT * out->provider_groups)
        ? 0
        : err_set(err, ERR_LIMIT,
            "the agreements tell more than %d questions apart; compare fewer at a time", CELLS_MAX);
}

bool
cells_pair(const struct cells *cells, size_t from, size_t to, struct team_id *origin,
    struct team_id *recipient)
{
    const struct cells_teams *a = &cells->teams[from];
    const struct cells_teams *b = &cells->teams[to];

    if (to == 0 || (from == to && a->count < 2))
        return false;
    origin->index = a->members[0];
    recipient->index = b->members[from == to ? 1 : 0];
    return true;
}
