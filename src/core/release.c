#include "base/time.h"
#include "core/collections.h"
#include "core/intake.h"
#include "core/release_private.h"
#include "model/link.h"
#include "store/recall.h"
#include "sys/clock.h"

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
    /* What is sent in one envelope is recorded as one delivery: half of it is enough for many, and
     * a report that may be large when it is written is one alone. */
    DELIVERY_BYTES = LINK_ENVELOPE_MAX / 2,
    LARGE_BYTES = 128 * 1024,
    TOGETHER_US = 3000, /* batches that take no longer are committed together */
};

static const int64_t day_us = (int64_t)24 * 3600 * 1000000;

/* ---- the batch ---- */

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

/* What was taken back before it was written out does not go. */
static int
drop_recalled(struct core *core, struct release *release, uint64_t batch, struct task *tasks,
    size_t count, struct err *err)
{
    struct store_recall *recalls;
    size_t recalled;
    int rc = store_recalls_of(core->store, release->batch, batch, &recalls, &recalled, err);

    for (size_t r = 0; rc == 0 && r < recalled; r++)
        for (size_t i = 0; i < count; i++)
            if (tasks[i].place == recalls[r].place && tasks[i].effect == EFFECT_RELEASE) {
                tasks[i].effect = EFFECT_WITHHOLD;
                tasks[i].term_days = UINT32_MAX;
            }
    return rc;
}

/* What was decided for teams, team by team, and for each by the time it may be kept, what does
 * not go last; *RELEASED of it was let go. */
static int
gather(struct core *core, const struct unpacked *batch, struct task **out, size_t *count,
    size_t *released, struct err *err)
{
    struct release *release = core->release;
    size_t room = (size_t)batch->outcomes.count * OUTCOME_RECIPIENTS_MAX + 1;
    struct task *tasks = arena_alloc(release->batch, room * sizeof *tasks);
    struct outcome_report report;

    if (tasks == NULL)
        return arena_full(err, "a batch");
    *count = *released = 0;
    for (uint32_t place = 0; place < batch->outcomes.count; place++) {
        outcome_get(&batch->outcomes, place, &report);
        for (uint8_t i = 0; i < report.count; i++) {
            const struct outcome_one *one = &report.ones[i];
            const struct verdict *verdict = &batch->outcomes.verdicts[one->verdict].verdict;
            bool goes = verdict->effect == EFFECT_RELEASE;
            if (one->team == 0)
                continue;
            tasks[(*count)++] = (struct task){one->team, place, one->verdict, one->side,
                verdict->effect, goes ? verdict->retention_days : UINT32_MAX};
            *released += goes;
        }
    }
    int rc = drop_recalled(core, release, batch->number, tasks, *count, err);
    qsort(tasks, *count, sizeof *tasks, by_team);
    *out = tasks;
    return rc;
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
        || span_starts(id, SPAN("identity--")) || span_starts(id, SPAN("comity-batch--"));
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
    struct span rest = buf_span(&release->text);
    int rc = 0;

    while (rc == 0 && rest.n > 2) {
        rest = (struct span){rest.p + 2, rest.n - 2};
        const char *next = memchr(rest.p, '\n', rest.n);
        size_t n = next == NULL ? rest.n : (size_t)(next - 1 - rest.p);
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

void
release_drop(struct release *release)
{
    empty(&release->text);
    empty(&release->body);
    release->object_count = 0;
}

/* What was written for the team goes into its collection. */
static int
append(struct core *core, struct release *release, const struct unpacked *batch, struct err *err)
{
    struct parcel *parcel = &release->parcel;
    int64_t now = clock_now_us();
    struct store_piece piece = {.reports = parcel->reports,
        .batch = batch->number,
        .keep_until_us = keep_until(batch, parcel->term_days, now)};
    int64_t first = 0;
    size_t added = 0;
    int rc = collections_of_team(core->collections, parcel->team, now, &piece.collection, err);

    if (rc == 0)
        rc = split(release, err);
    if (rc == 0) {
        piece.body = buf_span(&release->body);
        piece.objects = release->objects;
        piece.count = release->object_count;
        rc = store_append(core->store, &piece, now, &first, &added, err);
    }
    parcel->first_us = parcel->first_us == 0 ? first : parcel->first_us;
    parcel->last_us = first + (int64_t)added - 1;
    parcel->collection = piece.collection;
    parcel->bytes += piece.body.n;
    parcel->reports = 0;
    release_drop(release);
    return rc;
}

void
release_begin(
    struct release *release, const struct unpacked *batch, const struct task *task, bool held)
{
    release->parcel =
        (struct parcel){.team = task->team, .term_days = task->term_days, .held = held};
    delivery_begin(release->delivery, batch->number, task->team);
}

int
release_finish(
    struct core *core, struct release *release, const struct unpacked *batch, struct err *err)
{
    const struct parcel *parcel = &release->parcel;
    bool items = delivery_items(release->delivery) > 0;
    int rc = 0;

    if (items)
        rc = delivery_record(core, release->delivery,
            parcel->held || parcel->recall ? LEDGER_KIND_DECISION : LEDGER_KIND_DELIVERY,
            parcel->recall ? LEDGER_DECISION_RECALLED : LEDGER_DECISION_RELEASED, &release->text,
            err);
    if (rc == 0 && release->text.n > 0)
        rc = append(core, release, batch, err);
    if (rc != 0 || !items)
        return rc;
    if (!parcel->recall)
        counts_add(&release->written, STAT_WRITTEN, parcel->team, CLASSIFICATION_UNKNOWN,
            delivery_items(release->delivery));
    return delivery_keep(
        core, release->delivery, parcel->collection, parcel->first_us, parcel->last_us, err);
}

/* May the report that goes be one of the delivery that is open? */
static bool
belongs(const struct release *release, const struct unpacked *batch, const struct task *task)
{
    const struct parcel *parcel = &release->parcel;
    size_t bytes = parcel->bytes + release->text.n;

    return task->term_days == parcel->term_days
        && (bytes == 0 || (bytes < DELIVERY_BYTES && batch->records[task->place].n <= LARGE_BYTES));
}

/* COUNT tasks for one team, of which at least one goes. */
static int
write_team(struct core *core, struct release *release, const struct unpacked *batch,
    const struct task *tasks, size_t count, bool held, struct err *err)
{
    int rc = 0;

    release_begin(release, batch, &tasks[0], held);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct task *task = &tasks[i];
        const struct outcome_verdict *verdict = &batch->outcomes.verdicts[task->verdict];
        bool goes = task->effect == EFFECT_RELEASE;
        if (!delivery_fits(release->delivery, verdict)
            || (goes && !belongs(release, batch, task))) {
            rc = release_finish(core, release, batch, err);
            release_begin(release, batch, task, held);
        }
        if (rc == 0 && !goes) {
            delivery_count(release->delivery, verdict, (enum effect)task->effect, 0);
            continue;
        }
        if (rc == 0)
            rc = release_one(core, release, batch, task, NULL, err);
        if (rc == RELEASE_TOO_LARGE) {
            rc = 0;
            continue;
        }
        release->parcel.reports++;
        if (rc == 0 && release->text.n >= PIECE_BYTES)
            rc = append(core, release, batch, err);
    }
    return rc == 0 ? release_finish(core, release, batch, err) : rc;
}

int
release_write(struct core *core, struct release *release, const struct unpacked *batch,
    const struct task *tasks, size_t count, bool held, struct err *err)
{
    int rc = 0;

    for (size_t i = 0, n; rc == 0 && i < count; i += n) {
        bool goes = false;
        for (n = 0; i + n < count && tasks[i + n].team == tasks[i].team; n++)
            goes = goes || tasks[i + n].effect == EFFECT_RELEASE;
        if (goes)
            rc = write_team(core, release, batch, &tasks[i], n, held, err);
        if (rc == 0 && release->written.count == COUNTS_MOST)
            rc = counts_keep(&release->written, core->store, clock_now_us(), err);
    }
    if (rc == 0)
        rc = counts_keep(&release->written, core->store, clock_now_us(), err);
    if (rc == 0)
        return 0;
    counts_clear(&release->written);
    release_drop(release);
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
    size_t released = 0;
    int rc = store_due_next(core->store, &number, err);

    *more = rc == 0 && number != 0;
    if (!*more)
        return rc;
    release->decided.number = 0;
    rc = core_begin(core, err);
    if (rc == 0)
        rc = unpacked_read(core, release->batch, number, &batch, err);
    if (rc == 0)
        rc = gather(core, &batch, &tasks, &count, &released, err);
    if (rc == 0)
        rc = release_write(core, release, &batch, tasks, count, false, err);
    if (rc == 0)
        rc = store_due_done(core->store, number, err);
    if (rc == 0)
        intake_released(core, released);
    give_back(&release->batch, BATCH_BYTES);
    give_back(&release->redacted, REDACTED_BYTES);
    return rc;
}

/* ---- idle work ---- */

static void
on_again(void *ctx)
{
    struct release *release = ctx;

    release->tired = release->resting = false;
}

/* Is nobody waiting for us to take reports in, or is too much due to think of them? */
static bool
may_work(const struct core *core)
{
    return intake_streams(core->intake) == 0
        || intake_due(core->intake) > core->options.outbox_max / 2;
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

    if (may_work(core))
        return false;
    release->tired = release->resting =
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

    if (release->resting && may_work(core)) {
        loop_timer_stop(core->loop, &release->again);
        release->tired = release->resting = false;
    }
    if (release->tired)
        return false;
    int rc = 0;
    do /* a commit costs as much as a small batch */
        rc = release_batch(core, &more, &err);
    while (rc == 0 && more && clock_ticks_us() - begun_us < TOGETHER_US);
    if (rc == 0)
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
    release->delivery = delivery_new();
    release->again = (struct loop_timer){.due = on_again, .ctx = release};
    if (release->batch == NULL || release->redacted == NULL || release->delivery == NULL)
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
    delivery_free(release->delivery);
    free(release);
}
