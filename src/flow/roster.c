#include "flow/roster.h"

#include "base/hash.h"
#include "flow/lpm.h"
#include "model/domain.h"

#include <stdlib.h>

#define ROSTER_BYTES_MAX ((size_t)4 << 30)
enum { ROSTER_TEAMS_MAX = 100000, KIND_NATIONAL = 0, KIND_COORDINATION = 1, KIND_OTHER = 2 };

/* One registered thing and who answers for it. */
struct claim {
    struct address prefix;
    struct span domain;
    uint32_t asn;
    uint32_t team;  /* index of a team_id */
    uint32_t order; /* who comes first among equals: rank, then id */
    uint8_t others;
};

struct claims {
    struct claim *items;
    size_t count;
    uint32_t *slots; /* open addressing; claim + 1; prefixes have none */
    uint32_t mask;
};

struct standing { /* who answers for an economy */
    uint32_t team;
    uint8_t others;
};

struct roster {
    struct arena *arena;
    struct team *teams;
    size_t count;
    struct table *ids;
    uint32_t *order;
    struct claims prefixes;
    struct claims asns;
    struct claims domains;
    size_t domain_bytes_max; /* of the longest registered domain */
    struct lpm *v4;
    struct lpm *v6;
    struct standing economies[ECONOMY_COUNT];
};

static bool
copy_span(struct arena *arena, struct span *s)
{
    s->p = s->n == 0 ? "" : arena_copy(arena, s->p, s->n);
    return s->p != NULL;
}

static void *
copy_array(struct arena *arena, const void *items, size_t count, size_t size)
{
    void *copy = arena_zalloc(arena, count + 1, size);

    if (copy != NULL && count > 0)
        memcpy(copy, items, count * size);
    return copy;
}

static bool
copy_scopes(struct arena *arena, struct team *team)
{
    struct team_scope *scopes = arena_zalloc(arena, team->economy_count + 1, sizeof *scopes);
    bool good = scopes != NULL;

    for (size_t i = 0; good && i < team->economy_count; i++) {
        bool whole = team_kind_whole(team->kind);
        scopes[i] = team->scopes != NULL
            ? team->scopes[i]
            : (struct team_scope){whole ? SPAN("all") : team->kind, 0, whole};
        if (scopes[i].rank == 0)
            scopes[i].rank = TEAM_RANK_DEFAULT;
        good = copy_span(arena, &scopes[i].word);
    }
    team->scopes = scopes;
    return good;
}

static bool
copy_domains(struct arena *arena, struct team *team)
{
    struct span *domains = copy_array(arena, team->domains, team->domain_count, sizeof *domains);
    bool good = domains != NULL;

    for (size_t i = 0; good && i < team->domain_count; i++)
        good = copy_span(arena, &domains[i]);
    team->domains = domains;
    return good;
}

static bool
copy_team(struct arena *arena, struct team *team)
{
    struct span *texts[] = {&team->id, &team->name, &team->full_name, &team->kind, &team->site,
        &team->source, &team->word, &team->card};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!copy_span(arena, texts[i]))
            return false;
    team->economies =
        copy_array(arena, team->economies, team->economy_count, sizeof *team->economies);
    team->prefixes = copy_array(arena, team->prefixes, team->prefix_count, sizeof *team->prefixes);
    team->asns = copy_array(arena, team->asns, team->asn_count, sizeof *team->asns);
    return team->economies != NULL && team->prefixes != NULL && team->asns != NULL
        && copy_scopes(arena, team) && copy_domains(arena, team);
}

static int
copy_teams(struct roster *roster, const struct team *teams, struct err *err)
{
    roster->teams = copy_array(roster->arena, teams, roster->count, sizeof *teams);
    for (size_t i = 0; roster->teams != NULL && i < roster->count; i++) {
        uint32_t index;
        int rc;
        if (!copy_team(roster->arena, &roster->teams[i]))
            return arena_full(err, "copying the roster");
        rc = table_add(roster->ids, roster->teams[i].id, &index, err);
        if (rc != 0)
            return rc;
        if (index != i)
            return err_set(err, ERR_EXISTS, "two teams have the id \"%.*s\"; give one another id",
                SPAN_ARGS(roster->teams[i].id));
    }
    return roster->teams == NULL ? arena_full(err, "copying the roster") : 0;
}

static uint16_t
best_rank(const struct team *team)
{
    uint16_t best = TEAM_RANK_DEFAULT;

    for (size_t i = 0; i < team->economy_count; i++)
        if (team->scopes[i].rank < best)
            best = team->scopes[i].rank;
    return best;
}

static int
span_compare(struct span a, struct span b)
{
    int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

struct placed { /* a team on its way to its order */
    const struct team *team;
    uint32_t index;
    uint16_t rank;
};

static int
compare_placed(const void *left, const void *right)
{
    const struct placed *a = left;
    const struct placed *b = right;

    return a->rank != b->rank ? a->rank - b->rank : span_compare(a->team->id, b->team->id);
}

static int
order_teams(struct roster *roster, struct err *err)
{
    struct placed *placed = arena_zalloc(roster->arena, roster->count + 1, sizeof *placed);

    roster->order = arena_zalloc(roster->arena, roster->count + 1, sizeof *roster->order);
    if (placed == NULL || roster->order == NULL)
        return arena_full(err, "ordering the roster");
    for (size_t i = 0; i < roster->count; i++)
        placed[i] = (struct placed){&roster->teams[i], (uint32_t)i, best_rank(&roster->teams[i])};
    qsort(placed, roster->count, sizeof *placed, compare_placed);
    for (size_t i = 0; i < roster->count; i++)
        roster->order[placed[i].index] = (uint32_t)i;
    return 0;
}

static int
compare_keys(const struct claim *a, const struct claim *b)
{
    int c = lpm_compare(&a->prefix, &b->prefix);

    if (c == 0)
        c = (a->asn > b->asn) - (a->asn < b->asn);
    return c != 0 ? c : span_compare(a->domain, b->domain);
}

static int
compare_claims(const void *left, const void *right)
{
    const struct claim *a = left;
    const struct claim *b = right;
    int c = compare_keys(a, b);

    return c != 0 ? c : (a->order > b->order) - (a->order < b->order);
}

/* Keep the first claim on each thing and count the other teams'. */
static void
settle(struct claims *claims)
{
    size_t kept = 0;
    uint32_t last_team = 0;

    qsort(claims->items, claims->count, sizeof *claims->items, compare_claims);
    for (size_t i = 0; i < claims->count; i++) {
        struct claim *claim = &claims->items[i];
        struct claim *winner = kept == 0 ? NULL : &claims->items[kept - 1];
        if (winner == NULL || compare_keys(winner, claim) != 0)
            claims->items[kept++] = *claim;
        else if (claim->team != last_team && winner->others < UINT8_MAX)
            winner->others++;
        last_team = claim->team;
    }
    claims->count = kept;
}

static int
reserve(struct roster *roster, struct claims *claims, size_t count, struct err *err)
{
    claims->items = count >= UINT32_MAX / 4
        ? NULL
        : arena_zalloc(roster->arena, count + 1, sizeof *claims->items);
    return claims->items == NULL ? arena_full(err, "indexing the roster") : 0;
}

static int
collect(struct roster *roster, struct err *err)
{
    size_t prefixes = 0;
    size_t asns = 0;
    size_t domains = 0;
    static const struct span none = {"", 0};

    for (size_t i = 0; i < roster->count; i++) {
        prefixes += roster->teams[i].prefix_count;
        asns += roster->teams[i].asn_count;
        domains += roster->teams[i].domain_count;
    }
    if (reserve(roster, &roster->prefixes, prefixes, err) != 0
        || reserve(roster, &roster->asns, asns, err) != 0
        || reserve(roster, &roster->domains, domains, err) != 0)
        return ERR_LIMIT;
    for (size_t i = 0; i < roster->count; i++) {
        const struct team *team = &roster->teams[i];
        struct claim claim = {.domain = none, .team = (uint32_t)i + 1, .order = roster->order[i]};
        for (size_t j = 0; j < team->prefix_count; j++) {
            claim.prefix = team->prefixes[j];
            roster->prefixes.items[roster->prefixes.count++] = claim;
        }
        claim.prefix = (struct address){0};
        for (size_t j = 0; j < team->asn_count; j++) {
            claim.asn = team->asns[j];
            roster->asns.items[roster->asns.count++] = claim;
        }
        claim.asn = 0;
        for (size_t j = 0; j < team->domain_count; j++) {
            claim.domain = team->domains[j];
            roster->domains.items[roster->domains.count++] = claim;
        }
    }
    return 0;
}

static uint32_t
hash_asn(uint32_t asn)
{
    return (uint32_t)((asn * 0x9e3779b97f4a7c15u) >> 32);
}

static uint32_t
hash_domain(struct span name)
{
    return (uint32_t)hash_short(name.p, name.n, hash_secret());
}

static int
make_slots(struct roster *roster, struct claims *claims, struct err *err)
{
    uint32_t room = 16;

    while (room < claims->count * 4)
        room *= 2;
    claims->slots = arena_zalloc(roster->arena, room, sizeof *claims->slots);
    if (claims->slots == NULL)
        return arena_full(err, "indexing the roster");
    claims->mask = room - 1;
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = &claims->items[i];
        uint32_t at = claim->domain.n > 0 ? hash_domain(claim->domain) : hash_asn(claim->asn);
        while (claims->slots[at & claims->mask] != 0)
            at++;
        claims->slots[at & claims->mask] = (uint32_t)i + 1;
        if (claim->domain.n > roster->domain_bytes_max)
            roster->domain_bytes_max = claim->domain.n;
    }
    return 0;
}

static int
index_prefixes(struct roster *roster, struct err *err)
{
    const struct claims *claims = &roster->prefixes;
    struct lpm_entry *entries = arena_zalloc(roster->arena, claims->count + 1, sizeof *entries);
    int rc;

    if (entries == NULL)
        return arena_full(err, "indexing the roster");
    for (size_t i = 0; i < claims->count; i++)
        entries[i] = (struct lpm_entry){claims->items[i].prefix, (uint32_t)i + 1};
    rc = lpm_build(roster->arena, entries, claims->count, 4, &roster->v4, err);
    return rc != 0 ? rc : lpm_build(roster->arena, entries, claims->count, 6, &roster->v6, err);
}

static unsigned
kind_class(struct span kind)
{
    if (span_equal(kind, SPAN("national")))
        return KIND_NATIONAL;
    return span_equal(kind, SPAN("coordination-center")) ? KIND_COORDINATION : KIND_OTHER;
}

/* Lower is better: kind, then rank in that economy, then id. */
static uint64_t
merit(const struct roster *roster, size_t team, size_t economy)
{
    return (uint64_t)kind_class(roster->teams[team].kind) << 56
        | (uint64_t)roster->teams[team].scopes[economy].rank << 32 | roster->order[team];
}

static int
index_economies(struct roster *roster, struct err *err)
{
    uint64_t *best = arena_zalloc(roster->arena, ECONOMY_COUNT, sizeof *best);

    if (best == NULL)
        return arena_full(err, "indexing the roster");
    for (size_t i = 0; i < roster->count; i++)
        for (size_t j = 0; j < roster->teams[i].economy_count; j++) {
            uint16_t at = roster->teams[i].economies[j].index;
            struct standing *standing = &roster->economies[at];
            uint64_t mine = merit(roster, i, j);
            if (at == 0 || at >= ECONOMY_COUNT || !roster->teams[i].scopes[j].whole)
                continue;
            if (standing->team != 0 && standing->others < UINT8_MAX)
                standing->others++;
            if (standing->team == 0 || mine < best[at]) {
                standing->team = (uint32_t)i + 1;
                best[at] = mine;
            }
        }
    return 0;
}

static int
compile(struct roster *roster, const struct team *teams, struct err *err)
{
    int rc = copy_teams(roster, teams, err);

    if (rc == 0)
        rc = order_teams(roster, err);
    if (rc == 0)
        rc = collect(roster, err);
    if (rc != 0)
        return rc;
    settle(&roster->prefixes);
    settle(&roster->asns);
    settle(&roster->domains);
    rc = index_prefixes(roster, err);
    if (rc == 0)
        rc = make_slots(roster, &roster->asns, err);
    if (rc == 0)
        rc = make_slots(roster, &roster->domains, err);
    return rc == 0 ? index_economies(roster, err) : rc;
}

int
roster_build(const struct team *teams, size_t count, struct roster **out, struct err *err)
{
    struct roster *roster;
    int rc;

    *out = NULL;
    if (count > ROSTER_TEAMS_MAX)
        return err_set(err, ERR_LIMIT, "%zu teams are more than the %d one roster holds", count,
            ROSTER_TEAMS_MAX);
    roster = calloc(1, sizeof *roster);
    if (roster == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a roster");
    roster->count = count;
    roster->arena = arena_new(ROSTER_BYTES_MAX);
    roster->ids = table_new(ROSTER_TEAMS_MAX);
    if (roster->arena == NULL || roster->ids == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for a roster");
    else
        rc = compile(roster, teams, err);
    if (rc != 0) {
        roster_free(roster);
        return rc;
    }
    *out = roster;
    return 0;
}

void
roster_free(struct roster *roster)
{
    if (roster == NULL)
        return;
    table_free(roster->ids);
    arena_free(roster->arena);
    free(roster);
}

size_t
roster_count(const struct roster *roster)
{
    return roster->count;
}

const struct team *
roster_team(const struct roster *roster, struct team_id id)
{
    return &roster->teams[id.index - 1];
}

struct team_id
roster_find(const struct roster *roster, struct span id)
{
    return (struct team_id){(uint32_t)(table_find(roster->ids, id) + 1)};
}

struct team_id
roster_by_address(const struct roster *roster, const struct address *address,
    struct address *matched, uint8_t *others)
{
    const struct claim *claim;
    struct address inside;
    uint32_t value;

    if (address->family == 6 && address->high == 0 && address->low >> 32 == 0xffff) {
        inside = (struct address){.low = (uint32_t)address->low, .family = 4, .bits = 32};
        address = &inside;
    }
    value = lpm_find(address->family == 4 ? roster->v4 : roster->v6, address);
    if (value == 0)
        return (struct team_id){0};
    claim = &roster->prefixes.items[value - 1];
    *matched = claim->prefix;
    *others = claim->others;
    return (struct team_id){claim->team};
}

struct team_id
roster_by_asn(const struct roster *roster, uint32_t asn, uint8_t *others)
{
    const struct claims *claims = &roster->asns;

    for (uint32_t at = hash_asn(asn);; at++) {
        uint32_t slot = claims->slots[at & claims->mask];
        if (slot == 0)
            return (struct team_id){0};
        if (claims->items[slot - 1].asn == asn) {
            *others = claims->items[slot - 1].others;
            return (struct team_id){claims->items[slot - 1].team};
        }
    }
}

/* SUFFIX as it is registered: normalised. */
static const struct claim *
find_domain(const struct claims *claims, struct span suffix)
{
    for (uint32_t at = hash_domain(suffix);; at++) {
        uint32_t slot = claims->slots[at & claims->mask];
        if (slot == 0)
            return NULL;
        if (span_equal(claims->items[slot - 1].domain, suffix))
            return &claims->items[slot - 1];
    }
}

/* The longest suffix that somebody registered. */
static const struct claim *
find_suffix(const struct roster *roster, struct span name)
{
    const struct claim *found = NULL;
    size_t at = name.n > roster->domain_bytes_max ? name.n - roster->domain_bytes_max : 0;

    /* Whole labels only. */
    while (at > 0 && at < name.n && name.p[at - 1] != '.')
        at++;
    while (found == NULL && at < name.n) {
        found = find_domain(&roster->domains, (struct span){name.p + at, name.n - at});
        const char *dot = memchr(name.p + at, '.', name.n - at);
        at = dot == NULL ? name.n : (size_t)(dot - name.p) + 1;
    }
    return found;
}

/* NAME as suffixes are registered, at ROOM if it is not so already. An ASCII name need not be
 * sound: the host of a URL may be anything. */
static bool
compare_form(struct span *name, char room[DOMAIN_BYTES])
{
    unsigned look = domain_look(*name);
    struct err ignored;

    if ((look & DOMAIN_ASCII) == 0) {
        int rc = domain_normalise(*name, room, &name->n, &ignored);
        name->p = room;
        return rc == 0;
    }
    if ((look & DOMAIN_LOWER) != 0)
        return true;
    if (name->n > DOMAIN_BYTES)
        return false;
    for (size_t i = 0; i < name->n; i++) {
        char c = name->p[i];
        room[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    name->p = room;
    return true;
}

struct team_id
roster_by_domain(
    const struct roster *roster, struct span name, struct span *matched, uint8_t *others)
{
    char normal[DOMAIN_BYTES];

    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    if (roster->domains.count == 0 || name.n == 0)
        return (struct team_id){0};
    if (!compare_form(&name, normal))
        return (struct team_id){0};
    const struct claim *claim = find_suffix(roster, name);
    if (claim == NULL)
        return (struct team_id){0};
    *matched = claim->domain;
    *others = claim->others;
    return (struct team_id){claim->team};
}

struct team_id
roster_by_economy(const struct roster *roster, struct economy economy, uint8_t *others)
{
    const struct standing *standing = &roster->economies[economy.index];

    *others = standing->others;
    return (struct team_id){standing->team};
}
