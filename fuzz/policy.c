/* Agreement documents and the feeds file: whatever they say, they are told from broken ones,
 * compile, and a broken one releases nothing. */
#include "fuzz.h"

#include "flow/agreements.h"
#include "flow/decide.h"
#include "flow/feeds.h"

static void
compile(const struct agreement_set *set)
{
    static const struct team_channels none = {0};
    const struct policy_team teams[] = {
        {SPAN("a-cert"), NULL, 0, none}, {SPAN("b-cert"), NULL, 0, none}};
    struct policy *policy;
    struct verdict verdict;

    if (policy_compile(set, teams, 2, &policy, NULL) != 0)
        return;
    for (uint8_t tlp = 0; tlp < TLP_COUNT; tlp++) {
        const struct decide_input input = {.origin = {1},
            .recipient = {2},
            .classification = 1 + tlp,
            .tlp = tlp,
            .clock_trusted = true};
        decide(policy, &input, &verdict);
        MUST(tlp != TLP_UNKNOWN || verdict.effect == EFFECT_WITHHOLD);
        MUST(agreements_broken(set) < set->count || verdict.effect == EFFECT_WITHHOLD);
    }
    policy_free(policy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct span text = {size == 0 ? "" : (const char *)data, size};
    const char *name = "input.json";
    struct agreement_set set;
    struct feeds feeds;

    MUST(arena != NULL);
    if (agreements_parse(arena, &text, &name, 1, &set, NULL) == 0)
        compile(&set);
    if (feeds_parse(arena, text, name, &feeds, NULL) == 0)
        compile(&feeds.conditions);
    arena_free(arena);
    return 0;
}
