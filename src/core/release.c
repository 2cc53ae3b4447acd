#include "core/release.h"

#include "base/time.h"
#include "core/collections.h"
#include "core/intake.h"
#include "core/outcome.h"
#include "flow/redact.h"
#include "fmt/writer.h"
#include "model/record.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BATCH_BYTES = 256 * 1024 * 1024,   /* one batch, unpacked */
    REDACTED_BYTES = 64 * 1024 * 1024, /* one report */
    PIECE_BYTES = 128 * 1024,
    PIECE_MOST_BYTES = 64 * 1024 * 1024, /* a report may be large */
    KEPT_BYTES = 1024 * 1024,
    CLAUSE_BYTES = 256,
    REST_FOR = 9,
    AGAIN_US = 10000000, /* after a failure */
};

static const int64_t day_us = (int64_t)24 * 3600 * 1000000;

/* What is to be written: the report at PLACE for TEAM. */
struct task {
    uint32_t team;
    uint32_t place;
    uint16_t verdict;
    uint8_t side;
    uint32_t term_days; /* how long TEAM may keep it; 0: no term */
};

struct release {
    struct core *core;
    struct arena *batch;    /* the batch that is written out */
    struct arena *redacted; /* one report */
    struct buf text;        /* as the writer makes it */
    struct buf body;        /* the piece */
    struct buf clauses;
    struct store_object *objects;
    size_t object_count;
    size_t object_room;
    struct loop_timer again;
    bool tired; /* after a failure, or to let reports in; until the timer comes */
    struct field fields[REPORT_FIELDS_MAX];
};

/* A batch, unpacked. */
struct unpacked {
    struct store_batch row;
    struct outcomes outcomes;
    struct span *records; /* by place */
    struct id_batch ids;
    uint64_t number;
};

/* ---- the batch ---- */

static int
unpack(struct core *core, struct release *release, uint64_t number, struct unpacked *out,
    struct err *err)
{
    arena_reset(release->batch);
    *out = (struct unpacked){.number = number};
    int rc = store_batch_get(core->store, release->batch, number, &out->row, err);
    if (rc == 0)
        rc = outcome_read(release->batch, out->row.outcomes, &out->outcomes, err);
    if (rc != 0)
        return rc;
    out->records = arena_zalloc(release->batch, out->outcomes.count + 1u, sizeof *out->records);
    if (out->records == NULL)
        return arena_full(err, "a batch");
    struct wire_in in = wire_in(out->row.records);
    for (uint32_t i = 0; i < out->outcomes.count; i++)
        if ((out->records[i] = record_bytes(&in)).n == 0)
            return err_set(err, ERR_BAD_STORE, "batch %llu has fewer reports than outcomes",
                (unsigned long long)number);
    out->ids = id_batch(&core->id_key, number, out->row.tag);
    return 0;
}

static int
by_team(const void *a, const void *b)
{
    const struct task *x = a;
    const struct task *y = b;

    if (x->team != y->team)
        return x->team < y->team ? -1 : 1;
    if (x->term_days != y->term_days)
        return x->term_days < y->term_days ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* Everything that was let go, team by team, and for each by the time it may be kept. */
static int
gather(struct release *release, const struct unpacked *batch, struct task **out, size_t *count,
    struct err *err)
{
    size_t room = (size_t)batch->outcomes.count * OUTCOME_RECIPIENTS_MAX + 1;
    struct task *tasks = arena_alloc(release->batch, room * sizeof *tasks);
    struct outcome_report report;

    if (tasks == NULL)
        return arena_full(err, "a batch");
    *count = 0;
    for (uint32_t place = 0; place < batch->outcomes.count; place++) {
        outcome_get(&batch->outcomes, place, &report);
        for (uint8_t i = 0; i < report.count; i++) {
            const struct outcome_one *one = &report.ones[i];
            const struct verdict *verdict = &batch->outcomes.verdicts[one->verdict].verdict;
            if (one->team != 0 && verdict->effect == EFFECT_RELEASE)
                tasks[(*count)++] = (struct task){
                    one->team, place, one->verdict, one->side, verdict->retention_days};
        }
    }
    qsort(tasks, *count, sizeof *tasks, by_team);
    *out = tasks;
    return 0;
}

/* ---- one report for one team ---- */

/* The id that it has at all nodes: the one another node gave it, else ours. What another gave is
 * no claim of the report, and goes out as its id or not at all. */
static void
take_id(struct report *report, char id[ID_TEXT_BYTES])
{
    for (uint32_t i = 0; i < report->count; i++) {
        const struct field *field = &report->fields[i];
        if (field->id != FIELD_OTHER || !span_equal(field->name, SPAN(REPORT_ID_NAME)))
            continue;
        struct id_place place;
        struct id_key any = {{0}};
        if (field->type == VALUE_TEXT
            && id_read(&any, (struct span){field->s, field->n}, &place, NULL) == 0)
            (void)snprintf(id, ID_TEXT_BYTES, "%.*s", (int)field->n, field->s);
        /* It is outside the table, so no place of `at` is behind it that matters. */
        for (int f = 0; f < FIELD_COUNT; f++)
            if (report->at[f] > i + 1)
                report->at[f]--;
        memmove(&report->fields[i], &report->fields[i + 1],
            (report->count - i - 1) * sizeof *report->fields);
        report->count--;
        return;
    }
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

/* Append the STIX of one report to the text. ALL: the identity of a foreign origin, too. */
static int
write_one(struct core *core, struct release *release, const struct unpacked *batch,
    const struct task *task, bool held, struct err *err)
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
    if (held && let_go.effect == EFFECT_HOLD)
        let_go.effect = EFFECT_RELEASE; /* by a person */
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
    return buf_check(&release->text, "what is written of a report", err);
}

/* ---- pieces ---- */

static int
next_object(struct release *release, struct store_object **out, struct err *err)
{
    *out = NULL;
    if (release->object_count == release->object_room) {
        size_t room = release->object_room == 0 ? 1024 : release->object_room * 2;
        struct store_object *objects = realloc(release->objects, room * sizeof *objects);
        if (objects == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for %zu objects", room);
        release->objects = objects;
        release->object_room = room;
    }
    *out = &release->objects[release->object_count++];
    return 0;
}

/* The value of the first member NAME, which the writer puts before all that comes from outside. */
static struct span
member_of(struct span object, struct span name)
{
    const char *at = memmem(object.p, object.n, name.p, name.n);

    if (at == NULL)
        return (struct span){object.p, 0};
    const char *begin = at + name.n;
    const char *end = memchr(begin, '"', (size_t)(object.p + object.n - begin));
    return (struct span){begin, end == NULL ? 0 : (size_t)(end - begin)};
}

static bool
has_version(struct span id)
{
    return span_starts(id, SPAN("observed-data--")) || span_starts(id, SPAN("note--"))
        || span_starts(id, SPAN("identity--"));
}

static int
add_object(struct release *release, struct span json, struct err *err)
{
    struct store_object *object;
    int rc = next_object(release, &object, err);

    if (rc != 0 || object == NULL)
        return rc;
    if (release->body.n > 0)
        buf_add_char(&release->body, ',');
    *object =
        (struct store_object){.at = (uint32_t)release->body.n, .n = (uint32_t)json.n, .spec = 21};
    buf_add_span(&release->body, json);
    object->id = member_of(json, SPAN("\"id\":\"")); /* of the text, which stays until the piece is
                                                         appended */
    if (object->id.n == 0)
        return err_set(err, ERR_INTERNAL, "an object was written without its id");
    if (has_version(object->id)
        && time_parse(member_of(json, SPAN("\"modified\":\"")), &object->version_us, NULL) != 0)
        object->version_us = 0;
    return 0;
}

/* The writer sets ",\n" before each object, and nowhere else: strings have no line ends. */
static int
split(struct release *release, struct err *err)
{
    static const char between[] = ",\n{";
    struct span rest = buf_span(&release->text);
    int rc = 0;

    while (rc == 0 && rest.n > 2) {
        rest = (struct span){rest.p + 2, rest.n - 2};
        const char *next = memmem(rest.p, rest.n, between, sizeof between - 1);
        size_t n = next == NULL ? rest.n : (size_t)(next - rest.p);
        rc = add_object(release, (struct span){rest.p, n}, err);
        rest = (struct span){rest.p + n, rest.n - n};
    }
    return rc == 0 ? buf_check(&release->body, "a piece", err) : rc;
}

static void
empty(struct buf *buf)
{
    buf->n = 0;
    if (buf->size > KEPT_BYTES || buf->full)
        buf_free(buf);
    buf->full = false;
}

/* Whichever ends first: what the clause gives the recipient, or the term under which it came. */
static int64_t
keep_until(const struct unpacked *batch, uint32_t term_days, int64_t now_us)
{
    int64_t until_us = term_days == 0 ? 0 : now_us + term_days * day_us;
    int64_t came_us = batch->row.keep_until_us;

    return until_us == 0 || (came_us != 0 && came_us < until_us) ? came_us : until_us;
}

/* What was written like TASK goes into its team's collection. */
static int
append(struct core *core, struct release *release, const struct unpacked *batch,
    const struct task *task, uint32_t reports, struct err *err)
{
    int64_t now = clock_now_us();
    struct store_piece piece = {.reports = reports,
        .batch = batch->number,
        .keep_until_us = keep_until(batch, task->term_days, now)};
    int64_t first;
    size_t added;
    int rc = collections_of_team(core->collections, task->team, now, &piece.collection, err);

    if (rc == 0)
        rc = split(release, err);
    if (rc == 0) {
        piece.body = buf_span(&release->body);
        piece.objects = release->objects;
        piece.count = release->object_count;
        rc = store_append(core->store, &piece, now, &first, &added, err);
    }
    empty(&release->text);
    empty(&release->body);
    release->object_count = 0;
    return rc;
}

static int
write_all(struct core *core, struct release *release, const struct unpacked *batch,
    const struct task *tasks, size_t count, bool held, struct err *err)
{
    uint32_t reports = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = write_one(core, release, batch, &tasks[i], held, err);
        reports++;
        bool last = i + 1 == count || tasks[i + 1].team != tasks[i].team
            || tasks[i + 1].term_days != tasks[i].term_days;
        if (rc == 0 && (last || release->text.n >= PIECE_BYTES)) {
            rc = append(core, release, batch, &tasks[i], reports, err);
            reports = 0;
        }
    }
    if (rc != 0) {
        empty(&release->text);
        empty(&release->body);
        release->object_count = 0;
    }
    return rc;
}

/* A batch of large reports is no reason to keep as much for ever. */
static void
give_back(struct arena **arena, size_t max_bytes)
{
    if (arena_used(*arena) > 16 * (size_t)KEPT_BYTES) {
        struct arena *fresh = arena_new(max_bytes);
        if (fresh == NULL)
            return;
        arena_free(*arena);
        *arena = fresh;
    }
    arena_reset(*arena);
}

int
release_batch(struct core *core, bool *more, struct err *err)
{
    struct release *release = core->release;
    struct unpacked batch;
    struct task *tasks = NULL;
    uint64_t number;
    size_t count = 0;
    int rc = store_due_next(core->store, &number, err);

    *more = rc == 0 && number != 0;
    if (!*more)
        return rc;
    rc = core_begin(core, err);
    if (rc == 0)
        rc = unpack(core, release, number, &batch, err);
    if (rc == 0)
        rc = gather(release, &batch, &tasks, &count, err);
    if (rc == 0)
        rc = write_all(core, release, &batch, tasks, count, false, err);
    if (rc == 0)
        rc = store_due_done(core->store, number, err);
    if (rc == 0)
        intake_released(core, count);
    give_back(&release->batch, BATCH_BYTES);
    give_back(&release->redacted, REDACTED_BYTES);
    return rc;
}

int
release_held(struct core *core, const struct store_held *held, struct err *err)
{
    struct release *release = core->release;
    struct unpacked batch;
    struct outcome_report report;
    int rc = unpack(core, release, held->batch, &batch, err);

    if (rc != 0)
        return rc;
    if (held->place >= batch.outcomes.count)
        return err_set(err, ERR_BAD_STORE, "what is held is in no batch");
    outcome_get(&batch.outcomes, held->place, &report);
    for (uint8_t i = 0; i < report.count; i++) {
        const struct outcome_one *one = &report.ones[i];
        const struct verdict *verdict = &batch.outcomes.verdicts[one->verdict].verdict;
        const struct task task = {
            one->team, held->place, one->verdict, one->side, verdict->retention_days};
        if (one->team == held->team && verdict->effect == EFFECT_HOLD)
            return write_all(core, release, &batch, &task, 1, true, err);
    }
    return err_set(err, ERR_BAD_STORE, "what is held was not decided so");
}

/* ---- idle work ---- */

static void
on_again(void *ctx)
{
    struct release *release = ctx;

    release->tired = false;
}

/* Writing out costs some times more than taking in. While reports come, a tenth of the time is its,
 * so that senders are soon answered and recipients get something all the same; all of it once the
 * outbox is half full. */
static bool
rest(struct release *release, int64_t begun_us)
{
    struct core *core = release->core;
    int64_t now = clock_ticks_us();
    struct err err;

    if (intake_streams(core->intake) == 0
        || intake_due(core->intake) > core->options.outbox_max / 2)
        return false;
    release->tired =
        loop_timer_set(core->loop, &release->again, now + REST_FOR * (now - begun_us), &err) == 0;
    return release->tired;
}

static bool
work(void *ctx)
{
    struct release *release = ctx;
    struct core *core = release->core;
    int64_t begun_us = clock_ticks_us();
    struct err err = {0};
    bool more = false;

    if (release->tired)
        return false;
    if (release_batch(core, &more, &err) == 0)
        return more && !rest(release, begun_us);
    core_tell(core, "the outbox cannot be written out: %s", err.msg);
    core_lose(core, &err);
    release->tired =
        loop_timer_set(core->loop, &release->again, clock_ticks_us() + AGAIN_US, &err) == 0;
    return false;
}

void
release_pause(struct release *release, bool pause)
{
    release->tired = pause;
}

int
release_new(struct core *core, struct release **out, struct err *err)
{
    struct release *release = calloc(1, sizeof *release);

    *out = release;
    if (release == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to write out the outbox");
    release->core = core;
    release->batch = arena_new(BATCH_BYTES);
    release->redacted = arena_new(REDACTED_BYTES);
    release->text = buf_new(PIECE_MOST_BYTES);
    release->body = buf_new(PIECE_MOST_BYTES);
    release->clauses = buf_new(VERDICT_CLAUSES_MAX * 2 * CLAUSE_BYTES);
    release->again = (struct loop_timer){.due = on_again, .ctx = release};
    if (release->batch == NULL || release->redacted == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to write out the outbox");
    loop_idle(core->loop, work, release);
    return 0;
}

void
release_free(struct release *release)
{
    if (release == NULL)
        return;
    loop_timer_stop(release->core->loop, &release->again);
    arena_free(release->batch);
    arena_free(release->redacted);
    buf_free(&release->text);
    buf_free(&release->body);
    buf_free(&release->clauses);
    free(release->objects);
    free(release);
}
