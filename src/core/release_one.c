/* One report as its recipient gets it. */
#include "core/release_private.h"
#include "flow/redact.h"
#include "fmt/writer.h"
#include "model/record.h"

/* The id that it has at all nodes: the one another node gave it, else ours. What another gave is
 * no claim of the report, and goes out as its id or not at all. */
static void
take_id(struct report *report, char id[ID_TEXT_BYTES])
{
    const struct field *given = report_other(report, SPAN(REPORT_ID_NAME));

    if (given == NULL)
        return;
    if (given->type == VALUE_TEXT)
        (void)id_plain((struct span){given->s, given->n}, id);
    /* It is outside the table, so no place of `at` is behind it that matters. */
    uint32_t i = (uint32_t)(given - report->fields);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (report->at[f] > i + 1)
            report->at[f]--;
    memmove(&report->fields[i], &report->fields[i + 1],
        (report->count - i - 1) * sizeof *report->fields);
    report->count--;
}

static bool
has_pseudonyms(const struct verdict *verdict)
{
    for (int c = 0; c < FIELD_CLASS_COUNT; c++)
        if (verdict_treatment(verdict, (enum field_class)c) == TREATMENT_PSEUDONYMISE)
            return true;
    return false;
}

static struct redact_means
means_of(const struct core *core, const struct outcome_verdict *verdict, struct span team)
{
    struct redact_means means = {.extras = core->basis.extras};

    if (core->basis.pseudonyms != NULL && verdict->clause_count > 0
        && has_pseudonyms(&verdict->verdict))
        means.key = pseudonyms_key(core->basis.pseudonyms, verdict->clauses[0].agreement, team);
    return means;
}

static size_t
name_clauses(struct release *release, const struct outcome_verdict *verdict, struct span *names)
{
    size_t at[VERDICT_CLAUSES_MAX + 1] = {0};

    release->clauses.n = 0;
    for (uint8_t i = 0; i < verdict->clause_count; i++) {
        buf_add_span(&release->clauses, verdict->clauses[i].agreement);
        buf_add_char(&release->clauses, '#');
        buf_add_span(&release->clauses, verdict->clauses[i].clause);
        at[i + 1] = release->clauses.n;
    }
    for (uint8_t i = 0; i < verdict->clause_count; i++)
        names[i] = (struct span){release->clauses.p + at[i], at[i + 1] - at[i]};
    return verdict->clause_count;
}

static struct span
origin_of(const struct core *core, uint32_t origin)
{
    return origin != 0 ? store_team_id(core->store, origin) : knowledge_own_id(core);
}

static unsigned
classes_in(const struct core *core, const struct report *report)
{
    unsigned classes = 0;

    for (uint32_t i = 0; i < report->count; i++) {
        const struct field *field = &report->fields[i];
        classes |= 1u << (field->id == FIELD_OTHER
                           ? (unsigned)extra_fields_class(core->basis.extras, field->name)
                           : field->class);
    }
    return classes;
}

/* Which treatments had fields of these classes? */
static unsigned
treatments_of(const struct redacted *redacted, unsigned classes)
{
    unsigned treatments = 0;

    for (unsigned c = 0; c < FIELD_CLASS_COUNT; c++)
        if ((classes >> c & 1) != 0)
            treatments |= 1u << redacted_treatment(redacted, (enum field_class)c);
    return treatments;
}

/* The report's own object is the last that the writer made. What a node keeps for itself is no
 * delivery. */
static int
record_one(struct core *core, struct release *release, const struct task *task,
    const struct outcome_verdict *verdict, unsigned treatments, struct err *err)
{
    struct span text = buf_span(&release->text);
    uint32_t own = 0;
    int rc = knowledge_team_number(core, core->team, &own, err);

    if (rc != 0 || task->team == own)
        return rc;
    const char *line = memrchr(text.p, '\n', text.n);
    if (line == NULL)
        return err_set(err, ERR_INTERNAL, "a report was written without an object");
    delivery_count(release->delivery, verdict, EFFECT_RELEASE, treatments);
    struct span item = {line + 1, (size_t)(text.p + text.n - line - 1)};
    return delivery_item(release->delivery, task->place, item, err);
}

int
release_one(struct core *core, struct release *release, const struct unpacked *batch,
    const struct task *task, struct err *err)
{
    struct wire_in in = wire_in(batch->records[task->place]);
    const struct outcome_verdict *verdict = &batch->outcomes.verdicts[task->verdict];
    struct span team = store_team_id(core->store, task->team);
    struct verdict let_go = verdict->verdict;
    struct span names[VERDICT_CLAUSES_MAX];
    struct outcome_report outcome;
    const struct redacted *redacted;
    char id[ID_TEXT_BYTES];
    struct report report;

    int rc = record_next(&in, &report, release->fields, REPORT_FIELDS_MAX, err);
    if (rc != 0)
        return err_set(err, ERR_BAD_STORE, "a report of batch %llu cannot be read: %s",
            (unsigned long long)batch->number, err->msg);
    (void)id_text(&batch->ids, task->place, id);
    take_id(&report, id);
    outcome_get(&batch->outcomes, task->place, &outcome);
    if (release->parcel.held && let_go.effect == EFFECT_HOLD)
        let_go.effect = EFFECT_RELEASE; /* by a person */
    unsigned classes = classes_in(core, &report);
    const struct redact_means means = means_of(core, verdict, team);
    arena_reset(release->redacted);
    rc = redact(release->redacted, &means, &report, &let_go, (enum tlp)outcome.tlp, &redacted, err);
    if (rc != 0)
        return rc;
    const struct outcome_side *side = &outcome.sides[task->side];
    const struct release_note note = {.id = {id, ID_TEXT_BYTES - 1},
        .origin = origin_of(core, outcome.origin),
        .recipient = team,
        .asn = side->asn,
        .economy = side->economy,
        .rule = attribution_rule_word((enum attribution_rule)side->rule),
        .clauses = names,
        .clause_count = name_clauses(release, verdict, names),
        .made_us = batch->row.received_us};
    if (!span_equal(note.origin, knowledge_own_id(core)))
        stix_write_identity(&release->text, &note);
    stix_write(&release->text, redacted, &note);
    rc = buf_check(&release->text, "what is written of a report", err);
    return rc == 0 ? record_one(core, release, task, verdict, treatments_of(redacted, classes), err)
                   : rc;
}
