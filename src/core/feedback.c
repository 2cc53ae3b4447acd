#include "core/feedback.h"

#include "base/hash.h"
#include "core/collections.h"
#include "core/node.h"
#include "core/provenance.h"
#include "core/reports.h"
#include "core/told.h"
#include "flow/basis.h"
#include "fmt/stix_feedback.h"
#include "fmt/stix_id.h"
#include "store/recall.h"
#include "sys/clock.h"

#include <stdio.h>

enum { TEXT_BYTES = 64 * 1024, ANSWER_BYTES = 4096, NAME_BYTES = 128 };

/* ---- to who gave the report ---- */

/* Without anything to observe a report travels as a note. */
static bool
is_observed(const struct report *report)
{
    static const enum field_id ids[] = {FIELD_SOURCE_URL, FIELD_DESTINATION_URL,
        FIELD_SOURCE_ACCOUNT, FIELD_MALWARE_MD5, FIELD_MALWARE_SHA1, FIELD_MALWARE_SHA256,
        FIELD_MALWARE_HASH};

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (report_get(report, ids[i]) != NULL)
            return true;
    return reading_has_side(&report->source) || reading_has_side(&report->destination);
}

/* The id of the report's object, as its recipients have it. */
static void
object_id(const struct read_report *read, struct stix_id *out)
{
    char id[ID_TEXT_BYTES];

    provenance_id(read, id);
    id[STIX_UUID_VERSION_AT] = '4'; /* as stix_write has it */
    out->n = (size_t)snprintf(out->text, sizeof out->text, "%s--%s",
        is_observed(read->report) ? "observed-data" : "note", id);
}

/* F, said by us, goes into the collection of the team that gave READ's report. */
static int
put(struct core *core, const struct read_report *read, const struct stix_feedback *f,
    int64_t now_us, struct err *err)
{
    struct stix_feedback said = *f;
    struct buf text = buf_new(TEXT_BYTES);
    struct stix_id report;
    uint32_t collection;
    int rc = collections_of_team(core->collections, read->outcome.origin, now_us, &collection, err);

    object_id(read, &report);
    said.report = (struct span){report.text, report.n};
    said.author = knowledge_own_id(core);
    said.tlp = read->outcome.tlp;
    stix_feedback_write(&text, &said);
    buf_add_char(&text, ']');
    if (rc == 0)
        rc = buf_check(&text, "feedback", err);
    if (rc == 0) {
        text.p[0] = '['; /* for the first comma */
        rc = collections_append_json(core->collections, collection, buf_span(&text), now_us, err);
    }
    buf_free(&text);
    return rc;
}

/* ---- by our own people ---- */

struct saying {
    struct span id;
    uint8_t opinion;
    uint64_t count;
    struct span note;
};

static int
read_saying(struct ask *ask, struct saying *out, struct err *err)
{
    out->id = wire_text(&ask->in);
    struct span word = wire_text(&ask->in);
    out->count = wire_u64(&ask->in);
    out->note = span_trim(wire_text(&ask->in));
    int rc = wire_end(&ask->in, "feedback", err);

    if (rc != 0)
        return rc;
    out->opinion = (uint8_t)opinion_find(word);
    if (word.n > 0 && out->opinion == OPINION_NONE)
        return err_set_field(err, ERR_BAD_VALUE, "opinion", 7,
            "\"%.*s\" is none of strongly-disagree, disagree, neutral, agree, strongly-agree",
            SPAN_ARGS(word));
    if ((word.n > 0) == (out->count > 0))
        return err_set_field(err, ERR_BAD_VALUE, "opinion", 7,
            "give either an opinion, or how many sightings there were");
    return out->count <= STIX_FEEDBACK_COUNT_MAX
        ? 0
        : err_set_field(
            err, ERR_BAD_NUMBER, "sightings", 9, "at most %d sightings", STIX_FEEDBACK_COUNT_MAX);
}

static void
new_id(const char *type, struct stix_id *out)
{
    uint8_t u[16];

    hash_random(u, sizeof u);
    stix_id_make(out, type, STIX_ID_OWN, (struct span){(const char *)u, sizeof u});
}

static int
say(struct core *core, const struct ask *ask, const struct read_report *read,
    const struct saying *saying, struct buf *out, struct err *err)
{
    int64_t now = clock_now_us();
    struct store_feedback row = {.batch = read->batch,
        .place = read->place,
        .version_us = now,
        .at_us = now,
        .opinion = saying->opinion,
        .count = saying->count,
        .by = ask->asker.name,
        .note = saying->note};
    struct stix_id id;
    bool new;

    new_id(saying->opinion == OPINION_NONE ? "sighting" : "opinion", &id);
    row.id = (struct span){id.text, id.n};
    struct stix_feedback f = {.id = row.id,
        .opinion = saying->opinion,
        .count = saying->count,
        .note = saying->note,
        .created_us = now,
        .modified_us = now};
    int rc = core_begin(core, err);
    if (rc == 0)
        rc = store_team(core->store, knowledge_own_id(core), &row.team, err);
    if (rc == 0)
        rc = store_feedback_put(core->store, &row, &new, err);
    if (rc == 0)
        rc = put(core, read, &f, now, err);
    if (rc != 0)
        core_lose(core, err); /* none of it without the rest */
    buf_add_char(out, '{');
    told_text(out, "id", row.id);
    told_text(out, "to", store_team_id(core->store, read->outcome.origin));
    buf_add_char(out, '}');
    return rc;
}

int
core_report_feedback(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct read_report read;
    struct saying saying;
    int rc = read_saying(ask, &saying, err);

    if (rc == 0)
        rc = reading_find(reports_reading(core), core, saying.id, &read, err);
    if (rc == 0 && !read.outcome.from_partner)
        rc = err_set_field(err, ERR_CONFLICT, "id", 2,
            "the report came from no other team: there is nobody to be told");
    if (rc == 0)
        rc = say(core, ask, &read, &saying, &out, err);
    if (rc == 0)
        rc = core_answer_durable(core, ask, buf_span(&out), err);
    buf_free(&out);
    return rc;
}

/* ---- by who got it from us ---- */

static int
was_let_go(
    struct core *core, const struct read_report *read, uint32_t team, bool *went, struct err *err)
{
    struct store_held *held;
    size_t count;
    int rc = store_held_of(core->store, core->arena, read->batch, read->place, &held, &count, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        *went = *went || (held[i].team == team && held[i].state == HELD_RELEASED);
    return rc;
}

/* What was let go may never have come into the collection of TEAM (the store's number). */
static int
has_come(
    struct core *core, const struct read_report *read, uint32_t team, bool *come, struct err *err)
{
    struct store_unsent unsent = {.batch = read->batch, .place = read->place, .team = team};
    bool never = false;
    int rc = store_unsent_get(core->store, &unsent, &never, err);

    *come = rc == 0 && !never;
    return rc;
}

/* Was it written out for TEAM, or for everybody? */
static int
has_got(
    struct core *core, const struct read_report *read, struct span team, bool *got, struct err *err)
{
    bool due = false;
    int rc = store_due_has(core->store, read->batch, &due, err);

    *got = false;
    for (uint8_t i = 0; rc == 0 && i < read->outcome.count; i++) {
        const struct outcome_one *one = &read->outcome.ones[i];
        uint8_t effect = read->outcomes->verdicts[one->verdict].verdict.effect;
        struct span id = store_team_id(core->store, one->team);
        if (!span_equal(id, team) && !span_equal(id, SPAN(BASIS_COMMUNITY)))
            continue;
        bool went = effect == EFFECT_RELEASE && !due;
        if (effect == EFFECT_HOLD)
            rc = was_let_go(core, read, one->team, &went, err);
        if (rc == 0 && went)
            rc = has_come(core, read, one->team, &went, err);
        *got = *got || (rc == 0 && went);
    }
    return rc;
}

/* The report with ID, ours or one that we passed on, that TEAM got from us. */
static int
find(struct core *core, struct span id, struct span team, struct read_report *read, bool *got,
    struct err *err)
{
    struct reading *reading = reports_reading(core);
    struct reading_place from = {0};
    int rc = reading_find(reading, core, id, read, err);

    *got = false;
    if (rc == 0)
        rc = has_got(core, read, team, got, err);
    while (rc == 0 && !*got) {
        rc = reading_next_known(reading, core, id, &from, read, err);
        if (rc == 0)
            rc = has_got(core, read, team, got, err);
    }
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int
keep(struct core *core, const struct exchange_object *object, const struct read_report *read,
    const struct stix_feedback *f, bool *new, struct err *err)
{
    struct store_feedback row = {.batch = read->batch,
        .place = read->place,
        .id = f->id,
        .version_us = object->page->version_us,
        .at_us = object->now_us,
        .opinion = f->opinion,
        .count = f->count,
        .note = f->note};
    struct store_feedback *all;
    size_t count;
    size_t own = 0;
    int rc = store_team(core->store, object->team, &row.team, err);

    *new = false;
    if (rc == 0)
        rc = store_feedback_of(
            core->store, object->arena, read->batch, read->place, &all, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        own += all[i].team == row.team && !span_equal(all[i].id, row.id);
    if (rc == 0 && own >= FEEDBACK_MOST)
        return err_set(
            err, ERR_LIMIT, "a team may say at most %d things of a report", FEEDBACK_MOST);
    return rc == 0 ? store_feedback_put(core->store, &row, new, err) : rc;
}

/* As our own word: who got it from us is not theirs to know. The id follows from the object's, so
 * that a later version stays one. */
static int
pass_on(struct core *core, const struct exchange_object *object, const struct read_report *read,
    const struct stix_feedback *said, struct err *err)
{
    bool sighting = said->opinion == OPINION_NONE;
    struct stix_feedback f = *said;
    struct stix_id id;

    stix_id_make(&id, sighting ? "sighting" : "opinion", STIX_ID_OWN, said->id);
    f.id = (struct span){id.text, id.n};
    f.created_us = read->received_us;
    f.modified_us = object->now_us > f.created_us ? object->now_us : f.created_us;
    return put(core, read, &f, object->now_us, err);
}

static int
refuse(struct err *err)
{
    return err_set(err, ERR_NOT_ALLOWED, "it is about no report that you got from here");
}

int
exchange_feedback(struct core *core, const struct exchange_object *object, struct err *err)
{
    struct stix_feedback f;
    struct read_report read;
    char id[ID_TEXT_BYTES];
    bool got = false;
    bool new = false;
    int rc = stix_feedback_read(object->json, &f, err);

    if (rc != 1)
        return rc;
    if (f.report.n < STIX_UUID_BYTES
        || !id_plain((struct span){f.report.p + f.report.n - STIX_UUID_BYTES, STIX_UUID_BYTES}, id))
        return refuse(err);
    rc = find(core, span_of(id), object->team, &read, &got, err);
    if (rc == 0 && !got)
        return refuse(err);
    if (rc == 0)
        rc = keep(core, object, &read, &f, &new, err);
    if (rc == 0 && new &&read.outcome.from_partner) {
        rc = pass_on(core, object, &read, &f, err);
        if (rc != 0)
            core_lose(core, err); /* what was not passed on is not kept either */
    }
    return rc == 0 ? 1 : rc;
}
