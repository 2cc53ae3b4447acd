#include "cli/explain_text.h"

#include "base/time.h"
#include "cli/shown.h"
#include "model/special.h"

enum { LABEL = 16, NAME_COLUMNS = 36, VALUE_COLUMNS = 64, TEXT_COLUMNS = 300, SCRATCH = 1 << 16 };

static void
label(struct buf *out, const char *name)
{
    buf_format(out, "  %-*s", LABEL, name);
}

static void
line(struct buf *out, const char *name, struct span text)
{
    label(out, name);
    shown_add(out, text, TEXT_COLUMNS);
    buf_add_char(out, '\n');
}

static void
put_time(struct buf *out, int64_t us)
{
    char text[TIME_TEXT_BYTES];

    (void)time_format(us, "Z", text);
    buf_add_text(out, text);
}

static void
put_team(struct buf *out, const struct job *job, struct team_id id)
{
    const struct team *team = roster_team(job->setup.roster, id);

    shown_add(out, team->id, VALUE_COLUMNS);
    buf_add_text(out, ", ");
    shown_add(out, team->name, VALUE_COLUMNS);
    if (!team->verified)
        buf_add_text(out, " [unverified]");
    if (team->word.n > 0) {
        buf_add_text(out, " [its card: ");
        shown_add(out, team->word, VALUE_COLUMNS);
        buf_add_char(out, ']');
    }
}

/* ---- what was read ---- */

static void
put_tlp(const struct explain_story *story, struct buf *out)
{
    const struct report *report = story->result->report;
    const char *feeds = story->job->basis.feeds_path;

    label(out, "TLP");
    buf_add_text(out,
        story->result->tlp == TLP_UNKNOWN ? "a label that is none of TLP 2.0"
                                          : tlp_label(story->result->tlp));
    if (story->tlp_from == EXPLAIN_TLP_REPORT)
        buf_add_text(out, ", the report's own label");
    else if (story->tlp_from == EXPLAIN_TLP_FEED)
        buf_add_text(out, ": the report bears none, this is its provider's in ");
    else if (story->job->options.default_tlp != TLP_UNKNOWN)
        buf_add_text(
            out, ": the report bears none and its provider is not listed, this is --default-tlp");
    else
        buf_add_text(
            out, ": the report bears none and its provider is not listed, this is default_tlp of ");
    if (story->tlp_from == EXPLAIN_TLP_FEED
        || (story->tlp_from == EXPLAIN_TLP_DEFAULT
            && story->job->options.default_tlp == TLP_UNKNOWN))
        shown_add(out, span_of(feeds), TEXT_COLUMNS);
    if (story->tlp_counts != story->result->tlp) {
        buf_format(out, "; counts as %s by ", tlp_label(story->tlp_counts));
        buf_add_text(out,
            report->provider.n > 0 ? "the provider's conditions"
                                   : "some provider's conditions, as it names none");
    }
    buf_add_char(out, '\n');
}

static void
put_read(const struct explain_story *story, struct buf *out)
{
    const struct job *job = story->job;
    const struct report *report = story->result->report;
    enum classification class = (enum classification)report->classification;

    shown_add(out, span_of(job->file), TEXT_COLUMNS);
    buf_format(
        out, ", line %llu (%s)\n", (unsigned long long)report->line, format_text(job->format));
    label(out, "classification");
    if (class != CLASSIFICATION_UNKNOWN)
        buf_format(out, "%s.%s\n", classification_taxonomy(class), classification_type(class));
    else {
        struct span given = report_text(report, FIELD_CLASSIFICATION_TYPE);
        buf_add_text(out, given.n == 0 ? "none is given" : "not in the reference taxonomy: ");
        shown_add(out, given, VALUE_COLUMNS);
        buf_add_char(out, '\n');
    }
    label(out, "time");
    if (report->time_us != 0)
        put_time(out, report->time_us);
    else
        buf_add_text(out, "not given");
    buf_add_char(out, '\n');
    line(out, "provider", report->provider.n > 0 ? report->provider : SPAN("not named"));
    put_tlp(story, out);
    label(out, "decided");
    buf_add_text(out, "as of ");
    put_time(out, job->at_us);
    buf_add_text(out, ", sent by ");
    if (job->origin.index != 0)
        put_team(out, job, job->origin);
    else
        buf_add_text(out, "a team that is not in the directory (--as names one)");
    buf_add_char(out, '\n');
}

/* ---- whose it is ---- */

static void
put_evidence(const struct job *job, const struct attribution *a, struct buf *out)
{
    struct economy network = a->geo.asn_economy;
    char code[3];

    if (network.index == 0 && a->geo.asn == 0 && a->feed_asn != 0 && job->setup.geo != NULL)
        network = geo_asn_economy(job->setup.geo, a->feed_asn);
    label(out, "economy");
    economy_code(a->economy, code);
    buf_format(out, "%s; the registry says ", code[0] == '\0' ? "unknown" : code);
    economy_code(a->geo.economy, code);
    buf_format(out, "%s, the network's holder ", code[0] == '\0' ? "nothing" : code);
    economy_code(network, code);
    buf_format(out, "%s, the feed ", code[0] == '\0' ? "nothing" : code);
    economy_code(a->feed_economy, code);
    buf_format(out, "%s%s\n", code[0] == '\0' ? "nothing" : code,
        attribution_disagrees(a) ? ": the evidence DISAGREES" : "");
}

static void
put_network(const struct job *job, const struct endpoint *endpoint, const struct attribution *a,
    struct buf *out)
{
    const struct address *address = endpoint->ip.family != 0 ? &endpoint->ip : &endpoint->network;
    const char *special = address->family != 0 ? special_word(address) : NULL;
    uint32_t asn = a->geo.asn != 0 ? a->geo.asn : a->feed_asn;
    char prefix[ADDRESS_TEXT_BYTES];

    if (special != NULL)
        buf_format(out, "  %-*s%s: nobody's on the Internet\n", LABEL, "special", special);
    if (explain_story_prefix(endpoint, a, prefix) > 0)
        line(out, "prefix", span_of(prefix));
    if (asn == 0)
        return;
    label(out, "network");
    buf_format(out, "AS%u ", asn);
    if (job->setup.geo != NULL)
        shown_add(out, geo_asn_name(job->setup.geo, asn), VALUE_COLUMNS);
    if (a->geo.asn == 0)
        buf_add_text(out, " (as the feed says)");
    else if (a->feed_asn != 0 && a->feed_asn != asn)
        buf_format(out, " (the feed says AS%u)", a->feed_asn);
    buf_add_char(out, '\n');
}

static void
put_claimants(const struct job *job, const struct attribution *a, struct buf *out)
{
    struct team_id others[EXPLAIN_CLAIMANTS_MAX];
    size_t count = explain_story_claimants(job->setup.roster, a, others);

    if (a->other_teams == 0)
        return;
    label(out, "also claimed by");
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, i > 0 ? "; " : "");
        put_team(out, job, others[i]);
    }
    buf_format(out, "%s\n", a->other_teams > count ? "; and more" : "");
}

static void
put_side(const struct explain_story *story, const char *side, const struct endpoint *endpoint,
    const struct attribution *a, struct buf *out)
{
    const struct job *job = story->job;
    char text[ADDRESS_TEXT_BYTES] = "";
    const struct address *address = endpoint->ip.family != 0 ? &endpoint->ip : &endpoint->network;

    if (address->family == 0 && endpoint->name.n == 0 && endpoint->asn == 0) {
        buf_format(out, "\n%s: nothing is given\n", side);
        return;
    }
    if (address->family != 0)
        (void)address_format(address, text);
    buf_format(out, "\n%s: %s%s", side, text, text[0] != '\0' && endpoint->name.n > 0 ? ", " : "");
    shown_add(out, endpoint->name, VALUE_COLUMNS);
    if (text[0] == '\0' && endpoint->name.n == 0)
        buf_format(out, "AS%u", endpoint->asn);
    buf_add_char(out, '\n');
    put_network(job, endpoint, a, out);
    put_evidence(job, a, out);
    label(out, "team");
    if (a->team.index != 0)
        put_team(out, job, a->team);
    else
        buf_add_text(out, "nobody");
    buf_add_char(out, '\n');
    label(out, "because");
    buf_format(out, "%s", attribution_rule_text((enum attribution_rule)a->rule));
    if (a->rule == ATTRIBUTION_RULE_DOMAIN) {
        buf_add_text(out, ": ");
        shown_add(out, a->domain, VALUE_COLUMNS);
    }
    buf_format(out, " (rule %s)\n", attribution_rule_word((enum attribution_rule)a->rule));
    put_claimants(job, a, out);
}

/* ---- the verdict ---- */

static void
put_clause(const struct agreement *agreement, const struct clause *clause, struct buf *out)
{
    shown_add(out, agreement->title.n > 0 ? agreement->title : SPAN("(untitled)"), TEXT_COLUMNS);
    buf_add_text(out, ", clause ");
    shown_add(out, clause->id.n > 0 ? clause->id : SPAN("(unread)"), VALUE_COLUMNS);
    buf_format(out, " (%s)", explain_story_kind(agreement));
}

static void
put_made_by(const struct explain_story *story, const struct verdict *verdict, struct buf *out)
{
    size_t shown =
        verdict->clause_count < VERDICT_CLAUSES_MAX ? verdict->clause_count : VERDICT_CLAUSES_MAX;

    for (size_t i = 0; i < shown; i++) {
        const struct agreement *agreement =
            policy_agreement(story->job->basis.policy, verdict->clauses[i]);
        const struct clause *clause = policy_clause(story->job->basis.policy, verdict->clauses[i]);
        bool ceiling = agreement->kind == AGREEMENT_LAW || agreement->kind == AGREEMENT_FEED;
        label(out, agreement->broken ? "broken" : ceiling ? "ceiling" : "clause");
        put_clause(agreement, clause, out);
        if (!agreement->broken)
            buf_format(out, ": %s", effect_word((enum effect)clause->effect));
        buf_format(out, "\n  %-*s", LABEL, "");
        shown_add(out, agreement->id, TEXT_COLUMNS);
        buf_add_text(out, " in ");
        shown_add(out, agreement->file, TEXT_COLUMNS);
        struct span more = agreement->broken ? agreement->why : clause->note;
        if (more.n > 0) {
            buf_format(out, "\n  %-*s%s", LABEL, "", agreement->broken ? "" : "note: ");
            shown_add(out, more, TEXT_COLUMNS);
        }
        buf_add_char(out, '\n');
    }
    if (verdict->clause_count > shown)
        buf_format(out, "  %-*sand %u clauses more\n", LABEL, "",
            (unsigned)(verdict->clause_count - shown));
}

static void
put_terms(const struct verdict *verdict, struct buf *out)
{
    if (verdict->effect == EFFECT_WITHHOLD)
        return;
    label(out, "terms");
    buf_format(out, "requires %s%s%s%s; ", verdict->require_encrypted ? "an encrypted channel" : "",
        verdict->require_encrypted && verdict->require_receipt ? " and " : "",
        verdict->require_receipt ? "a receipt" : "",
        verdict->require_encrypted || verdict->require_receipt ? "" : "nothing");
    if (verdict->retention_days > 0)
        buf_format(out, "to be deleted after %u days; ", verdict->retention_days);
    else
        buf_add_text(out, "no term of deletion; ");
    buf_format(out, "may be passed on: %s\n", agreement_onward_word(verdict->onward));
}

static void
put_near(const struct explain_story *story, const struct explain_outcome *o, struct buf *out)
{
    struct buf text = buf_new(SCRATCH);

    if (o->outcome->verdict.reason == REASON_NO_CLAUSE && o->near_count == 0)
        line(out, "closest", SPAN("there is no clause at all in the agreements that were read"));
    for (size_t i = 0; i < o->near_count; i++) {
        label(out, i == 0 ? "closest clauses" : "");
        put_clause(o->near[i].agreement, o->near[i].clause, out);
        buf_add_char(out, '\n');
        for (uint32_t lack = 1; lack <= NEARMISS_TO; lack <<= 1) {
            if ((o->near[i].lacks & lack) == 0)
                continue;
            text.n = 0;
            explain_story_lack(story, &o->near[i], lack, &text);
            buf_format(out, "  %-*s- ", LABEL, "");
            shown_add(out, buf_span(&text), TEXT_COLUMNS);
            buf_add_char(out, '\n');
        }
    }
    buf_free(&text);
}

/* ---- field by field ---- */

static void
put_value(const struct field *field, struct buf *scratch, struct buf *out)
{
    scratch->n = 0;
    explain_story_value(field, scratch);
    shown_add(out, buf_span(scratch), VALUE_COLUMNS);
}

static void
put_fate(
    const struct field *before, const struct field *after, struct buf *scratch, struct buf *out)
{
    if (after == NULL) {
        buf_add_text(out, " -> removed");
        return;
    }
    if (after == before
        || (after->type == before->type && after->type == VALUE_TEXT && after->id == before->id
            && span_equal((struct span){after->s, after->n}, (struct span){before->s, before->n})))
        return;
    buf_add_text(out, " -> ");
    if (after->id != before->id) {
        shown_add(out, after->name, NAME_COLUMNS);
        buf_add_text(out, " = ");
    }
    put_value(after, scratch, out);
}

/* OUTCOME NULL: nothing of it leaves. */
static void
put_fields(const struct explain_story *story, const struct explain_outcome *o, struct buf *out)
{
    const struct report *report = story->result->report;
    struct buf scratch = buf_new(SCRATCH);
    struct buf name = buf_new(SCRATCH);
    size_t next = 0;

    buf_format(out, "  %-*s %-8s %-12s %s\n", NAME_COLUMNS, "field", "class",
        o != NULL ? "treatment" : "", o != NULL ? "value -> what leaves" : "value");
    for (uint32_t i = 0; i < report->count; i++) {
        const struct field *field = &report->fields[i];
        struct redact_rule rule = {(enum field_class)field->class, TREATMENT_REMOVE};
        if (o != NULL)
            rule = explain_story_rule(story, o, field);
        name.n = 0;
        shown_add(&name, field->name, NAME_COLUMNS - 14);
        buf_format(out, "  %-*.*s %-8s %-12s ", NAME_COLUMNS, (int)name.n, name.n > 0 ? name.p : "",
            field_class_word(rule.class), o != NULL ? treatment_word(rule.treatment) : "stays");
        put_value(field, &scratch, out);
        const struct field *after =
            o == NULL ? NULL : redacted_after(report, o->redacted, i, &next);
        if (o != NULL && field->id == FIELD_TLP)
            buf_format(out, " -> %s", tlp_label(story->result->tlp));
        else if (o != NULL)
            put_fate(field, after, &scratch, out);
        buf_add_char(out, '\n');
    }
    if (o != NULL && report_get(report, FIELD_TLP) == NULL)
        buf_format(out, "  %-*s %-8s %-12s -> %s\n", NAME_COLUMNS, "tlp", "open", "added",
            tlp_label(story->result->tlp));
    buf_free(&scratch);
    buf_free(&name);
}

static void
put_outcome(const struct explain_story *story, const struct explain_outcome *o, struct buf *out)
{
    const struct verdict *verdict = &o->outcome->verdict;

    buf_add_text(out, o->supposed ? "\nif it went to " : "\nto ");
    if (o->outcome->recipient.index == 0)
        buf_add_text(out, "nobody");
    else
        put_team(out, story->job, o->outcome->recipient);
    buf_add_char(out, '\n');
    label(out, "verdict");
    buf_format(out, "%s: %s (%s)\n",
        o->outcome->recipient.index == 0        ? "UNATTRIBUTED"
            : verdict->effect == EFFECT_RELEASE ? "RELEASE"
            : verdict->effect == EFFECT_HOLD    ? "HOLD"
                                                : "WITHHOLD",
        reason_text((enum reason)verdict->reason), reason_word((enum reason)verdict->reason));
    put_made_by(story, verdict, out);
    put_terms(verdict, out);
    put_near(story, o, out);
    if (o->redacted == NULL)
        return;
    buf_format(out, "  %s\n",
        verdict->effect == EFFECT_HOLD ? "what a person's release would let go:" : "what leaves:");
    put_fields(story, o, out);
}

void
explain_text(const struct explain_story *story, struct buf *out)
{
    const struct flow_result *result = story->result;
    bool table = false;

    put_read(story, out);
    put_side(story, "source", &result->report->source, &result->attribution.source, out);
    put_side(
        story, "destination", &result->report->destination, &result->attribution.destination, out);
    for (size_t i = 0; i < story->outcome_count; i++) {
        put_outcome(story, &story->outcomes[i], out);
        table = table || story->outcomes[i].redacted != NULL;
    }
    if (table)
        return;
    buf_format(out, "\nnothing of it leaves; its %u fields\n", result->report->count);
    put_fields(story, NULL, out);
}
