#include "core/correction.h"

#include "core/intake_private.h"
#include "core/provenance.h"
#include "core/recall.h"
#include "core/reports.h"
#include "core/rows.h"
#include "model/record.h"
#include "sys/clock.h"

#include <stdlib.h>

enum { RECORD_BYTES = 64 * 1024 * 1024, NAME_BYTES = 256 };

struct correction {
    char id[ID_TEXT_BYTES];  /* ours, of what it corrects */
    char old[ID_TEXT_BYTES]; /* that report's at all nodes */
    char by[NAME_BYTES];
    char why[RECALL_WHY_BYTES + 1];
};

void
correction_free(struct correction *correction)
{
    free(correction);
}

/* ---- the beginning ---- */

static void
keep(char *room, size_t size, struct span text)
{
    size_t n = text.n < size ? text.n : size - 1;

    memcpy(room, text.p, n);
    room[n] = '\0';
}

static int
check_old(struct core *core, const struct read_report *read, struct err *err)
{
    struct store_recall recall;
    bool recalled;
    int rc = store_recall_get(
        core->store, core->arena, read->batch, read->place, &recall, &recalled, err);

    return rc == 0 && recalled
        ? err_set_field(err, ERR_CONFLICT, "id", 2, "the report %s was recalled already", read->id)
        : rc;
}

int
correction_new(struct core *core, const struct ask *ask, const struct intake_open *open,
    struct correction **out, struct err *err)
{
    struct span why = span_trim(open->why);
    struct read_report read;

    *out = NULL;
    if (open->corrects.n == 0)
        return 0;
    if (!rows_may((enum principal_kind)ask->asker.kind, RIGHT_RELEASE))
        return err_set(err, ERR_NOT_ALLOWED, "corrections are not for you to make");
    if (why.n == 0)
        return err_set_field(err, ERR_MISSING_FIELD, "reason", 6, "say why: who got it is told");
    int rc = reading_find(reports_reading(core), core, open->corrects, &read, err);
    if (rc == 0)
        rc = check_old(core, &read, err);
    if (rc != 0)
        return rc;
    struct correction *correction = calloc(1, sizeof *correction);
    if (correction == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a correction");
    memcpy(correction->id, read.id, sizeof correction->id);
    provenance_id(&read, correction->old);
    keep(correction->by, sizeof correction->by, ask->asker.name);
    keep(correction->why, sizeof correction->why, why);
    *out = correction;
    return 0;
}

/* ---- the report ---- */

/* It is a new report, whatever id its file says, and names what it corrects. */
static int
mark(const struct correction *correction, struct wire_in *in, struct buf *record, struct err *err)
{
    static const struct span own[] = {{REPORT_ID_NAME, sizeof REPORT_ID_NAME - 1},
        {REPORT_PATH_NAME, sizeof REPORT_PATH_NAME - 1},
        {REPORT_CORRECTS_NAME, sizeof REPORT_CORRECTS_NAME - 1}};
    const struct field corrects = {.id = FIELD_OTHER,
        .type = VALUE_TEXT,
        .class = FIELD_CLASS_TEXT,
        .name = own[2],
        .s = correction->old,
        .n = ID_TEXT_BYTES - 1};
    struct field *fields = calloc(REPORT_FIELDS_MAX, sizeof *fields);
    struct report report;
    struct field was;

    if (fields == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a correction");
    int rc = record_next(in, &report, fields, REPORT_FIELDS_MAX, err);
    for (size_t i = 0; rc == 0 && i < sizeof own / sizeof own[0]; i++)
        (void)path_take_out(&report, own[i], &was);
    if (rc == 0)
        rc = report_add(&report, &corrects, err);
    if (rc == 0)
        record_add(record, &report);
    free(fields);
    return rc == 0 ? buf_check(record, "a correction", err) : rc;
}

static int
not_one(struct err *err)
{
    return err_set(err, ERR_BAD_VALUE,
        "a correction is exactly one report that can be read and is not here yet");
}

/* The report is place 0 of a batch of its own. */
static int
recall_old(struct core *core, const struct correction *correction, struct err *err)
{
    struct reading *reading = reports_reading(core);
    const struct recall_correction by = {batch_sealed(core->intake->batch), 0};
    struct recall_told told;
    struct read_report read;
    char new[ID_TEXT_BYTES];
    uint32_t own = 0;
    int rc = reading_open(reading, core, by.batch, err);

    if (rc == 0)
        rc = reading_get(reading, core, by.place, &read, err);
    if (rc != 0)
        return rc;
    memcpy(new, read.id, sizeof new);
    rc = reading_find(reading, core, span_of(correction->id), &read, err);
    if (rc == 0)
        rc = store_team(core->store, knowledge_own_id(core), &own, err);
    const struct store_recall recall = {.batch = rc == 0 ? read.batch : 0,
        .place = rc == 0 ? read.place : 0,
        .id = span_of(correction->old),
        .team = own,
        .at_us = clock_now_us(),
        .by = span_of(correction->by),
        .why = span_of(correction->why),
        .corrected = span_of(new)};
    return rc == 0 ? recall_report(core, &recall, &by, &told, err) : rc;
}

int
correction_take(
    struct core *core, struct stream *stream, struct wire_in *in, uint32_t count, struct err *err)
{
    const struct totals before = stream->totals;
    struct buf record = buf_new(RECORD_BYTES);

    if (count != 1 || before.received > 0)
        return not_one(err);
    int rc = intake_seal(core, err);
    if (rc == 0)
        rc = mark(stream->correction, in, &record, err);
    if (rc == 0)
        rc = wire_end(in, "a correction", err);
    struct wire_in marked = wire_in(buf_span(&record));
    if (rc == 0)
        rc = intake_records(core, core->intake, stream, &marked, 1, err);
    buf_free(&record);
    if (rc == 0 && stream->totals.stored == before.stored)
        return not_one(err);
    if (rc == 0)
        rc = intake_seal(core, err);
    if (rc == 0)
        rc = recall_old(core, stream->correction, err);
    if (rc != 0)
        core->intake->half_done = true; /* both or neither */
    return rc;
}
