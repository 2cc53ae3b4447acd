#include "flow/policy_private.h"

#include <endian.h>

_Static_assert(FIELD_CLASS_COUNT == 8, "treatments are merged as the eight bytes of one word");
_Static_assert(TREATMENT_REMOVE == 3, "a treatment is at most three bits in unary");

/* The rows that hold for one question. */
struct rows {
    const uint64_t *class;
    const uint64_t *tlp;
    const uint64_t *provider;
    const uint64_t *origin;
    const uint64_t *recipient;
    const uint64_t *origin_summary;
    const uint64_t *recipient_summary;
    enum tlp tlp_rank;
    bool provider_named;
};

/* The strictest of all clauses that matched, and which these were: one slot more than a verdict
 * shows takes the rest, so that noting a clause needs no branch. */
struct tally {
    uint64_t treatments;
    uint32_t marks;
    uint32_t retention;
    uint32_t count;
    uint32_t clauses[VERDICT_CLAUSES_MAX + 1];
};

static inline void
note(struct tally *tally, const struct rule *rule, uint32_t clause)
{
    tally->treatments |= rule->treatments;
    tally->marks |= rule->marks;
    tally->retention = rule->retention < tally->retention ? rule->retention : tally->retention;
    tally->clauses[tally->count < VERDICT_CLAUSES_MAX ? tally->count : VERDICT_CLAUSES_MAX] =
        clause;
    tally->count++;
}

static inline void
match_word(const struct policy *policy, const struct rows *rows, size_t w, int64_t at_us,
    struct tally *tally)
{
    uint64_t m =
        rows->recipient[w] & rows->origin[w] & rows->class[w] & rows->tlp[w] & rows->provider[w];

    for (; m != 0; m &= m - 1) {
        uint32_t clause = (uint32_t)w * 64 + (uint32_t)__builtin_ctzll(m);
        const struct rule *rule = &policy->rules[clause];
        if (rule->from_us <= at_us && at_us < rule->until_us)
            note(tally, rule, clause);
    }
}

/* Bits FROM up to but not TO of a word, cut to those that lie in it. */
static inline uint64_t
bits_between(size_t from, size_t to, size_t word)
{
    size_t low = word * 64;
    uint64_t mask = from > low ? ~(uint64_t)0 << (from - low) : ~(uint64_t)0;

    return to - low < 64 ? mask & (((uint64_t)1 << (to - low)) - 1) : mask;
}

/* Only words in which both origin and recipient have a clause are looked at. */
static inline void
match(const struct policy *policy, const struct rows *rows, enum segment segment, int64_t at_us,
    struct tally *tally)
{
    size_t from = policy->segment_word[segment];
    size_t to = policy->segment_word[segment + 1];

    for (size_t k = from / 64; k * 64 < to; k++) {
        uint64_t s =
            rows->origin_summary[k] & rows->recipient_summary[k] & bits_between(from, to, k);
        for (; s != 0; s &= s - 1)
            match_word(policy, rows, k * 64 + (size_t)__builtin_ctzll(s), at_us, tally);
    }
}

static inline void
set_clauses(struct verdict *out, const struct tally *tally)
{
    size_t n = tally->count < VERDICT_CLAUSES_MAX ? tally->count : VERDICT_CLAUSES_MAX;

    out->clause_count = (uint8_t)(tally->count < UINT8_MAX ? tally->count : UINT8_MAX);
    for (size_t i = 0; i < n; i++)
        out->clauses[i] = tally->clauses[i];
}

static enum effect
effect_of(uint32_t marks)
{
    if ((marks & MARK_WITHHOLD) == MARK_WITHHOLD)
        return EFFECT_WITHHOLD;
    return (marks & MARK_HOLD) != 0 ? EFFECT_HOLD : EFFECT_RELEASE;
}

/* What withholds, or lets through, before any clause is looked at; REASON_CLAUSE if nothing does.
 */
static enum reason
before_clauses(const struct policy *policy, const struct decide_input *input)
{
    if (input->recipient.index == 0)
        return REASON_UNATTRIBUTED;
    if (input->recipient.index > policy->team_count || input->origin.index > policy->team_count)
        return REASON_NONE;
    if (input->recipient.index == input->origin.index)
        return REASON_OWN;
    if (!input->clock_trusted)
        return REASON_CLOCK;
    if (input->tlp == TLP_UNKNOWN || input->tlp >= TLP_COUNT)
        return REASON_UNKNOWN_TLP;
    if (input->classification == CLASSIFICATION_UNKNOWN
        || input->classification >= CLASSIFICATION_COUNT)
        return REASON_UNKNOWN_CLASSIFICATION;
    return REASON_CLAUSE;
}

static void
set_own(struct verdict *out)
{
    out->effect = EFFECT_RELEASE;
    memset(out->laxity, TREATMENT_REMOVE, sizeof out->laxity);
    out->onward = ONWARD_TLP;
}

/* May a partner's report go on to this recipient, as the term under which it came has it? */
static bool
onward_allows(const struct decide_input *input, enum tlp tlp)
{
    bool own = input->recipient_in_constituency;

    switch (input->onward) {
    case ONWARD_CONSTITUENCY:
        return own;
    case ONWARD_PARTY:
        return own || input->recipient_is_party;
    case ONWARD_TLP:
        return tlp == TLP_CLEAR || tlp == TLP_GREEN || (tlp == TLP_AMBER && own);
    default:
        return false;
    }
}

static inline void
lower(struct verdict *out, enum effect effect, enum reason reason)
{
    if (effect >= out->effect)
        return;
    out->effect = (uint8_t)effect;
    out->reason = (uint8_t)reason;
}

/* TLP:RED: whatever does not withhold it anyway. */
static void
needs_person(struct verdict *out, enum segment level)
{
    if (out->effect == EFFECT_WITHHOLD)
        return;
    out->effect = level == SEGMENT_BILATERAL ? EFFECT_HOLD : EFFECT_WITHHOLD;
    out->reason = REASON_RED_NEEDS_PERSON;
}

/* The terms that go with what leaves now or after a person's release. */
static inline void
set_terms(struct verdict *out, const struct tally *tally, const struct decide_input *input)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t t = tally->treatments;
    uint64_t laxity = ones * 3 - (t & ones) - (t >> 1 & ones) - (t >> 2 & ones);

    laxity = htole64(laxity);
    memcpy(out->laxity, &laxity, sizeof laxity);
    out->require_encrypted = (tally->marks & MARK_ENCRYPTED) != 0;
    out->require_receipt = (tally->marks & MARK_RECEIPT) != 0;
    out->retention_days = tally->retention == UINT32_MAX ? 0 : tally->retention;
    unsigned onward = tally->marks >> MARK_ONWARD_SHIFT & 7u;
    out->onward = (uint8_t)(3u - (onward & 1u) - (onward >> 1 & 1u) - (onward >> 2));
    if (input->from_partner && input->onward < out->onward)
        out->onward = input->onward;
}

/* The first level with a matching clause; SEGMENT_CEILING if none has one. */
static inline enum segment
first_level(
    const struct policy *policy, const struct rows *rows, int64_t at_us, struct tally *tally)
{
    for (enum segment s = SEGMENT_BILATERAL; s < SEGMENT_CEILING; s++) {
        match(policy, rows, s, at_us, tally);
        if (tally->count > 0)
            return s;
    }
    return SEGMENT_CEILING;
}

/* The clauses' own word, then what may only make it stricter. */
static inline void
decide_by_level(const struct policy *policy, const struct decide_input *input,
    const struct rows *rows, enum segment level, struct tally *tally, struct verdict *out)
{
    struct team_channels channels = policy->channels[input->recipient.index - 1];

    out->effect = (uint8_t)effect_of(tally->marks);
    out->reason = REASON_CLAUSE;
    if (rows->tlp_rank == TLP_RED)
        needs_person(out, level);
    match(policy, rows, SEGMENT_CEILING, input->at_us, tally);
    lower(out, effect_of(tally->marks), REASON_CEILING);
    if (input->from_partner && !onward_allows(input, rows->tlp_rank))
        lower(out, EFFECT_WITHHOLD, REASON_CEILING);
    if (!rows->provider_named && (tally->marks & MARK_BY_PROVIDER) != 0) {
        out->effect = EFFECT_WITHHOLD;
        out->reason = REASON_UNKNOWN_PROVIDER;
    }
    if (out->effect == EFFECT_WITHHOLD)
        return;
    set_terms(out, tally, input);
    if (out->require_encrypted && !channels.encrypted)
        lower(out, EFFECT_HOLD, REASON_NO_ENCRYPTED_CHANNEL);
    if (out->require_receipt && !channels.receipt)
        lower(out, EFFECT_HOLD, REASON_NO_RECEIPT_CHANNEL);
}

static inline void
decide_by_clauses(const struct policy *policy, const struct decide_input *input,
    const struct rows *rows, struct verdict *out)
{
    struct tally tally;

    tally.treatments = tally.marks = tally.count = 0;
    tally.retention = UINT32_MAX;
    match(policy, rows, SEGMENT_BROKEN, input->at_us, &tally);
    if (tally.count > 0) {
        out->reason = REASON_BAD_AGREEMENT;
    } else if (!rows->provider_named && rows->tlp_rank > input->tlp) {
        out->reason = REASON_UNKNOWN_PROVIDER;
    } else {
        enum segment level = first_level(policy, rows, input->at_us, &tally);
        if (level == SEGMENT_CEILING)
            out->reason = REASON_NO_CLAUSE;
        else
            decide_by_level(policy, input, rows, level, &tally, out);
    }
    set_clauses(out, &tally);
}

void
decide(const struct policy *policy, const struct decide_input *input, struct verdict *out)
{
    *out = (struct verdict){0};
    enum reason reason = before_clauses(policy, input);
    out->reason = (uint8_t)reason;
    if (reason == REASON_OWN)
        set_own(out);
    if (reason != REASON_CLAUSE)
        return;
    size_t provider =
        input->provider < policy->provider_count ? input->provider : PROVIDER_NOT_NAMED;
    uint8_t floor = policy->tlp_floor[provider];
    enum tlp rank = floor > input->tlp ? (enum tlp)floor : (enum tlp)input->tlp;
    struct rows rows = {
        .class = policy->by_class + input->classification * policy->words,
        .tlp = policy->by_tlp + rank * policy->words,
        .provider = policy->by_provider + provider * policy->words,
        .origin = policy->by_origin + input->origin.index * policy->words,
        .recipient = policy->by_recipient + input->recipient.index * policy->words,
        .origin_summary = policy->origin_summary + input->origin.index * policy->summary_words,
        .recipient_summary =
            policy->recipient_summary + input->recipient.index * policy->summary_words,
        .tlp_rank = rank,
        .provider_named = provider != PROVIDER_NOT_NAMED,
    };
    decide_by_clauses(policy, input, &rows, out);
}
