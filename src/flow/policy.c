#include "flow/policy_private.h"

#include <stdlib.h>

enum { WORD_BITS = 64, PROVIDER_NAME_BYTES = 256, NAMES_BYTES_MAX = 4 << 20 };
#define MATRIX_BYTES_MAX ((size_t)512 << 20)

struct builder {
    struct policy *policy;
    const struct policy_team *teams;
    size_t team_count;
    struct table *ids;   /* team id -> position in teams */
    struct arena *names; /* the policy's: lower-case provider names */
};

/* ---- order of clauses ---- */

static enum segment
segment_of(const struct agreement *agreement)
{
    static const enum segment segments[AGREEMENT_KIND_COUNT] = {
        [AGREEMENT_BILATERAL] = SEGMENT_BILATERAL,
        [AGREEMENT_MULTILATERAL] = SEGMENT_MULTILATERAL,
        [AGREEMENT_BASELINE] = SEGMENT_BASELINE,
        [AGREEMENT_LAW] = SEGMENT_CEILING,
        [AGREEMENT_FEED] = SEGMENT_CEILING,
    };

    return agreement->broken ? SEGMENT_BROKEN : segments[agreement->kind];
}

/* First bit of each segment, [SEGMENT_COUNT] one past the last. Suspended agreements get no bits.
 */
static int
lay_out(const struct agreement_set *set, size_t starts[SEGMENT_COUNT + 1], struct err *err)
{
    size_t counts[SEGMENT_COUNT] = {0};
    size_t total = 0;

    for (size_t i = 0; i < set->count; i++) {
        const struct agreement *a = &set->agreements[i];
        if (a->suspended)
            continue;
        counts[segment_of(a)] += a->clause_count;
        total += a->clause_count;
        if (a->clause_count > POLICY_CLAUSES_MAX || total > POLICY_CLAUSES_MAX)
            return err_set(err, ERR_LIMIT,
                "the agreements have more than %d clauses in all; keep to fewer folders or files",
                POLICY_CLAUSES_MAX);
    }
    starts[0] = 0;
    for (int s = 0; s < SEGMENT_COUNT; s++)
        starts[s + 1] = starts[s] + (counts[s] + WORD_BITS - 1) / WORD_BITS * WORD_BITS;
    return 0;
}

/* ---- providers ---- */

/* Lower case in ROOM; false for names longer than any that is compared. */
static bool
fold(struct span name, char room[PROVIDER_NAME_BYTES])
{
    if (name.n > PROVIDER_NAME_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        room[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return true;
}

static int
add_provider(struct builder *b, struct span name, struct err *err)
{
    char room[PROVIDER_NAME_BYTES];
    uint32_t index;

    if (!fold(name, room))
        return err_set(
            err, ERR_LIMIT, "a provider's name is longer than %d bytes", PROVIDER_NAME_BYTES);
    if (table_find(b->policy->providers, (struct span){room, name.n}) >= 0)
        return 0;
    const char *copy = arena_copy(b->names, room, name.n);
    if (copy == NULL)
        return arena_full(err, "the list of providers");
    return table_add(b->policy->providers, (struct span){copy, name.n}, &index, err);
}

static int
collect_providers(struct builder *b, const struct agreement_set *set, struct err *err)
{
    for (size_t i = 0; i < set->count; i++)
        for (size_t c = 0; c < set->agreements[i].clause_count; c++) {
            const struct clause *clause = &set->agreements[i].clauses[c];
            for (size_t p = 0; p < clause->provider_count; p++) {
                int rc = add_provider(b, clause->providers[p], err);
                if (rc != 0)
                    return rc;
            }
        }
    b->policy->provider_count = PROVIDER_FIRST + table_count(b->policy->providers);
    return 0;
}

uint32_t
policy_provider(const struct policy *policy, struct span provider)
{
    char room[PROVIDER_NAME_BYTES];

    if (provider.n == 0)
        return PROVIDER_NOT_NAMED;
    if (!fold(provider, room))
        return PROVIDER_UNMENTIONED;
    int64_t found = table_find(policy->providers, (struct span){room, provider.n});
    return found < 0 ? PROVIDER_UNMENTIONED : (uint32_t)(PROVIDER_FIRST + found);
}

/* ---- rows ---- */

static void
set_bit(uint64_t *row, size_t bit)
{
    row[bit / WORD_BITS] |= (uint64_t)1 << (bit % WORD_BITS);
}

static bool
lives_in(const struct policy_team *team, struct economy economy)
{
    for (size_t i = 0; i < team->economy_count; i++)
        if (team->economies[i].index == economy.index)
            return true;
    return false;
}

static void
mark_team(struct builder *b, uint64_t *rows, struct span id, size_t bit)
{
    int64_t at = table_find(b->ids, id);

    if (at >= 0)
        set_bit(rows + (size_t)(at + 1) * b->policy->words, bit);
}

/* Teams that PATTERN covers get BIT in their row; row 0 stands for nobody. A law takes a team
 * whose economy is not known to be of every economy, as it may be. */
static void
mark(struct builder *b, uint64_t *rows, const struct agreement *agreement,
    const struct party_pattern *pattern, size_t bit)
{
    bool law = agreement->kind == AGREEMENT_LAW;
    size_t words = b->policy->words;

    if (pattern->type == PARTY_TEAM)
        mark_team(b, rows, pattern->team, bit);
    if (pattern->type == PARTY_PARTY)
        for (size_t i = 0; i < agreement->party_count; i++)
            mark_team(b, rows, agreement->parties[i], bit);
    if (pattern->type == PARTY_ANY || law)
        set_bit(rows, bit);
    if (pattern->type != PARTY_ANY && pattern->type != PARTY_ECONOMY)
        return;
    bool grants = !agreement->broken && !law && agreement->kind != AGREEMENT_FEED;
    for (size_t t = 0; t < b->team_count; t++) {
        const struct policy_team *team = &b->teams[t];
        if (team->named_only && grants)
            continue;
        if (pattern->type == PARTY_ANY || lives_in(team, pattern->economy)
            || (law && team->economy_count == 0))
            set_bit(rows + (t + 1) * words, bit);
    }
}

/* A law binds origins of its economy, and those that may be of it. */
static void
unmark_foreign(struct builder *b, const struct agreement *law, size_t bit)
{
    if (law->kind != AGREEMENT_LAW || law->economy.index == 0)
        return;
    for (size_t t = 0; t < b->team_count; t++)
        if (b->teams[t].economy_count > 0 && !lives_in(&b->teams[t], law->economy))
            b->policy->by_origin[(t + 1) * b->policy->words + bit / WORD_BITS] &=
                ~((uint64_t)1 << (bit % WORD_BITS));
}

static void
mark_providers(struct policy *policy, const struct clause *clause, bool broken, size_t bit)
{
    size_t words = policy->words;

    for (size_t p = 0; p < policy->provider_count; p++)
        if (p == PROVIDER_NOT_NAMED || clause->provider_count == 0 || broken)
            set_bit(policy->by_provider + p * words, bit);
    for (size_t i = 0; i < clause->provider_count; i++) {
        uint32_t p = policy_provider(policy, clause->providers[i]);
        set_bit(policy->by_provider + p * words, bit);
        if (clause->tlp_floor > policy->tlp_floor[p])
            policy->tlp_floor[p] = clause->tlp_floor;
        if (clause->tlp_floor > policy->tlp_floor[PROVIDER_NOT_NAMED])
            policy->tlp_floor[PROVIDER_NOT_NAMED] = clause->tlp_floor;
    }
}

static void
mark_contents(struct policy *policy, const struct clause *clause, bool broken, size_t bit)
{
    for (size_t c = 1; c < CLASSIFICATION_COUNT; c++)
        if (broken || (clause->classifications >> c & 1) != 0)
            set_bit(policy->by_class + c * policy->words, bit);
    for (size_t t = TLP_CLEAR; t < TLP_COUNT; t++)
        if (broken || t <= clause->tlp_max)
            set_bit(policy->by_tlp + t * policy->words, bit);
}

/* ---- rules ---- */

static uint32_t
unary(unsigned rank)
{
    return (1u << rank) - 1;
}

static struct rule
rule_of(const struct agreement *agreement, const struct clause *clause)
{
    struct rule rule = {
        .from_us = agreement->valid_from_us,
        .until_us = agreement->valid_until_us,
        .marks = unary((unsigned)(EFFECT_RELEASE - clause->effect))
            | unary((unsigned)(ONWARD_TLP - clause->onward)) << MARK_ONWARD_SHIFT
            | (clause->require_encrypted ? MARK_ENCRYPTED : 0u)
            | (clause->require_receipt ? MARK_RECEIPT : 0u)
            | (clause->provider_count > 0 ? MARK_BY_PROVIDER : 0u),
        .retention = clause->retention_days == 0 ? UINT32_MAX : clause->retention_days,
    };

    for (size_t c = 0; c < FIELD_CLASS_COUNT; c++)
        rule.treatments |= (uint64_t)unary(clause->treatment[c]) << (8 * c);
    return rule;
}

static void
add_clause(struct builder *b, size_t a, size_t c, size_t bit)
{
    struct policy *policy = b->policy;
    const struct agreement *agreement = &policy->agreements->agreements[a];
    const struct clause *clause = &agreement->clauses[c];

    policy->rules[bit] = rule_of(agreement, clause);
    policy->sources[bit] = (struct source){(uint32_t)a, (uint32_t)c};
    mark_contents(policy, clause, agreement->broken, bit);
    mark_providers(policy, clause, agreement->broken, bit);
    mark(b, policy->by_origin, agreement, &clause->from, bit);
    unmark_foreign(b, agreement, bit);
    mark(b, policy->by_recipient, agreement, &clause->to, bit);
}

static void
add_clauses(struct builder *b, const size_t starts[SEGMENT_COUNT + 1])
{
    const struct agreement_set *set = b->policy->agreements;
    size_t next[SEGMENT_COUNT];

    memcpy(next, starts, sizeof next);
    for (size_t a = 0; a < set->count; a++) {
        const struct agreement *agreement = &set->agreements[a];
        for (size_t c = 0; !agreement->suspended && c < agreement->clause_count; c++)
            add_clause(b, a, c, next[segment_of(agreement)]++);
    }
}

/* ---- summaries ---- */

static void
summarise(const struct policy *policy, const uint64_t *rows, uint64_t *summaries)
{
    for (size_t t = 0; t <= policy->team_count; t++)
        for (size_t w = 0; w < policy->words; w++)
            if (rows[t * policy->words + w] != 0)
                set_bit(summaries + t * policy->summary_words, w);
}

static void
finish(struct builder *b, const size_t starts[SEGMENT_COUNT + 1])
{
    struct policy *policy = b->policy;

    for (int s = 0; s <= SEGMENT_COUNT; s++)
        policy->segment_word[s] = starts[s] / WORD_BITS;
    for (size_t t = 0; t < b->team_count; t++)
        policy->channels[t] = b->teams[t].channels;
    summarise(policy, policy->by_origin, policy->origin_summary);
    summarise(policy, policy->by_recipient, policy->recipient_summary);
}

/* ---- the whole ---- */

static int
allocate(struct builder *b, size_t bits, struct err *err)
{
    struct policy *p = b->policy;
    size_t words = bits / WORD_BITS > 0 ? bits / WORD_BITS : 1;
    size_t rows = b->team_count + 1;

    if (rows > MATRIX_BYTES_MAX / 8 / words || p->provider_count > MATRIX_BYTES_MAX / 8 / words)
        return err_set(err, ERR_LIMIT,
            "%zu teams, %zu providers and %zu clauses are more than a policy can hold; keep to "
            "fewer teams or agreements",
            b->team_count, p->provider_count, bits);
    p->words = words;
    p->team_count = b->team_count;
    p->rules = calloc(words * WORD_BITS, sizeof *p->rules);
    p->sources = calloc(words * WORD_BITS, sizeof *p->sources);
    p->by_class = calloc(CLASSIFICATION_COUNT * words, 8);
    p->by_tlp = calloc(TLP_COUNT * words, 8);
    p->by_provider = calloc(p->provider_count * words, 8);
    p->tlp_floor = calloc(p->provider_count, 1);
    p->by_origin = calloc(rows * words, 8);
    p->by_recipient = calloc(rows * words, 8);
    p->summary_words = (words + WORD_BITS - 1) / WORD_BITS;
    p->origin_summary = calloc(rows * p->summary_words, 8);
    p->recipient_summary = calloc(rows * p->summary_words, 8);
    p->channels = calloc(rows, sizeof *p->channels);
    if (p->rules == NULL || p->sources == NULL || p->by_class == NULL || p->by_tlp == NULL
        || p->by_provider == NULL || p->tlp_floor == NULL || p->by_origin == NULL
        || p->by_recipient == NULL || p->origin_summary == NULL || p->recipient_summary == NULL
        || p->channels == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the compiled agreements");
    return 0;
}

static int
index_teams(struct builder *b, struct err *err)
{
    for (size_t t = 0; t < b->team_count; t++) {
        uint32_t index;
        int rc = table_add(b->ids, b->teams[t].id, &index, err);
        if (rc != 0)
            return rc;
        if (index != t)
            return err_set(
                err, ERR_BAD_CONFIG, "two teams have the id \"%.*s\"", SPAN_ARGS(b->teams[t].id));
    }
    return 0;
}

static int
build(struct builder *b, const struct agreement_set *agreements, struct err *err)
{
    size_t starts[SEGMENT_COUNT + 1];

    b->policy->agreements = agreements;
    b->policy->providers = table_new(POLICY_PROVIDERS_MAX);
    b->ids = table_new(b->team_count);
    if (b->policy->providers == NULL || b->ids == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the compiled agreements");
    int rc = lay_out(agreements, starts, err);
    if (rc == 0)
        rc = index_teams(b, err);
    if (rc == 0)
        rc = collect_providers(b, agreements, err);
    if (rc == 0)
        rc = allocate(b, starts[SEGMENT_COUNT], err);
    if (rc != 0)
        return rc;
    add_clauses(b, starts);
    finish(b, starts);
    return 0;
}

int
policy_compile(const struct agreement_set *agreements, const struct policy_team *teams,
    size_t team_count, struct policy **out, struct err *err)
{
    struct builder b = {.teams = teams, .team_count = team_count};

    *out = NULL;
    b.policy = calloc(1, sizeof *b.policy);
    if (b.policy == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the compiled agreements");
    b.names = b.policy->names = arena_new(NAMES_BYTES_MAX);
    int rc = b.names == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the compiled agreements")
                             : build(&b, agreements, err);
    table_free(b.ids);
    if (rc != 0)
        policy_free(b.policy);
    else
        *out = b.policy;
    return rc;
}

void
policy_free(struct policy *policy)
{
    if (policy == NULL)
        return;
    free(policy->rules);
    free(policy->sources);
    free(policy->by_class);
    free(policy->by_tlp);
    free(policy->by_provider);
    free(policy->tlp_floor);
    free(policy->by_origin);
    free(policy->by_recipient);
    free(policy->origin_summary);
    free(policy->recipient_summary);
    free(policy->channels);
    table_free(policy->providers);
    arena_free(policy->names);
    free(policy);
}

const struct agreement *
policy_agreement(const struct policy *policy, uint32_t clause)
{
    return &policy->agreements->agreements[policy->sources[clause].agreement];
}

const struct clause *
policy_clause(const struct policy *policy, uint32_t clause)
{
    return &policy_agreement(policy, clause)->clauses[policy->sources[clause].clause];
}
