#include "cli/explain_json.h"

#include "base/time.h"
#include "fmt/json.h"
#include "fmt/render.h"
#include "model/special.h"

static void
member(struct buf *out, const char *name, struct span text)
{
    buf_format(out, "%s\"%s\":", out->p[out->n - 1] == '{' ? "" : ",", name);
    if (text.n == 0)
        buf_add_text(out, "null");
    else
        json_add_string(out, span_is_utf8(text) ? text : SPAN("(not UTF-8)"));
}

static void
member_economy(struct buf *out, const char *name, struct economy economy)
{
    char code[3];

    economy_code(economy, code);
    member(out, name, span_of(code));
}

static void
member_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT_BYTES];
    size_t n = us == 0 ? 0 : time_format(us, "Z", text);

    member(out, name, (struct span){text, n});
}

static void
member_flag(struct buf *out, const char *name, bool value)
{
    buf_format(
        out, "%s\"%s\":%s", out->p[out->n - 1] == '{' ? "" : ",", name, value ? "true" : "false");
}

static void
add_team(struct buf *out, const struct job *job, struct team_id id)
{
    if (id.index == 0) {
        buf_add_text(out, "null");
        return;
    }
    const struct team *team = roster_team(job->setup.roster, id);
    buf_add_char(out, '{');
    member(out, "id", team->id);
    member(out, "name", team->name);
    member_flag(out, "verified", team->verified);
    if (team->word.n > 0)
        member(out, "word", team->word);
    buf_add_char(out, '}');
}

static void
add_side(const struct job *job, const struct endpoint *endpoint, const struct attribution *a,
    struct buf *out)
{
    const struct address *address = endpoint->ip.family != 0 ? &endpoint->ip : &endpoint->network;
    const char *special = address->family != 0 ? special_word(address) : NULL;
    uint32_t asn = a->geo.asn != 0 ? a->geo.asn : a->feed_asn;
    struct team_id others[EXPLAIN_CLAIMANTS_MAX];
    size_t count = explain_story_claimants(job->setup.roster, a, others);
    char text[ADDRESS_TEXT_BYTES] = "";

    if (address->family != 0)
        (void)address_format(address, text);
    buf_add_char(out, '{');
    member(out, "address", span_of(text));
    member(out, "name", endpoint->name);
    (void)explain_story_prefix(endpoint, a, text);
    member(out, "prefix", span_of(text));
    member(out, "special", special == NULL ? SPAN("") : span_of(special));
    buf_format(out, ",\"asn\":%u", asn);
    member(out, "as_name",
        job->setup.geo == NULL || asn == 0 ? SPAN("") : geo_asn_name(job->setup.geo, asn));
    member_economy(out, "economy", a->economy);
    member_economy(out, "registry_economy", a->geo.economy);
    member_economy(out, "asn_economy", a->geo.asn_economy);
    member_economy(out, "feed_economy", a->feed_economy);
    member_flag(out, "disagrees", attribution_disagrees(a));
    member(out, "rule", span_of(attribution_rule_word((enum attribution_rule)a->rule)));
    member(out, "rule_text", span_of(attribution_rule_text((enum attribution_rule)a->rule)));
    member(out, "registered_domain", a->rule == ATTRIBUTION_RULE_DOMAIN ? a->domain : SPAN(""));
    buf_add_text(out, ",\"team\":");
    add_team(out, job, a->team);
    buf_format(out, ",\"other_teams\":%u,\"also_claimed_by\":[", a->other_teams);
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        add_team(out, job, others[i]);
    }
    buf_add_text(out, "]}");
}

static void
add_clause(const struct agreement *agreement, const struct clause *clause, struct buf *out)
{
    member(out, "agreement", agreement->id);
    member(out, "title", agreement->title);
    member(out, "kind", span_of(explain_story_kind(agreement)));
    member(out, "file", agreement->file);
    member(out, "clause", clause->id);
    member(out, "note", agreement->broken ? agreement->why : clause->note);
}

static void
add_made_by(const struct job *job, const struct verdict *verdict, struct buf *out)
{
    buf_format(out, ",\"clause_count\":%u,\"clauses\":[", verdict->clause_count);
    for (size_t i = 0; i < verdict->clause_count && i < VERDICT_CLAUSES_MAX; i++) {
        const struct clause *clause = policy_clause(job->basis.policy, verdict->clauses[i]);
        buf_add_text(out, i > 0 ? ",{" : "{");
        add_clause(policy_agreement(job->basis.policy, verdict->clauses[i]), clause, out);
        member(out, "effect", span_of(effect_word((enum effect)clause->effect)));
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void
add_near(const struct explain_story *story, const struct nearmiss *near, struct buf *out)
{
    struct buf text = buf_new(1 << 16);

    buf_add_char(out, '{');
    add_clause(near->agreement, near->clause, out);
    buf_add_text(out, ",\"lacks\":[");
    for (uint32_t lack = 1; lack <= NEARMISS_TO; lack <<= 1) {
        if ((near->lacks & lack) == 0)
            continue;
        text.n = 0;
        explain_story_lack(story, near, lack, &text);
        buf_add_text(out, out->p[out->n - 1] == '[' ? "{" : ",{");
        member(out, "condition", span_of(explain_story_lack_word(lack)));
        member(out, "why", buf_span(&text));
        buf_add_char(out, '}');
    }
    buf_add_text(out, "]}");
    buf_free(&text);
}

/* The value alone, out of render_field's `"name":value`. */
static void
add_value(struct buf *out, const char *name, const struct field *field)
{
    struct field unnamed = *field;

    unnamed.id = FIELD_OTHER;
    unnamed.name = span_of(name);
    buf_add_char(out, ',');
    render_field(out, &unnamed);
}

static void
add_field(const struct explain_story *story, const struct explain_outcome *o,
    const struct field *before, const struct field *after, struct buf *out)
{
    const struct redact_rule rule = explain_story_rule(story, o, before);
    struct span label = span_of(tlp_label(story->result->tlp));
    struct field told = *before;
    bool same = after == before;

    if (before->id == FIELD_TLP) {
        told.type = VALUE_TEXT;
        told.s = label.p;
        told.n = (uint32_t)label.n;
        after = &told;
    }

    buf_add_char(out, '{');
    member(out, "name", before->name);
    member(out, "class", span_of(field_class_word(rule.class)));
    member(out, "treatment", span_of(treatment_word(rule.treatment)));
    if (after != NULL && after->type == VALUE_TEXT && before->type == VALUE_TEXT
        && after->id == before->id)
        same = before->id == FIELD_TLP
            || span_equal((struct span){after->s, after->n}, (struct span){before->s, before->n});
    member(out, "result",
        after == NULL ? SPAN("removed")
            : same    ? SPAN("kept")
                      : SPAN("coarsened"));
    add_value(out, "before", before);
    if (after != NULL) {
        member(out, "after_name", after->name);
        add_value(out, "after", after);
    }
    buf_add_char(out, '}');
}

static void
add_outcome(const struct explain_story *story, const struct explain_outcome *o, struct buf *out)
{
    const struct verdict *verdict = &o->outcome->verdict;
    const struct report *report = story->result->report;
    size_t next = 0;

    buf_add_text(out, "{\"team\":");
    add_team(out, story->job, o->outcome->recipient);
    member_flag(out, "supposed", o->supposed);
    member(out, "effect", span_of(effect_word((enum effect)verdict->effect)));
    member(out, "reason", span_of(reason_word((enum reason)verdict->reason)));
    member(out, "reason_text", span_of(reason_text((enum reason)verdict->reason)));
    add_made_by(story->job, verdict, out);
    member_flag(out, "require_encrypted", verdict->require_encrypted);
    member_flag(out, "require_receipt", verdict->require_receipt);
    buf_format(out, ",\"retention_days\":%u", verdict->retention_days);
    member(out, "onward", span_of(agreement_onward_word(verdict->onward)));
    buf_add_text(out, ",\"near_misses\":[");
    for (size_t i = 0; i < o->near_count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        add_near(story, &o->near[i], out);
    }
    buf_add_text(out, "],\"fields\":[");
    for (uint32_t i = 0; i < report->count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        add_field(story, o, &report->fields[i], redacted_after(report, o->redacted, i, &next), out);
    }
    buf_add_text(out, "]}");
}

static void
add_tlp(const struct explain_story *story, struct buf *out)
{
    static const char *const words[] = {"report", "feed", "default"};

    buf_add_text(out, ",\"tlp\":{");
    member(out, "label", span_of(tlp_label(story->result->tlp)));
    member(out, "from", span_of(words[story->tlp_from]));
    member(out, "counts_as", span_of(tlp_label(story->tlp_counts)));
    buf_add_char(out, '}');
}

void
explain_json(const struct explain_story *story, struct buf *out)
{
    const struct job *job = story->job;
    const struct flow_result *result = story->result;
    enum classification class = (enum classification)result->report->classification;

    buf_add_char(out, '{');
    member(out, "file", span_of(job->file));
    buf_format(out, ",\"line\":%llu", (unsigned long long)result->report->line);
    member(out, "format", span_of(format_word(job->format)));
    member(out, "outcome", SPAN("decided"));
    member(out, "taxonomy",
        class == CLASSIFICATION_UNKNOWN ? SPAN("") : span_of(classification_taxonomy(class)));
    member(out, "classification",
        class == CLASSIFICATION_UNKNOWN ? SPAN("") : span_of(classification_type(class)));
    member_time(out, "time", result->report->time_us);
    member(out, "provider", result->report->provider);
    add_tlp(story, out);
    member_time(out, "at", job->at_us);
    buf_add_text(out, ",\"origin\":");
    add_team(out, job, job->origin);
    buf_add_text(out, ",\"source\":");
    add_side(job, &result->report->source, &result->attribution.source, out);
    buf_add_text(out, ",\"destination\":");
    add_side(job, &result->report->destination, &result->attribution.destination, out);
    buf_add_text(out, ",\"recipients\":[");
    for (size_t i = 0; i < story->outcome_count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        add_outcome(story, &story->outcomes[i], out);
    }
    buf_add_text(out, "]}\n");
}
