/* verdict.c: what does one verdict cost?
 *
 * 1 M verdicts, 300 recipients, 2 000 clauses, beside an empty call of the same shape, interleaved
 * in rounds. Inputs are random and drawn before the clock runs. --json prints one object. */
#include "figure.h"
#include "flow/decide.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TEAMS = 300,
    CLAUSES = 2000,
    VERDICTS = 1000000,
    ROUNDS = 5,
    INPUTS = 1 << 16,
    PROVIDERS = 8
};
static const double REACH_NS = 100;
static const double REACH_COMPILE_MS = 50;

struct world {
    struct arena *arena;
    struct policy_team teams[TEAMS];
    struct agreement agreements[CLAUSES];
    struct agreement_set set;
    struct span providers[PROVIDERS];
    struct policy *policy;
    struct decide_input *inputs;
};

static uint64_t seed = 1;

static unsigned
random_below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % n);
}

static double
now_ns(void)
{
    return figure_seconds(CLOCK_MONOTONIC) * 1e9;
}

static struct span
name(struct arena *arena, const char *what, unsigned n)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%s%u", what, n);

    return (struct span){arena_copy(arena, text, (size_t)length), (size_t)length};
}

static void
make_teams(struct world *w)
{
    for (unsigned t = 0; t < TEAMS; t++) {
        struct economy *economy = arena_zalloc(w->arena, 1, sizeof *economy);
        economy->index = (uint16_t)(1 + t % 81);
        w->teams[t] = (struct policy_team){
            name(w->arena, "team-", t), economy, 1, {true, t % 3 != 0, t % 5 != 0}};
    }
    for (unsigned p = 0; p < PROVIDERS; p++)
        w->providers[p] = name(w->arena, "provider-", p);
}

static struct clause
make_clause(struct world *w, unsigned n, uint8_t kind)
{
    struct clause c = {.id = name(w->arena, "", n),
        .tlp_max = (uint8_t)(1 + random_below(5)),
        .effect = random_below(8) == 0 ? EFFECT_HOLD : EFFECT_RELEASE,
        .onward = ONWARD_TLP};

    c.classifications = random_below(3) == 0 ? UINT64_MAX : (uint64_t)random_below(1u << 30) << 12;
    c.from.type = c.to.type = kind == AGREEMENT_BASELINE ? PARTY_ANY : PARTY_PARTY;
    if (kind == AGREEMENT_LAW && random_below(2) == 0)
        c.to = (struct party_pattern){.type = PARTY_ECONOMY, .economy = {(uint16_t)(1 + n % 81)}};
    for (int f = 0; f < FIELD_CLASS_COUNT; f++)
        c.treatment[f] = (uint8_t)random_below(TREATMENT_COUNT);
    c.require_encrypted = random_below(4) == 0;
    if (random_below(5) == 0) {
        c.providers = &w->providers[random_below(PROVIDERS)];
        c.provider_count = 1;
    }
    return c;
}

/* Five clauses each: 290 bilateral agreements of the first team, 20 multilateral arrangements of 60
 * teams, a law for each of 81 economies and more, a baseline. */
static void
make_agreements(struct world *w)
{
    unsigned left = CLAUSES;

    while (left > 0) {
        unsigned i = (unsigned)w->set.count;
        uint8_t kind = i < 290 ? AGREEMENT_BILATERAL
            : i < 310          ? AGREEMENT_MULTILATERAL
            : i < 396          ? AGREEMENT_LAW
                               : AGREEMENT_BASELINE;
        unsigned count = left < 5 ? left : 5;
        unsigned parties = kind == AGREEMENT_BILATERAL ? 2 : 60;
        struct span *names = arena_zalloc(w->arena, parties, sizeof *names);
        struct clause *clauses = arena_zalloc(w->arena, count, sizeof *clauses);
        for (unsigned p = 0; p < parties; p++)
            names[p] = w->teams[p == 0                        ? 0
                                : kind == AGREEMENT_BILATERAL ? i + 1
                                                              : random_below(TEAMS)]
                           .id;
        for (unsigned c = 0; c < count; c++)
            clauses[c] = make_clause(w, c, kind);
        w->agreements[w->set.count++] = (struct agreement){.kind = kind,
            .parties = names,
            .party_count = parties,
            .economy = {(uint16_t)(kind == AGREEMENT_LAW ? 1 + i % 81 : 0)},
            .valid_until_us = INT64_MAX,
            .clauses = clauses,
            .clause_count = count};
        left -= count;
    }
    w->set.agreements = w->agreements;
}

static void
make_inputs(struct world *w)
{
    w->inputs = arena_zalloc(w->arena, INPUTS, sizeof *w->inputs);
    for (unsigned i = 0; i < INPUTS; i++)
        w->inputs[i] = (struct decide_input){.origin = {1},
            .recipient = {2 + random_below(TEAMS - 1)},
            .provider = policy_provider(w->policy, w->providers[random_below(PROVIDERS)]),
            .classification = (uint8_t)(1 + random_below(CLASSIFICATION_COUNT - 1)),
            .tlp = (uint8_t)(1 + random_below(4)),
            .clock_trusted = true,
            .at_us = 1};
}

typedef void judge(
    const struct policy *policy, const struct decide_input *input, struct verdict *out);

static void
nothing(const struct policy *policy, const struct decide_input *input, struct verdict *out)
{
    (void)policy;
    (void)input;
    *out = (struct verdict){0};
}

/* Nanoseconds for each of VERDICTS calls. */
static double
run(const struct world *w, judge *volatile call, unsigned effects[EFFECT_COUNT])
{
    double start = now_ns();

    for (unsigned i = 0; i < VERDICTS; i++) {
        struct verdict verdict;
        call(w->policy, &w->inputs[i % INPUTS], &verdict);
        effects[verdict.effect]++;
    }
    return (now_ns() - start) / VERDICTS;
}

static void
measure(struct world *w, struct figures *figures)
{
    struct err err;
    double ours[ROUNDS];
    double empty[ROUNDS];
    double compile[ROUNDS];
    double ratio[ROUNDS];
    unsigned effects[EFFECT_COUNT] = {0};
    unsigned ignored[EFFECT_COUNT] = {0};

    for (int r = 0; r < ROUNDS; r++) {
        policy_free(w->policy);
        double start = now_ns();
        if (policy_compile(&w->set, w->teams, TEAMS, &w->policy, &err) != 0) {
            (void)fprintf(stderr, "verdict: %s\n", err.msg);
            exit(3);
        }
        compile[r] = (now_ns() - start) / 1e6;
    }
    make_inputs(w);
    for (int r = 0; r < ROUNDS; r++) {
        empty[r] = run(w, nothing, ignored);
        ours[r] = run(w, decide, effects);
        ratio[r] = ours[r] / empty[r];
    }
    figure_add_rounds(figures,
        (struct figure){.what = "one verdict",
            .value = figure_middle(ours, ROUNDS),
            .unit = "ns",
            .beside = "an empty call",
            .reach = REACH_NS,
            .at_most = true},
        ratio, ROUNDS);
    figure_add(figures,
        (struct figure){
            .what = "an empty call", .value = figure_middle(empty, ROUNDS), .unit = "ns"});
    figure_add(figures,
        (struct figure){.what = "compiling the agreements",
            .value = figure_middle(compile, ROUNDS),
            .unit = "ms",
            .reach = REACH_COMPILE_MS,
            .at_most = true});
    if (!figures->json)
        (void)printf("%d verdicts a round, %d recipients, %d clauses; of a round %u are released, "
                     "%u held, %u withheld\n",
            VERDICTS, TEAMS, CLAUSES, effects[EFFECT_RELEASE] / ROUNDS,
            effects[EFFECT_HOLD] / ROUNDS, effects[EFFECT_WITHHOLD] / ROUNDS);
}

int
main(int argc, char **argv)
{
    static struct world world;
    struct figures figures = {
        .bench = "verdict", .json = argc > 1 && strcmp(argv[1], "--json") == 0};

    world.arena = arena_new((size_t)256 << 20);
    if (world.arena == NULL)
        return 3;
    make_teams(&world);
    make_agreements(&world);
    measure(&world, &figures);
    policy_free(world.policy);
    arena_free(world.arena);
    return figure_tell(&figures);
}
