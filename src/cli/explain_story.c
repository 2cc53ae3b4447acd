#include "cli/explain_story.h"

#include "base/time.h"
#include "fmt/value.h"

static struct policy_team
team_as_asked(const struct job *job, struct team_id id)
{
    const struct team *team = roster_team(job->setup.roster, id);

    return (struct policy_team){team->id, team->economies, team->economy_count, team->channels};
}

static void
find_near(const struct explain_story *story, struct explain_outcome *out)
{
    const struct job *job = story->job;
    const struct report *report = story->result->report;

    if (out->outcome->verdict.reason != REASON_NO_CLAUSE)
        return;
    const struct policy_team recipient = team_as_asked(job, out->outcome->recipient);
    struct policy_team origin = {0};
    if (job->origin.index != 0)
        origin = team_as_asked(job, job->origin);
    const struct nearmiss_question question = {
        .origin = job->origin.index != 0 ? &origin : NULL,
        .recipient = &recipient,
        .classification = (enum classification)report->classification,
        .tlp = story->tlp_counts,
        .provider = report->provider,
        .at_us = job->at_us,
    };
    out->near_count = nearmiss_find(&job->basis.agreements, &question, out->near, EXPLAIN_NEAR_MAX);
}

static int
add(struct explain_story *story, const struct flow_outcome *outcome, bool supposed, struct err *err)
{
    struct flow_outcome *again = &story->supposed[story->outcome_count];
    struct explain_outcome *out = &story->outcomes[story->outcome_count++];

    *out = (struct explain_outcome){
        .outcome = outcome, .supposed = supposed, .redacted = outcome->redacted};
    if (out->redacted == NULL && outcome->verdict.effect == EFFECT_HOLD) {
        int rc = flow_suppose(story->job->flow, outcome->recipient, again, err);
        if (rc != 0)
            return rc;
        out->redacted = again->redacted;
    }
    find_near(story, out);
    return 0;
}

int
explain_story_gather(struct explain_story *story, const struct job *job,
    const struct flow_result *result, struct team_id to, struct err *err)
{
    const struct report *report = result->report;
    int rc = 0;

    *story = (struct explain_story){.job = job, .result = result};
    story->tlp_from = report->tlp_given                           ? EXPLAIN_TLP_REPORT
        : feeds_find(&job->basis.feeds, report->provider) != NULL ? EXPLAIN_TLP_FEED
                                                                  : EXPLAIN_TLP_DEFAULT;
    story->tlp_counts = result->tlp == TLP_UNKNOWN
        ? TLP_UNKNOWN
        : nearmiss_tlp(&job->basis.agreements, result->tlp, report->provider);
    for (uint8_t i = 0; rc == 0 && i < result->outcome_count; i++)
        rc = add(story, &result->outcomes[i], false, err);
    if (rc != 0 || to.index == 0)
        return rc;
    struct flow_outcome *supposed = &story->supposed[story->outcome_count];
    rc = flow_suppose(job->flow, to, supposed, err);
    return rc == 0 ? add(story, supposed, true, err) : rc;
}

struct redact_rule
explain_story_rule(const struct explain_story *story, const struct explain_outcome *outcome,
    const struct field *field)
{
    if (field->id == FIELD_TLP)
        return (struct redact_rule){FIELD_CLASS_OPEN, TREATMENT_KEEP};
    const struct redact_means means = flow_means(
        &story->job->flow_options, outcome->outcome->recipient, &outcome->outcome->verdict);

    return redact_rule(&means, &outcome->outcome->verdict, field);
}

static bool
claims_economy(const struct team *team, struct economy economy)
{
    for (size_t i = 0; i < team->economy_count; i++)
        if (team->economies[i].index == economy.index
            && (team->scopes == NULL ? team_kind_whole(team->kind) : team->scopes[i].whole))
            return true;
    return false;
}

static bool
claims(const struct team *team, const struct attribution *a)
{
    uint32_t asn = a->geo.asn != 0 ? a->geo.asn : a->feed_asn;
    bool found = false;

    switch ((enum attribution_rule)a->rule) {
    case ATTRIBUTION_RULE_PREFIX:
        for (size_t i = 0; i < team->prefix_count; i++)
            found |= team->prefixes[i].bits == a->prefix.bits
                && address_in(&team->prefixes[i], &a->prefix);
        return found;
    case ATTRIBUTION_RULE_ASN:
        for (size_t i = 0; i < team->asn_count; i++)
            found |= team->asns[i] == asn;
        return found;
    case ATTRIBUTION_RULE_DOMAIN:
        for (size_t i = 0; i < team->domain_count; i++)
            found |= span_equal_nocase(team->domains[i], a->domain);
        return found;
    case ATTRIBUTION_RULE_ECONOMY:
    case ATTRIBUTION_RULE_ASN_ECONOMY:
    case ATTRIBUTION_RULE_CCTLD:
        return claims_economy(team, a->economy);
    case ATTRIBUTION_RULE_NONE:
    case ATTRIBUTION_RULE_COUNT:
        break;
    }
    return false;
}

size_t
explain_story_claimants(const struct roster *roster, const struct attribution *attribution,
    struct team_id out[EXPLAIN_CLAIMANTS_MAX])
{
    size_t count = 0;

    if (attribution->other_teams == 0)
        return 0;
    for (uint32_t i = 1; i <= roster_count(roster) && count < EXPLAIN_CLAIMANTS_MAX; i++)
        if (i != attribution->team.index
            && claims(roster_team(roster, (struct team_id){i}), attribution))
            out[count++] = (struct team_id){i};
    return count;
}

static void
cut(struct address *p, unsigned bits)
{
    p->bits = (uint8_t)bits;
    if (p->family == 4) {
        p->low = bits == 0 ? 0 : p->low & (UINT32_MAX & UINT64_MAX << (32 - bits));
        return;
    }
    p->high = bits == 0 ? 0 : bits >= 64 ? p->high : p->high & UINT64_MAX << (64 - bits);
    p->low = bits <= 64 ? 0 : bits >= 128 ? p->low : p->low & UINT64_MAX << (128 - bits);
}

size_t
explain_story_prefix(
    const struct endpoint *endpoint, const struct attribution *a, char out[ADDRESS_TEXT_BYTES])
{
    struct address p = endpoint->ip.family != 0 ? endpoint->ip : endpoint->network;

    out[0] = '\0';
    if (a->rule == ATTRIBUTION_RULE_PREFIX)
        return address_format(&a->prefix, out);
    if (p.family == 6 && p.high == 0 && p.low >> 32 == 0xffff)
        p = (struct address){.low = (uint32_t)p.low, .family = 4, .bits = 32};
    if (p.family == 0 || a->geo.bits == 0 || a->geo.bits > (p.family == 4 ? 32 : 128))
        return 0;
    cut(&p, a->geo.bits);
    return address_format(&p, out);
}

const char *
explain_story_kind(const struct agreement *agreement)
{
    static const char *const words[AGREEMENT_KIND_COUNT] = {
        [AGREEMENT_BILATERAL] = "bilateral",
        [AGREEMENT_MULTILATERAL] = "multilateral",
        [AGREEMENT_BASELINE] = "baseline",
        [AGREEMENT_LAW] = "law",
        [AGREEMENT_FEED] = "provider's conditions",
    };

    return agreement->broken ? "broken" : words[agreement->kind];
}

const char *
explain_story_lack_word(uint32_t lack)
{
    static const char *const words[] = {"suspended", "not-yet-in-force", "ended", "tlp", "provider",
        "classification", "from", "to"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (lack == 1u << i)
            return words[i];
    return "";
}

void
explain_story_pattern(const struct party_pattern *pattern, struct buf *out)
{
    char code[3];

    switch (pattern->type) {
    case PARTY_ANY:
        buf_add_char(out, '*');
        break;
    case PARTY_PARTY:
        buf_add_text(out, "party");
        break;
    case PARTY_ECONOMY:
        economy_code(pattern->economy, code);
        buf_format(out, "economy:%s", code);
        break;
    case PARTY_TEAM:
        buf_add_span(out, pattern->team);
        break;
    }
}

static void
lack_party(
    const struct explain_story *story, const struct nearmiss *near, bool from, struct buf *out)
{
    const struct party_pattern *pattern = from ? &near->clause->from : &near->clause->to;

    buf_format(out, "`%s` is ", from ? "from" : "to");
    explain_story_pattern(pattern, out);
    if (pattern->type == PARTY_PARTY) {
        buf_add_text(out, " (");
        for (size_t i = 0; i < near->agreement->party_count && i < EXPLAIN_CLAIMANTS_MAX; i++) {
            buf_add_text(out, i > 0 ? ", " : "");
            buf_add_span(out, near->agreement->parties[i]);
        }
        buf_add_text(out, near->agreement->party_count > EXPLAIN_CLAIMANTS_MAX ? ", ...)" : ")");
    }
    if (!from)
        buf_add_text(out, ", which does not cover the recipient");
    else if (story->job->origin.index == 0)
        buf_add_text(out, " and the sender is not known (name it with --as TEAM)");
    else
        buf_add_text(out, ", which does not cover the sender");
}

static void
lack_time(int64_t us, const char *words, struct buf *out)
{
    char text[TIME_TEXT_BYTES];

    (void)time_format(us, "Z", text);
    buf_add_text(out, words);
    buf_add_text(out, text);
}

void
explain_story_lack(
    const struct explain_story *story, const struct nearmiss *near, uint32_t lack, struct buf *out)
{
    switch (lack) {
    case NEARMISS_SUSPENDED:
        buf_add_text(out, "the agreement is suspended");
        break;
    case NEARMISS_NOT_YET:
        lack_time(near->agreement->valid_from_us, "it is in force only from ", out);
        break;
    case NEARMISS_ENDED:
        lack_time(near->agreement->valid_until_us, "it ended at ", out);
        break;
    case NEARMISS_TLP:
        buf_format(out, "it covers up to %s and the report counts as %s",
            tlp_label((enum tlp)near->clause->tlp_max), tlp_label(story->tlp_counts));
        break;
    case NEARMISS_PROVIDER:
        buf_add_text(out, "it covers only reports of ");
        for (size_t i = 0; i < near->clause->provider_count && i < EXPLAIN_CLAIMANTS_MAX; i++) {
            buf_add_text(out, i > 0 ? ", " : "");
            buf_add_span(out, near->clause->providers[i]);
        }
        break;
    case NEARMISS_CLASSIFICATION:
        buf_format(out, "its classifications do not name %s.%s",
            classification_taxonomy((enum classification)story->result->report->classification),
            classification_type((enum classification)story->result->report->classification));
        break;
    default:
        lack_party(story, near, lack == NEARMISS_FROM, out);
        break;
    }
}

void
explain_story_value(const struct field *field, struct buf *out)
{
    if (field->type == VALUE_TEXT)
        buf_add(out, field->s, field->n);
    else
        value_add(out, field);
}
