/* One report as its recipient gets it. */
#include "base/log.h"
#include "core/collections.h"
#include "core/release_private.h"
#include "flow/redact.h"
#include "fmt/writer.h"
#include "model/page.h"
#include "model/record.h"
#include "store/recall.h"
#include "sys/clock.h"

/* What another node gave is no claim of the report, and goes out in its own place or not at all:
 * the id that it has at all nodes (else ours stays), the way it came, to which we add ourselves,
 * and what it corrects. */
static int
take_own(const struct core *core, const struct outcome_report *outcome, struct report *report,
    char id[ID_TEXT_BYTES], struct path *path, char corrects[ID_TEXT_BYTES], struct err *err)
{
    struct field was;
    int rc = path_read(report, path, err);

    if (rc == 0 && outcome->from_partner)
        rc = path_add(path, store_team_id(core->store, outcome->origin), err);
    if (rc == 0)
        rc = path_add(path, knowledge_own_id(core), err);
    (void)path_take_out(report, SPAN(REPORT_PATH_NAME), &was);
    if (path_take_out(report, SPAN(REPORT_ID_NAME), &was) && was.type == VALUE_TEXT)
        (void)id_plain((struct span){was.s, was.n}, id);
    if (!path_take_out(report, SPAN(REPORT_CORRECTS_NAME), &was) || was.type != VALUE_TEXT
        || !id_plain((struct span){was.s, was.n}, corrects))
        corrects[0] = '\0';
    return rc;
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
record_item(struct core *core, struct release *release, const struct task *task, struct err *err)
{
    struct span text = buf_span(&release->text);
    uint32_t own = 0;
    int rc = knowledge_team_number(core, core->team, &own, err);

    if (rc != 0 || task->team == own)
        return rc;
    const char *line = memrchr(text.p, '\n', text.n);
    if (line == NULL)
        return err_set(err, ERR_INTERNAL, "a report was written without an object");
    struct span item = {line + 1, (size_t)(text.p + text.n - line - 1)};
    return delivery_item(release->delivery, task->place, item, err);
}

static int
record_one(struct core *core, struct release *release, const struct task *task,
    const struct outcome_verdict *verdict, unsigned treatments, struct err *err)
{
    uint64_t before = delivery_items(release->delivery);
    int rc = record_item(core, release, task, err);

    if (rc == 0 && delivery_items(release->delivery) > before)
        delivery_count(release->delivery, verdict, EFFECT_RELEASE, treatments);
    return rc;
}

static struct release_note
note_of(const struct core *core, const struct outcome_report *outcome, const struct task *task)
{
    const struct outcome_side *side = &outcome->sides[task->side];

    return (struct release_note){.recipient = store_team_id(core->store, task->team),
        .asn = side->asn,
        .economy = side->economy,
        .rule = attribution_rule_word((enum attribution_rule)side->rule)};
}

static int
read_report(struct release *release, const struct unpacked *batch, uint32_t place,
    struct report *out, struct err *err)
{
    struct wire_in in = wire_in(batch->records[place]);
    int rc = record_next(&in, out, release->fields, REPORT_FIELDS_MAX, err);

    return rc == 0 ? 0
                   : err_set(err, ERR_BAD_STORE, "a report of batch %llu cannot be read: %s",
                       (unsigned long long)batch->number, err->msg);
}

/* No node takes an object of more than PAGE_OBJECT_MAX, and no front serves some of those. It holds
 * up nothing else: of what is due, all but it is written out. */
static int
drop_large(struct core *core, struct release *release, const struct unpacked *batch,
    const struct task *task, const char *id, size_t before, struct err *err)
{
    const struct store_unsent unsent = {
        batch->number, task->place, task->team, STORE_UNSENT_LARGE, clock_now_us()};
    uint32_t collection;
    int rc = collections_of_team(core->collections, task->team, unsent.at_us, &collection, err);

    release->text.n = before;
    release->text.full = false;
    log_error("a report is too large to be told, and counts as failed",
        log_text("team", store_team_id(core->store, task->team)), log_text("report", span_of(id)));
    if (rc == 0)
        rc = store_not_sent(core->store, collection, 1, err);
    if (rc == 0)
        rc = store_unsent_add(core->store, &unsent, err);
    return rc == 0 ? RELEASE_TOO_LARGE : rc;
}

int
release_one(struct core *core, struct release *release, const struct unpacked *batch,
    const struct task *task, const struct stix_recall *recall, struct err *err)
{
    size_t before = release->text.n;
    const struct outcome_verdict *verdict = &batch->outcomes.verdicts[task->verdict];
    struct verdict let_go = verdict->verdict;
    struct span names[VERDICT_CLAUSES_MAX];
    struct outcome_report outcome;
    const struct redacted *redacted;
    char id[ID_TEXT_BYTES];
    char corrects[ID_TEXT_BYTES];
    struct report report;
    struct path path;

    int rc = read_report(release, batch, task->place, &report, err);
    if (rc != 0)
        return rc;
    (void)id_text(&batch->ids, task->place, id);
    outcome_get(&batch->outcomes, task->place, &outcome);
    rc = take_own(core, &outcome, &report, id, &path, corrects, err);
    if (rc != 0)
        return rc;
    if (release->parcel.held && let_go.effect == EFFECT_HOLD)
        let_go.effect = EFFECT_RELEASE; /* by a person */
    struct release_note note = note_of(core, &outcome, task);
    unsigned classes = classes_in(core, &report);
    const struct redact_means means = redact_means(core->basis.pseudonyms, core->basis.extras,
        &verdict->verdict, outcome_agreement(verdict), note.recipient);
    arena_reset(release->redacted);
    rc = redact(release->redacted, &means, &report, &let_go, (enum tlp)outcome.tlp, &redacted, err);
    if (rc == ERR_LIMIT && recall == NULL)
        return drop_large(core, release, batch, task, id, before, err);
    if (rc != 0)
        return rc;
    note.id = (struct span){id, ID_TEXT_BYTES - 1};
    note.origin = path.teams[0];
    note.path = &path;
    note.corrects = span_of(corrects);
    note.clauses = names;
    note.clause_count = name_clauses(release, verdict, names);
    note.made_us = batch->row.received_us;
    if (recall != NULL) {
        stix_write_recall(&release->text, redacted, &note, recall);
        rc = buf_check(&release->text, "what is written of a recall", err);
        return rc == 0 ? record_item(core, release, task, err) : rc;
    }
    if (!span_equal(note.origin, knowledge_own_id(core)))
        stix_write_identity(&release->text, &note);
    stix_write(&release->text, redacted, &note);
    if (release->text.full || release->text.n - before > PAGE_OBJECT_MAX)
        return drop_large(core, release, batch, task, id, before, err);
    return record_one(core, release, task, verdict, treatments_of(redacted, classes), err);
}
