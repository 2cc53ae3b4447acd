#include "core/recall.h"

#include "core/node.h"
#include "core/provenance.h"
#include "core/release_private.h"
#include "core/reports.h"
#include "core/told.h"
#include "flow/ledger_delivered.h"
#include "fmt/stix_id.h"
#include "fmt/stix_object.h"
#include "fmt/stix_words.h"
#include "fmt/writer.h"
#include "store/receipt.h"
#include "sys/clock.h"

#include <stdio.h>

enum {
    ANSWER_BYTES = 64 * 1024,
    HELD_WHY_BYTES = RECALL_WHY_BYTES + 16,
    GONE_BYTES = 240, /* of what an error's message holds */
    GONE_READ = 256,
};

/* One recall, while it is worked on. */
struct work {
    struct core *core;
    const struct store_recall *recall;
    const struct unpacked *batch;
    struct outcomes correction; /* of the batch that it is in */
    const struct recall_correction *corrects;
    struct recall_told *told;
    bool due;
};

/* ---- to each what it had ---- */

/* Does TEAM get what takes the report's place? */
static bool
gets_correction(const struct work *w, uint32_t team)
{
    struct outcome_report report;

    if (w->corrects->batch == 0)
        return false;
    outcome_get(&w->correction, w->corrects->place, &report);
    for (uint8_t i = 0; i < report.count; i++)
        if (report.ones[i].team == team
            && w->correction.verdicts[report.ones[i].verdict].verdict.effect == EFFECT_RELEASE)
            return true;
    return false;
}

/* It is told nothing: it never had the report, and does not get it. */
static int
drop_one(struct work *w, uint32_t team, struct err *err)
{
    const struct store_unsent unsent = {
        w->recall->batch, w->recall->place, team, STORE_UNSENT_RECALLED, w->recall->at_us};

    w->told->dropped[w->told->dropped_count++] = team;
    return store_unsent_add(w->core->store, &unsent, err);
}

/* Unless it was too large to be told. */
static int
tell_one(struct work *w, const struct outcome_one *one, bool held, struct err *err)
{
    struct store_unsent unsent = {
        .batch = w->recall->batch, .place = w->recall->place, .team = one->team};
    bool unknown = false;
    int rc = store_unsent_get(w->core->store, &unsent, &unknown, err);

    if (rc != 0 || unknown) {
        w->told->dropped[w->told->dropped_count++] = one->team;
        return rc;
    }
    const struct verdict *verdict = &w->batch->outcomes.verdicts[one->verdict].verdict;
    const struct task task = {one->team, w->recall->place, one->verdict, one->side, EFFECT_RELEASE,
        verdict->retention_days};
    const struct stix_recall words = {.at_us = w->recall->at_us,
        .why = w->recall->why,
        .corrected = gets_correction(w, one->team) ? w->recall->corrected : SPAN("")};

    w->told->told[w->told->told_count++] = one->team;
    return release_recall(w->core, w->batch, &task, held, &words, err);
}

/* What waits for a person has been decided, then. */
static int
refuse_one(struct work *w, struct store_held *held, struct err *err)
{
    char why[HELD_WHY_BYTES];

    (void)snprintf(why, sizeof why, "recalled: %.*s", SPAN_ARGS(w->recall->why));
    held->state = HELD_REFUSED;
    held->decided_us = w->recall->at_us;
    held->by = w->recall->by.n > 0 ? w->recall->by : store_team_id(w->core->store, w->recall->team);
    held->why = span_of(why);
    w->told->refused[w->told->refused_count++] = held->number;
    int rc = store_held_decide(w->core->store, held, err);
    return rc == 0 ? release_refused(w->core, held, err) : rc;
}

static int
take_held(struct work *w, const struct outcome_one *one, struct err *err)
{
    struct store_held *list;
    size_t count;
    int rc = store_held_of(
        w->core->store, w->core->arena, w->recall->batch, w->recall->place, &list, &count, err);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (list[i].team != one->team)
            continue;
        if (list[i].state == HELD_WAITING)
            rc = refuse_one(w, &list[i], err);
        else if (list[i].state == HELD_RELEASED)
            rc = tell_one(w, one, true, err);
    }
    return rc;
}

static int
take_back(struct work *w, struct err *err)
{
    struct outcome_report report;
    int rc = 0;

    outcome_get(&w->batch->outcomes, w->recall->place, &report);
    for (uint8_t i = 0; rc == 0 && i < report.count; i++) {
        const struct outcome_one *one = &report.ones[i];
        uint8_t effect = w->batch->outcomes.verdicts[one->verdict].verdict.effect;
        if (one->team == 0 || effect == EFFECT_WITHHOLD)
            continue;
        if (effect == EFFECT_HOLD)
            rc = take_held(w, one, err);
        else if (w->due)
            rc = drop_one(w, one->team, err);
        else
            rc = tell_one(w, one, false, err);
    }
    return rc;
}

static int
read_correction(struct work *w, struct err *err)
{
    struct store_batch row;

    if (w->corrects->batch == 0)
        return 0;
    int rc = store_batch_get(w->core->store, w->core->arena, w->corrects->batch, &row, err);
    return rc == 0 ? outcome_read(w->core->arena, row.outcomes, &w->correction, err) : rc;
}

/* ---- what is not here any more ---- */

/* Was the report among what ENTRY delivered? Where that is forgotten, it may have been. */
static bool
may_have_it(const struct store_delivery *deliveries, size_t count, uint64_t entry, uint32_t place)
{
    uint64_t index;

    for (size_t i = 0; i < count; i++)
        if (deliveries[i].entry == entry)
            return ledger_delivered_index(&deliveries[i], place, &index);
    return true;
}

/* Which entries of the ledger may have it, and to whom; as many as a message holds. */
static int
list_entries(struct core *core, uint64_t batch, uint32_t place, struct buf *out, struct err *err)
{
    struct store_delivery *deliveries = NULL;
    struct store_receipt *all = NULL;
    size_t delivered = 0;
    size_t count = 0;
    uint32_t told = 0;
    int rc = store_receipts_of(core->store, core->arena, batch, GONE_READ, &all, &count, err);

    if (rc == 0)
        rc = store_deliveries(core->store, core->arena, batch, &deliveries, &delivered, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (!may_have_it(deliveries, delivered, all[i].entry, place))
            continue;
        struct span team = store_team_id(core->store, all[i].team);
        if (out->n + team.n > GONE_BYTES) {
            buf_add_text(out, " and more");
            break;
        }
        buf_format(out, "%s entry %llu to %.*s", told++ == 0 ? "" : ",",
            (unsigned long long)all[i].entry, SPAN_ARGS(team));
    }
    return rc;
}

/* A report of ours whose time is over: what they have can no longer be made again. The ledger's
 * entries are each of a batch, so one that names no items any more may be of the others in it. */
static int
gone(struct core *core, const struct store_recall *recall, struct err *err)
{
    struct buf entries = buf_new(ANSWER_BYTES);
    int rc = list_entries(core, recall->batch, recall->place, &entries, err);

    if (rc == 0 && entries.n == 0)
        buf_add_text(&entries, " no delivery");
    if (rc == 0)
        rc = buf_check(&entries, "what the ledger knows", err);
    if (rc == 0)
        rc = err_set_field(err, ERR_NOT_FOUND, "id", 2,
            "the report %.*s is no longer here, as its time is over: nobody can be told; the "
            "ledger has of its batch:%.*s",
            SPAN_ARGS(recall->id), (int)entries.n, entries.p);
    buf_free(&entries);
    return rc;
}

int
recall_report(struct core *core, const struct store_recall *recall,
    const struct recall_correction *correction, struct recall_told *told, struct err *err)
{
    struct unpacked *batch = &core->release->decided; /* where refusals look, too */
    struct work work = {
        .core = core, .recall = recall, .batch = batch, .corrects = correction, .told = told};

    *told = (struct recall_told){0};
    batch->number = 0;
    int rc = unpacked_read(core, core->release->batch, recall->batch, batch, err);
    if (rc != 0)
        batch->number = 0;
    if (rc == ERR_NOT_FOUND)
        return gone(core, recall, err);
    if (rc == 0 && recall->place >= batch->outcomes.count)
        rc = err_set(err, ERR_BAD_STORE, "what is recalled is in no batch");
    if (rc == 0)
        rc = read_correction(&work, err);
    if (rc == 0)
        rc = store_due_has(core->store, recall->batch, &work.due, err);
    if (rc == 0)
        rc = store_recall_add(core->store, recall, err);
    if (rc == ERR_EXISTS)
        return err_set_field(err, ERR_CONFLICT, "id", 2, "the report %.*s was recalled already",
            SPAN_ARGS(recall->id));
    return rc == 0 ? take_back(&work, err) : rc;
}

/* ---- by our own people ---- */

static void
tell_teams(
    const struct core *core, const char *name, const uint32_t *teams, size_t count, struct buf *out)
{
    told_open(out, name, '[');
    for (size_t i = 0; i < count; i++) {
        told_item(out);
        told_value(out, store_team_id(core->store, teams[i]));
    }
    buf_add_char(out, ']');
}

static void
tell_result(const struct core *core, const struct store_recall *recall,
    const struct recall_told *told, struct buf *out)
{
    buf_add_char(out, '{');
    told_text(out, "known_as", recall->id);
    told_time(out, "at", recall->at_us);
    tell_teams(core, "told", told->told, told->told_count, out);
    tell_teams(core, "dropped", told->dropped, told->dropped_count, out);
    told_open(out, "refused", '[');
    for (size_t i = 0; i < told->refused_count; i++) {
        told_item(out);
        buf_add_u64(out, told->refused[i]);
    }
    buf_add_text(out, "]}");
}

static int
recall_by_people(struct core *core, const struct ask *ask, const struct read_report *read,
    struct span why, struct buf *out, struct err *err)
{
    static const struct recall_correction none = {0};
    struct recall_told told;
    char id[ID_TEXT_BYTES];
    uint32_t own = 0;

    provenance_id(read, id);
    int rc = core_begin(core, err);
    if (rc == 0)
        rc = store_team(core->store, knowledge_own_id(core), &own, err);
    const struct store_recall recall = {.batch = read->batch,
        .place = read->place,
        .id = span_of(id),
        .team = own,
        .at_us = clock_now_us(),
        .by = ask->asker.name,
        .why = why};
    if (rc == 0)
        rc = recall_report(core, &recall, &none, &told, err);
    if (rc == 0)
        tell_result(core, &recall, &told, out);
    else if (rc != ERR_CONFLICT && rc != ERR_NOT_FOUND)
        core_lose(core, err); /* no part of it without the rest */
    return rc;
}

/* Ours, but its batch was removed? Then more can be said than that it is not there. */
static int
was_ours(struct core *core, struct span id, struct err *err)
{
    struct store_recall recall = {.id = id};
    struct id_place place;
    bool known = false;
    struct err why = *err;
    int rc = id_read(&core->id_key, id, &place, &why);

    if (rc == 0)
        rc = store_batch_known(core->store, place.batch, place.tag, &known, &why);
    if (rc != 0 || !known)
        return ERR_NOT_FOUND;
    recall.batch = place.batch;
    recall.place = place.place;
    return gone(core, &recall, err);
}

int
core_report_recall(struct core *core, struct ask *ask, struct err *err)
{
    struct span id = wire_text(&ask->in);
    struct span why = span_trim(wire_text(&ask->in));
    struct buf out = buf_new(ANSWER_BYTES);
    struct read_report read;
    int rc = wire_end(&ask->in, "a recall", err);

    if (rc == 0 && why.n == 0)
        rc = err_set_field(err, ERR_MISSING_FIELD, "reason", 6, "say why: who got it is told");
    if (rc == 0)
        rc = reading_find(reports_reading(core), core, id, &read, err);
    if (rc == ERR_NOT_FOUND)
        rc = was_ours(core, id, err);
    if (rc == 0)
        rc = recall_by_people(core, ask, &read, why, &out, err);
    if (rc == 0)
        rc = buf_check(&out, "the answer", err);
    if (rc == 0)
        rc = core_answer_durable(core, ask, buf_span(&out), err);
    if (rc == 0)
        events_tell(core, "recalled", buf_span(&out));
    buf_free(&out);
    return rc;
}

/* ---- by who gave it to us ---- */

/* The words of the object's extension. */
struct said {
    struct span why;
    char corrected[ID_TEXT_BYTES];
};

static void
read_words(struct json_value object, struct said *out)
{
    struct json_value extensions;
    struct json_value own;
    struct json_value recall;

    *out = (struct said){.why = SPAN("")};
    if (!json_get(object, "extensions", &extensions)
        || !json_get(extensions, STIX_COMITY_EXTENSION, &own) || !json_get(own, "recall", &recall))
        return;
    out->why = span_trim(stix_object_text(recall, "reason"));
    if (out->why.n > RECALL_WHY_BYTES)
        out->why.n = RECALL_WHY_BYTES;
    while (out->why.n > 0 && !span_is_utf8(out->why))
        out->why.n--;
    (void)id_plain(stix_object_text(recall, "corrected_by"), out->corrected);
}

/* It gave it to us, or it was the first to give it. */
static bool
may_take_back(const struct core *core, const struct read_report *read, struct span team)
{
    struct path path;

    provenance_path(core, read, &path);
    return path.count > 0
        && (span_equal(path.teams[path.count - 1], team) || span_equal(path.teams[0], team));
}

/* What takes its place, if that is here already. */
static int
find_correction(
    struct core *core, struct said *said, struct recall_correction *out, struct err *err)
{
    struct reading_place from = {0};
    struct read_report read;

    *out = (struct recall_correction){0};
    if (said->corrected[0] == '\0')
        return 0;
    int rc = reading_next_known(
        reports_reading(core), core, span_of(said->corrected), &from, &read, err);
    if (rc == 0)
        *out = (struct recall_correction){read.batch, read.place};
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int
take_one(struct core *core, const struct exchange_object *object, const struct store_recall *recall,
    struct said *said, struct err *err)
{
    struct recall_correction correction;
    struct recall_told told;
    int rc = find_correction(core, said, &correction, err);

    if (rc == 0)
        rc = recall_report(core, recall, &correction, &told, err);
    if (rc == 0)
        core_tell(core, "%.*s recalled the report %.*s: %.*s", SPAN_ARGS(object->team),
            SPAN_ARGS(recall->id), SPAN_ARGS(recall->why));
    else if (rc == ERR_CONFLICT || rc == ERR_NOT_FOUND)
        rc = 0; /* as it is said again, or of what is here no more */
    else
        core_lose(core, err);
    return rc;
}

static int
take_all(struct core *core, const struct exchange_object *object, struct span id, struct said *said,
    bool *any, struct err *err)
{
    struct reading_place from = {0};
    struct store_recall recall = {
        .id = id, .at_us = object->now_us, .why = said->why, .corrected = span_of(said->corrected)};
    struct read_report read;
    int rc = store_team(core->store, object->team, &recall.team, err);

    while (rc == 0
        && (rc = reading_next_known(reports_reading(core), core, id, &from, &read, err)) == 0) {
        if (!may_take_back(core, &read, object->team))
            continue;
        *any = true;
        recall.batch = read.batch;
        recall.place = read.place;
        rc = take_one(core, object, &recall, said, err);
    }
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

int
exchange_recall(struct core *core, const struct exchange_object *object, struct err *err)
{
    struct span uuid = object->page->id;
    char id[ID_TEXT_BYTES];
    struct said said;
    bool any = false;

    if (uuid.n < STIX_UUID_BYTES || !stix_object_revoked(object->json)
        || !stix_object_is_ours(object->json))
        return 0;
    uuid = (struct span){uuid.p + uuid.n - STIX_UUID_BYTES, STIX_UUID_BYTES};
    if (!id_plain(uuid, id))
        return 0;
    read_words(object->json, &said);
    int rc = take_all(core, object, span_of(id), &said, &any, err);
    if (rc == 0 && !any)
        return err_set_field(err, ERR_NOT_ALLOWED, "id", 2,
            "no report of that id came from you: only who gave a report, or its origin, takes it "
            "back");
    return rc == 0 ? 1 : rc;
}
