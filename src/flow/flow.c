#include "flow/flow.h"

#include <stdlib.h>
#include <string.h>

/* Treated values of one report: two recipients, each field coarsened once. */
enum { REDACTION_BYTES = 16 * 1024 * 1024, SOON = 2 };

/* What is known of the provider that was asked for last: feeds come in runs. */
struct known_provider {
    char text[64];
    uint32_t n;
    uint32_t provider; /* as policy_provider has it */
    enum tlp tlp;      /* of its unlabelled reports */
};

struct flow {
    struct flow_options options;
    struct totals counts;
    struct seen *seen;
    struct arena *arena;
    struct address soon[SOON]; /* prepared last: their table nodes arrive while others are read */
    unsigned next_soon;
    struct known_provider known;
    bool from_partner;
    const struct team_id *through; /* teams that the report came through, besides who sends it */
    size_t through_count;
    struct flow_result result;
};

static void
learn_provider(struct flow *flow, struct span provider)
{
    struct known_provider *known = &flow->known;

    known->n = provider.n <= sizeof known->text ? (uint32_t)provider.n : UINT32_MAX;
    if (provider.n > 0 && provider.n <= sizeof known->text)
        memcpy(known->text, provider.p, provider.n);
    known->provider = policy_provider(flow->options.policy, provider);
    known->tlp = feeds_tlp(flow->options.feeds, provider);
}

static const struct known_provider *
find_provider(struct flow *flow, struct span provider)
{
    if (!span_equal((struct span){flow->known.text, flow->known.n}, provider))
        learn_provider(flow, provider);
    return &flow->known;
}

int
flow_new(const struct flow_options *options, struct flow **out, struct err *err)
{
    struct flow *flow = calloc(1, sizeof *flow);

    if (flow == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the flow");
    flow->options = *options;
    learn_provider(flow, (struct span){"", 0});
    flow->arena = arena_new(REDACTION_BYTES);
    flow->seen = options->seen;
    if (options->seen == NULL && options->window > 0)
        flow->seen = seen_new(options->window);
    if (flow->arena == NULL || (options->window > 0 && flow->seen == NULL)) {
        flow_free(flow);
        return err_set(err, ERR_NO_MEMORY, "no memory for a window of %llu reports",
            (unsigned long long)options->window);
    }
    *out = flow;
    return 0;
}

void
flow_free(struct flow *flow)
{
    if (flow == NULL)
        return;
    if (flow->options.seen == NULL)
        seen_free(flow->seen);
    arena_free(flow->arena);
    free(flow);
}

const struct totals *
flow_counts(const struct flow *flow)
{
    return &flow->counts;
}

void
flow_sender(struct flow *flow, struct team_id origin, bool partner)
{
    flow->options.origin = origin;
    flow->from_partner = partner;
}

void
flow_came_through(struct flow *flow, const struct team_id *teams, size_t count)
{
    flow->through = teams;
    flow->through_count = count;
}

void
flow_duplicate(struct flow *flow)
{
    flow->counts.received++;
    flow->counts.duplicate++;
}

void
flow_moment(struct flow *flow, int64_t at_us, bool clock_trusted)
{
    flow->options.at_us = at_us;
    flow->options.clock_trusted = clock_trusted;
}

void
flow_rejected(struct flow *flow)
{
    flow->counts.received++;
    flow->counts.rejected++;
}

/* The node of this address, and what the node of an earlier one leads to. */
static void
prefetch_address(struct flow *flow, const struct address *address)
{
    const struct geo *geo = flow->options.world.geo;
    struct address *soon = &flow->soon[flow->next_soon++ % SOON];

    if (soon->family != 0)
        geo_prefetch_entry(geo, soon);
    geo_prefetch(geo, address);
    *soon = *address;
}

void
flow_prepare(struct flow *flow, struct report *report)
{
    const struct geo *geo = flow->options.world.geo;

    if (flow->seen != NULL) {
        if (report->digest == 0)
            report->digest = report_digest(report);
        seen_prefetch(flow->seen, report->digest);
    }
    if (geo != NULL && report->source.ip.family != 0)
        prefetch_address(flow, &report->source.ip);
    if (geo != NULL && report->destination.ip.family != 0)
        prefetch_address(flow, &report->destination.ip);
}

/* Does ORIGIN answer for every economy of RECIPIENT as a whole? */
static bool
in_constituency(const struct roster *roster, struct team_id origin, struct team_id recipient)
{
    uint8_t others;

    if (origin.index == 0 || recipient.index == 0 || recipient.index > roster_count(roster))
        return false;
    const struct team *team = roster_team(roster, recipient);
    for (size_t i = 0; i < team->economy_count; i++)
        if (roster_by_economy(roster, team->economies[i], &others).index != origin.index)
            return false;
    return team->economy_count > 0;
}

static bool
is_party(const struct flow *flow, const struct agreement *a, struct team_id recipient)
{
    const struct roster *roster = flow->options.world.roster;

    return recipient.index > 0 && recipient.index <= roster_count(roster)
        && agreement_has_party(a, roster_team(roster, recipient)->id);
}

static struct decide_input
question_of(const struct flow *flow, uint32_t provider, struct team_id recipient)
{
    const struct flow_options *options = &flow->options;

    return (struct decide_input){
        .origin = options->origin,
        .recipient = recipient,
        .provider = provider,
        .classification = flow->result.report->classification,
        .tlp = (uint8_t)flow->result.tlp,
        .clock_trusted = options->clock_trusted,
        .at_us = options->at_us,
    };
}

/* Under which term a partner's report came is what the same agreements say of telling it to us: a
 * partner who may not is one whose reports go nowhere. */
static void
bind_to_term(const struct flow *flow, const struct policy *policy, struct decide_input *input)
{
    struct decide_input came = *input;
    struct verdict verdict;

    came.recipient = flow->options.own;
    decide(policy, &came, &verdict);
    input->from_partner = true;
    input->onward = ONWARD_NONE;
    if (verdict.effect == EFFECT_WITHHOLD || verdict.clause_count == 0)
        return;
    input->onward = verdict.onward;
    input->recipient_in_constituency =
        in_constituency(flow->options.world.roster, input->origin, input->recipient);
    input->recipient_is_party =
        is_party(flow, policy_agreement(policy, verdict.clauses[0]), input->recipient);
}

static bool
came_through(const struct flow *flow, struct team_id team)
{
    if (team.index == 0)
        return false;
    for (size_t i = 0; i < flow->through_count; i++)
        if (flow->through[i].index == team.index)
            return true;
    return flow->from_partner && team.index == flow->options.origin.index;
}

/* What a partner told this node's own team has crossed: the sender's people released it, the sender
 * treated it, and to pseudonymise it once more would leave what nobody can turn back. */
static void
as_it_came(struct verdict *out)
{
    if (out->effect == EFFECT_WITHHOLD)
        return;
    out->effect = EFFECT_RELEASE;
    out->reason = REASON_TOLD;
    out->require_encrypted = out->require_receipt = false;
    memset(out->laxity, TREATMENT_REMOVE, sizeof out->laxity);
}

static void
decide_by(struct flow *flow, const struct policy *policy, uint32_t provider,
    struct team_id recipient, struct verdict *out)
{
    struct decide_input input = question_of(flow, provider, recipient);
    bool ours = recipient.index != 0 && recipient.index == flow->options.own.index;

    if (came_through(flow, recipient)) {
        *out = (struct verdict){.reason = REASON_RETURN};
        return;
    }
    if (flow->from_partner && !ours)
        bind_to_term(flow, policy, &input);
    decide(policy, &input, out);
    if (flow->from_partner && ours)
        as_it_came(out);
}

static void
decide_one(struct flow *flow, uint32_t provider, struct flow_outcome *outcome)
{
    decide_by(flow, flow->options.policy, provider, outcome->recipient, &outcome->verdict);
}

void
flow_judge(
    struct flow *flow, const struct policy *another, struct team_id recipient, struct verdict *out)
{
    decide_by(
        flow, another, policy_provider(another, flow->result.report->provider), recipient, out);
}

static void
count_outcome(struct totals *counts, const struct flow_outcome *outcome)
{
    counts->outcomes++;
    if (outcome->recipient.index == 0)
        counts->unattributed++;
    else if (outcome->verdict.effect == EFFECT_RELEASE)
        counts->released++;
    else if (outcome->verdict.effect == EFFECT_HOLD)
        counts->held++;
    else
        counts->withheld++;
}

struct redact_means
flow_means(
    const struct flow_options *options, struct team_id recipient, const struct verdict *verdict)
{
    const struct span agreement = verdict->clause_count > 0
        ? policy_agreement(options->policy, verdict->clauses[0])->id
        : SPAN("");

    return redact_means(options->pseudonyms, options->extras, verdict, agreement,
        roster_team(options->world.roster, recipient)->id);
}

/* What left for the other recipient, if the same treatments make the same of the report. */
static const struct redacted *
redacted_alike(
    const struct flow *flow, const struct flow_outcome *outcome, const struct flow_outcome *other)
{
    bool alike =
        memcmp(outcome->verdict.laxity, other->verdict.laxity, sizeof outcome->verdict.laxity) == 0;

    if (flow->options.pseudonyms != NULL && verdict_pseudonymises(&outcome->verdict))
        return NULL;
    return alike ? other->redacted : NULL;
}

static int
redact_one(
    struct flow *flow, struct flow_outcome *outcome, const struct verdict *verdict, struct err *err)
{
    const struct redact_means means = flow_means(&flow->options, outcome->recipient, verdict);

    return redact(flow->arena, &means, flow->result.report, verdict, flow->result.tlp,
        &outcome->redacted, err);
}

static int
decide_all(struct flow *flow, uint32_t provider, struct err *err)
{
    struct flow_result *result = &flow->result;

    arena_reset(flow->arena);
    for (uint8_t i = 0; i < result->outcome_count; i++) {
        struct flow_outcome *outcome = &result->outcomes[i];
        outcome->recipient = result->attribution.recipients[i];
        outcome->redacted = NULL;
        decide_one(flow, provider, outcome);
        if (outcome->verdict.effect != EFFECT_RELEASE || flow->options.decides_only)
            continue;
        if (i > 0)
            outcome->redacted = redacted_alike(flow, outcome, &result->outcomes[0]);
        int rc = outcome->redacted != NULL ? 0 : redact_one(flow, outcome, &outcome->verdict, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int
flow_suppose(struct flow *flow, struct team_id recipient, struct flow_outcome *out, struct err *err)
{
    const struct report *report = flow->result.report;

    *out = (struct flow_outcome){.recipient = recipient};
    decide_one(flow, find_provider(flow, report->provider)->provider, out);
    if (out->verdict.effect == EFFECT_WITHHOLD)
        return 0;
    struct verdict released = out->verdict;
    released.effect = EFFECT_RELEASE;
    return redact_one(flow, out, &released, err);
}

/* Everybody may read what is for the community, so nothing is that is not CLEAR or GREEN. */
static void
decide_community(struct flow *flow, uint32_t provider)
{
    struct flow_result *result = &flow->result;
    struct flow_outcome *outcome = &result->outcomes[result->outcome_count];

    if (result->tlp != TLP_CLEAR && result->tlp != TLP_GREEN)
        return;
    *outcome = (struct flow_outcome){.recipient = flow->options.community};
    decide_one(flow, provider, outcome);
    if (outcome->verdict.effect != EFFECT_WITHHOLD)
        result->outcome_count++;
}

static void
nobody(struct flow_result *result)
{
    result->outcome_count = 1;
    result->outcomes[0] = (struct flow_outcome){.verdict.reason = REASON_UNATTRIBUTED};
}

static uint32_t
term_of(const struct flow *flow, uint32_t provider)
{
    const struct decide_input came = question_of(flow, provider, flow->options.own);
    struct verdict verdict;

    if (!flow->from_partner)
        return 0;
    decide(flow->options.policy, &came, &verdict);
    return verdict.retention_days;
}

/* Whoever gave it, an id that was told on is known: what comes back by another way is no other
 * report. One that nobody was told keeps nobody else's from being told. */
static bool
is_known(struct flow *flow, const struct report *report)
{
    if (flow->seen == NULL)
        return false;
    return (report->id_digest != 0 && seen_has(flow->seen, report->id_digest))
        || seen_add(flow->seen, report->digest);
}

static uint64_t
remember(struct flow *flow, const struct report *report)
{
    const struct flow_result *result = &flow->result;
    bool told = false;

    for (uint8_t i = 0; i < result->outcome_count; i++)
        told = told || result->outcomes[i].verdict.effect == EFFECT_RELEASE
            || result->outcomes[i].verdict.reason == REASON_RETURN;
    if (!told || report->id_digest == 0 || flow->seen == NULL)
        return report->digest;
    (void)seen_add(flow->seen, report->id_digest);
    return report->id_digest;
}

int
flow_report(struct flow *flow, const struct report *report, struct err *err)
{
    struct flow_result *result = &flow->result;
    struct totals *counts = &flow->counts;
    int rc = 0;

    if (is_known(flow, report)) {
        flow_duplicate(flow);
        return 0;
    }
    counts->received++;
    counts->stored++;
    result->report = report;
    const struct known_provider *known = find_provider(flow, report->provider);
    result->tlp = report->tlp_given ? (enum tlp)report->tlp : known->tlp;
    attribute_report(&flow->options.world, report, &result->attribution);
    result->term_days = term_of(flow, known->provider);
    result->outcome_count = result->attribution.recipient_count;
    if (result->outcome_count == 0)
        nobody(result);
    else
        rc = decide_all(flow, known->provider, err);
    if (rc != 0)
        return rc;
    if (flow->options.community.index != 0)
        decide_community(flow, known->provider);
    for (uint8_t i = 0; i < result->outcome_count; i++)
        count_outcome(counts, &result->outcomes[i]);
    result->digest = remember(flow, report);
    return flow->options.deliver(flow->options.ctx, result, err);
}
