#include "flow/policy_private.h"

enum { WORD_BITS = 64 };

uint32_t
policy_index(const struct policy *policy, size_t agreement, size_t clause)
{
    for (size_t bit = 0; bit < policy->words * WORD_BITS; bit++) {
        const struct source *source = &policy->sources[bit];
        const struct rule *rule = &policy->rules[bit];
        bool used = rule->from_us != 0 || rule->until_us != 0; /* else it fills a word */
        if (used && source->agreement == agreement && source->clause == clause)
            return (uint32_t)bit;
    }
    return UINT32_MAX;
}

bool
policy_between(
    const struct policy *policy, uint32_t clause, struct team_id origin, struct team_id recipient)
{
    const size_t word = clause / WORD_BITS;
    uint64_t m = policy->by_origin[origin.index * policy->words + word]
        & policy->by_recipient[recipient.index * policy->words + word];

    return (m >> clause % WORD_BITS & 1) != 0;
}

bool
policy_covers(const struct policy *policy, uint32_t clause, const struct decide_input *input)
{
    const struct rule *rule = &policy->rules[clause];
    const size_t word = clause / WORD_BITS;
    uint8_t floor = policy->tlp_floor[input->provider];
    uint8_t tlp = floor > input->tlp ? floor : input->tlp;
    uint64_t m = policy->by_class[input->classification * policy->words + word]
        & policy->by_tlp[tlp * policy->words + word]
        & policy->by_provider[input->provider * policy->words + word];

    return (m >> clause % WORD_BITS & 1) != 0
        && policy_between(policy, clause, input->origin, input->recipient)
        && rule->from_us <= input->at_us && input->at_us < rule->until_us;
}

void
policy_mute(struct policy *policy, uint32_t clause, bool mute)
{
    policy->rules[clause].until_us =
        mute ? INT64_MIN : policy_agreement(policy, clause)->valid_until_us;
}
