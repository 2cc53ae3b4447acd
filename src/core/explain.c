/* Why a report went where it went: what was decided when it came, from the store; and what would be
 * found and decided now. */
#include "core/evidence.h"
#include "core/node.h"
#include "core/provenance.h"
#include "core/receipts.h"
#include "core/reports.h"
#include "core/told.h"
#include "flow/redact.h"
#include "fmt/render.h"
#include "store/recall.h"
#include "sys/clock.h"

enum { ANSWER_BYTES = 48 * 1024 * 1024 };

struct story {
    struct core *core;
    struct arena *arena;
    const struct read_report *read;
    struct attribution_pair now;
    struct path path;
    struct buf *out;
};

/* ---- attribution ---- */

static void
tell_then(const struct story *s, uint8_t side)
{
    const struct outcome_side *then = &s->read->outcome.sides[side];
    const char *text = attribution_rule_text((enum attribution_rule)then->rule);

    told_open(s->out, "then", '{');
    told_number_or_null(s->out, "asn", then->asn);
    told_economy(s->out, "economy", then->economy);
    told_word(s->out, "rule", attribution_rule_word((enum attribution_rule)then->rule));
    told_word(s->out, "rule_text", text);
    told_text(s->out, "team", reading_team_of(s->core, s->read, side));
    buf_add_char(s->out, '}');
}

static void
tell_side(const struct story *s, uint8_t side)
{
    const struct report *report = s->read->report;
    const struct endpoint *end = side == 0 ? &report->source : &report->destination;
    const struct attribution *now = side == 0 ? &s->now.source : &s->now.destination;
    char address[ADDRESS_TEXT_BYTES] = "";

    told_name(s->out, side == 0 ? "source" : "destination");
    if (!reading_has_side(end)) {
        buf_add_text(s->out, "null");
        return;
    }
    if (end->ip.family != 0 || end->network.family != 0)
        (void)address_format(end->ip.family != 0 ? &end->ip : &end->network, address);
    buf_add_char(s->out, '{');
    told_text(s->out, "address", span_of(address));
    told_text(s->out, "name", end->name);
    tell_then(s, side);
    told_open(s->out, "now", '{');
    evidence_members(s->core, end, now, knowledge_team_id(s->core, now->team), s->out);
    buf_add_text(s->out, "}}");
}

/* ---- verdicts ---- */

/* The agreement as it is now, for its title; it may be gone. */
static const struct agreement *
find_agreement(const struct core *core, struct span id)
{
    for (size_t i = 0; i < core->basis.agreements.count; i++)
        if (span_equal(core->basis.agreements.agreements[i].id, id))
            return &core->basis.agreements.agreements[i];
    return NULL;
}

static void
tell_clause(const struct story *s, const struct outcome_clause *ids)
{
    const struct agreement *agreement = find_agreement(s->core, ids->agreement);
    const struct clause *clause = NULL;

    for (size_t i = 0; agreement != NULL && i < agreement->clause_count; i++)
        if (span_equal(agreement->clauses[i].id, ids->clause))
            clause = &agreement->clauses[i];
    told_item(s->out);
    buf_add_char(s->out, '{');
    told_name(s->out, "agreement");
    told_value(s->out, ids->agreement);
    told_text(s->out, "title", agreement == NULL ? SPAN("") : agreement->title);
    told_name(s->out, "clause");
    told_value(s->out, ids->clause);
    told_text(s->out, "note", clause == NULL ? SPAN("") : clause->note);
    if (clause != NULL)
        told_word(s->out, "effect", effect_word((enum effect)clause->effect));
    buf_add_char(s->out, '}');
}

static void
tell_terms(const struct verdict *verdict, struct buf *out)
{
    told_word(out, "effect", effect_word((enum effect)verdict->effect));
    told_word(out, "reason", reason_word((enum reason)verdict->reason));
    told_word(out, "reason_text", reason_text((enum reason)verdict->reason));
    told_open(out, "treatments", '{');
    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        told_word(out, field_class_word((enum field_class)c),
            treatment_word(verdict_treatment(verdict, (enum field_class)c)));
    buf_add_char(out, '}');
    told_number(out, "retention_days", verdict->retention_days);
    told_flag(out, "require_encrypted", verdict->require_encrypted);
    told_flag(out, "require_receipt", verdict->require_receipt);
    told_word(out, "onward", agreement_onward_word(verdict->onward));
}

static void
tell_verdict(const struct story *s, const char *name, const struct outcome_verdict *verdict)
{
    told_open(s->out, name, '{');
    tell_terms(&verdict->verdict, s->out);
    told_open(s->out, "clauses", '[');
    for (uint8_t i = 0; i < verdict->clause_count; i++)
        tell_clause(s, &verdict->clauses[i]);
    buf_add_text(s->out, "]}");
}

/* What would be decided now? Of what partners sent the term under which it came is not kept. */
static void
tell_now(const struct story *s, struct team_id recipient)
{
    const struct core *core = s->core;
    const struct read_report *read = s->read;
    const struct policy *policy = core->basis.policy;
    struct outcome_verdict verdict = {0};

    if (recipient.index == 0 || read->outcome.from_partner) {
        told_text(s->out, "now", SPAN(""));
        return;
    }
    const struct decide_input input = {
        .origin = roster_find(core->roster, store_team_id(core->store, read->outcome.origin)),
        .recipient = recipient,
        .provider = policy_provider(policy, read->report->provider),
        .classification = read->report->classification,
        .tlp = read->outcome.tlp,
        .clock_trusted = core->basis.clock_trusted,
        .at_us = clock_now_us()};
    if (path_has(&s->path, knowledge_team_id(core, recipient)))
        verdict.verdict.reason = REASON_RETURN;
    else
        decide(policy, &input, &verdict.verdict);
    for (uint8_t i = 0; i < verdict.verdict.clause_count && i < VERDICT_CLAUSES_MAX; i++) {
        uint32_t clause = verdict.verdict.clauses[i];
        verdict.clauses[verdict.clause_count++] = (struct outcome_clause){
            policy_agreement(policy, clause)->id, policy_clause(policy, clause)->id};
    }
    tell_verdict(s, "now", &verdict);
}

/* ---- fields ---- */

/* The value alone, out of render_field's `"name":value`. */
static void
tell_value(struct buf *out, const char *name, const struct field *field)
{
    struct field unnamed = *field;

    unnamed.id = FIELD_OTHER;
    unnamed.name = span_of(name);
    told_item(out);
    render_field(out, &unnamed);
}

static bool
is_same(const struct field *before, const struct field *after)
{
    if (after == before)
        return true;
    return after->type == VALUE_TEXT && before->type == VALUE_TEXT && after->id == before->id
        && span_equal((struct span){after->s, after->n}, (struct span){before->s, before->n});
}

static void
tell_field(const struct story *s, const struct redact_means *means, const struct verdict *verdict,
    const struct field *before, const struct field *after)
{
    const struct redact_rule rule = before->id == FIELD_TLP
        ? (struct redact_rule){FIELD_CLASS_OPEN, TREATMENT_KEEP}
        : redact_rule(means, verdict, before);

    told_item(s->out);
    buf_add_char(s->out, '{');
    told_name(s->out, "name");
    told_value(s->out, before->name);
    told_word(s->out, "class", field_class_word(rule.class));
    told_word(s->out, "treatment", treatment_word(rule.treatment));
    told_word(s->out, "result",
        after == NULL                ? "removed"
            : is_same(before, after) ? "kept"
                                     : "changed");
    tell_value(s->out, "before", before);
    if (after != NULL) {
        told_name(s->out, "after_name");
        told_value(s->out, after->name);
        tell_value(s->out, "after", after);
    }
    buf_add_char(s->out, '}');
}

/* As it went out; of a held one, as a person's release would let it. */
static int
tell_fields(
    const struct story *s, const struct outcome_verdict *decided, struct span team, struct err *err)
{
    const struct report *report = s->read->report;
    const struct redact_means means = redact_means(s->core->basis.pseudonyms, s->core->basis.extras,
        &decided->verdict, outcome_agreement(decided), team);
    const struct redacted *redacted = NULL;
    struct verdict verdict = decided->verdict;
    size_t next = 0;
    int rc = 0;

    if (verdict.effect == EFFECT_HOLD)
        verdict.effect = EFFECT_RELEASE;
    if (verdict.effect == EFFECT_RELEASE && team.n > 0)
        rc = redact(
            s->arena, &means, report, &verdict, (enum tlp)s->read->outcome.tlp, &redacted, err);
    told_open(s->out, "fields", '[');
    for (uint32_t i = 0; rc == 0 && i < report->count; i++) {
        const struct field *before = &report->fields[i];
        tell_field(s, &means, &verdict, before, redacted_after(report, redacted, i, &next));
    }
    buf_add_char(s->out, ']');
    return rc;
}

/* ---- history ---- */

static int
find_held(const struct story *s, uint32_t team, struct store_held *out, struct err *err)
{
    struct store_held *list;
    size_t count;
    int rc =
        store_held_of(s->core->store, s->arena, s->read->batch, s->read->place, &list, &count, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (list[i].team == team) {
            *out = list[i];
            return 0;
        }
    return rc == 0 ? ERR_NOT_FOUND : rc;
}

static int
tell_held(const struct story *s, uint32_t team, struct err *err)
{
    struct store_held held;
    int rc = find_held(s, team, &held, err);

    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc != 0)
        return rc;
    told_step(s->out, held.since_us, "held", SPAN(""), SPAN(""));
    if (held.state != HELD_WAITING)
        told_step(s->out, held.decided_us, held.state == HELD_RELEASED ? "released" : "refused",
            held.by, held.why);
    return 0;
}

/* What became of it where no delivery is known: it is due, it never went, or it did. */
static int
tell_undelivered(const struct story *s, uint32_t team, bool goes, struct err *err)
{
    struct store_unsent unsent = {.batch = s->read->batch, .place = s->read->place, .team = team};
    bool never = false;
    bool due = false;
    int rc = store_unsent_get(s->core->store, &unsent, &never, err);

    if (rc == 0 && never && unsent.why == STORE_UNSENT_LARGE)
        told_step(s->out, unsent.at_us, "too-large", SPAN(""), SPAN(""));
    if (rc != 0 || never || !goes)
        return rc;
    rc = store_due_has(s->core->store, s->read->batch, &due, err);
    told_step(s->out, 0, due ? "due" : "written-out", SPAN(""), SPAN(""));
    return rc;
}

static int
tell_history(
    const struct story *s, const struct outcome_one *one, enum effect effect, struct err *err)
{
    struct store_recall recall;
    bool recalled = false;
    bool told = false;
    int rc = 0;

    told_open(s->out, "history", '[');
    told_step(s->out, s->read->received_us, "received",
        store_team_id(s->core->store, s->read->outcome.origin), SPAN(""));
    if (effect == EFFECT_HOLD)
        rc = tell_held(s, one->team, err);
    if (rc == 0 && one->team != 0)
        rc = receipts_tell_steps(
            s->core, s->arena, s->read->batch, s->read->place, one->team, s->out, &told, err);
    if (rc == 0 && effect == EFFECT_RELEASE && one->team != 0)
        rc = store_recall_get(
            s->core->store, s->arena, s->read->batch, s->read->place, &recall, &recalled, err);
    if (rc == 0 && effect != EFFECT_WITHHOLD && one->team != 0 && !told)
        rc = tell_undelivered(s, one->team, effect == EFFECT_RELEASE && !recalled, err);
    if (recalled)
        told_step(s->out, recall.at_us, "recalled", recall.by, recall.why);
    buf_add_char(s->out, ']');
    return rc;
}

/* ---- all of it ---- */

static int
tell_recipient(const struct story *s, const struct outcome_one *one, struct err *err)
{
    const struct outcome_verdict *verdict = &s->read->outcomes->verdicts[one->verdict];
    struct span id = store_team_id(s->core->store, one->team);
    struct team_id team = roster_find(s->core->roster, id);

    told_item(s->out);
    buf_add_char(s->out, '{');
    told_text(s->out, "team", id);
    told_text(
        s->out, "name", team.index == 0 ? SPAN("") : roster_team(s->core->roster, team)->name);
    tell_verdict(s, "then", verdict);
    tell_now(s, team);
    int rc = tell_fields(s, verdict, id, err);
    if (rc == 0)
        rc = tell_history(s, one, (enum effect)verdict->verdict.effect, err);
    buf_add_char(s->out, '}');
    return rc;
}

static int
tell(const struct story *s, struct span way, struct err *err)
{
    const struct report *report = s->read->report;
    enum classification class = (enum classification)report->classification;
    bool classed = class != CLASSIFICATION_UNKNOWN;
    int rc = 0;

    told_text(s->out, "id", span_of(s->read->id));
    told_time(s->out, "received", s->read->received_us);
    told_time(s->out, "time", report->time_us);
    told_word(s->out, "classification", classed ? classification_type(class) : NULL);
    told_word(s->out, "taxonomy", classed ? classification_taxonomy(class) : NULL);
    told_word(s->out, "tlp",
        s->read->outcome.tlp != TLP_UNKNOWN ? tlp_label((enum tlp)s->read->outcome.tlp) : NULL);
    told_text(s->out, "provider", report->provider);
    told_item(s->out);
    buf_add_span(s->out, way);
    tell_side(s, 0);
    tell_side(s, 1);
    told_open(s->out, "recipients", '[');
    for (uint8_t i = 0; rc == 0 && i < s->read->outcome.count; i++)
        rc = tell_recipient(s, &s->read->outcome.ones[i], err);
    buf_add_char(s->out, ']');
    return rc;
}

/* What is never carried as a field is told of apart, and not among them. */
static int
tell_all(struct story *s, struct err *err)
{
    static const struct span own[] = {{REPORT_ID_NAME, sizeof REPORT_ID_NAME - 1},
        {REPORT_PATH_NAME, sizeof REPORT_PATH_NAME - 1},
        {REPORT_CORRECTS_NAME, sizeof REPORT_CORRECTS_NAME - 1}};
    struct buf way = buf_new(ANSWER_BYTES);
    const struct read_report *whole = s->read;
    struct read_report read = *whole;
    struct report report = *read.report;
    struct field was;

    provenance_path(s->core, &read, &s->path);
    int rc = provenance_tell(s->core, &read, s->arena, &way, err);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        (void)path_take_out(&report, own[i], &was);
    read.report = &report;
    s->read = &read;
    if (rc == 0)
        rc = tell(s, buf_span(&way), err);
    s->read = whole;
    buf_free(&way);
    return rc;
}

int
core_explain(struct core *core, struct ask *ask, struct err *err)
{
    const struct world world = core_world(core);
    struct span id = wire_text(&ask->in);
    struct buf out = buf_new(ANSWER_BYTES);
    struct read_report read;
    struct story story = {.core = core, .arena = ask->arena, .read = &read, .out = &out};

    int rc = reading_find(reports_reading(core), core, id, &read, err);
    if (rc != 0)
        return rc;
    attribute_report(&world, read.report, &story.now);
    buf_add_char(&out, '{');
    rc = tell_all(&story, err);
    buf_add_char(&out, '}');
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}
