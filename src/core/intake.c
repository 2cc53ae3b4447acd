#include "core/correction.h"
#include "core/incoming.h"
#include "core/intake_private.h"
#include "core/window.h"
#include "sys/clock.h"

#include <stdlib.h>

enum { AGAIN_US = 1000000 }; /* what could not be read of the store is tried again */

static const char stale_words[] = "the agreements cannot be read anew";
static const char blind_words[] = "the store cannot tell which reports were there already";

/* ---- the window of duplicates ---- */

static int
fill_window(struct core *core, struct intake *intake, struct err *err)
{
    seen_free(intake->seen);
    flow_free(intake->flow); /* it looks into the window that is gone */
    intake->flow = NULL;
    return window_read(core->store, core->options.window, &intake->seen, err);
}

/* ---- life ---- */

static void
on_ripe(void *ctx)
{
    struct intake *intake = ctx;

    intake->ripe = true;
}

static int
count_due(struct core *core, struct intake *intake, struct err *err)
{
    struct store_queue *queues;
    size_t count;
    int rc = store_queues(core->store, core->arena, &queues, &count, err);

    intake->due = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        intake->due += queues[i].due;
    return rc;
}

/* What the store has now, after a loss. */
static void
look_again(struct core *core, struct intake *intake)
{
    struct err err = {0};
    int rc = fill_window(core, intake, &err);

    if (rc == 0)
        rc = count_due(core, intake, &err);
    if (rc != 0 && intake->blind.code == 0)
        core_tell(core, "%s, so no report is taken in: %s", blind_words, err.msg);
    intake->blind = rc == 0 ? (struct err){0} : err;
    intake->look_at_us = clock_ticks_us() + AGAIN_US;
}

int
intake_new(struct core *core, struct intake **out, struct err *err)
{
    struct intake *intake = calloc(1, sizeof *intake);

    *out = intake;
    if (intake == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the intake");
    intake->core = core;
    intake->seen_us = core->started_us;
    intake->timer = (struct loop_timer){.due = on_ripe, .ctx = intake};
    intake->check = check_new();
    intake->batch = batch_new();
    if (intake->check == NULL || intake->batch == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the intake");
    int rc = fill_window(core, intake, err);
    return rc == 0 ? count_due(core, intake, err) : rc;
}

void
intake_free(struct intake *intake)
{
    if (intake == NULL)
        return;
    loop_timer_stop(intake->core->loop, &intake->timer);
    flow_free(intake->flow);
    seen_free(intake->seen);
    check_free(intake->check);
    batch_free(intake->batch);
    free(intake);
}

/* ---- streams ---- */

bool
intake_asker(struct intake *intake, enum door door, uint64_t tag, struct asker *out)
{
    const struct stream *stream = streams_find(&intake->streams, door, tag);

    if (stream == NULL)
        return false;
    *out = (struct asker){.kind = stream->kind, .team = span_of(stream->team)};
    return true;
}

void
intake_gone(struct core *core, enum door door)
{
    struct intake *intake = core->intake;

    for (size_t i = 0; intake != NULL && i < STREAMS_MAX; i++) {
        struct stream *s = &intake->streams.all[i];
        if (!s->open || s->door != door)
            continue;
        if (s->file != 0)
            incoming_again(core, s->file);
        streams_close(&intake->streams, s);
    }
}

size_t
intake_streams(const struct intake *intake)
{
    return intake->streams.open;
}

uint64_t
intake_due(const struct intake *intake)
{
    return intake->due;
}

static int
give_credit(struct core *core, const struct stream *stream, uint32_t credit, struct err *err)
{
    struct buf body = buf_new(sizeof credit);

    wire_add_u32(&body, credit);
    int rc = core_say(core, stream->door, MESSAGE_CREDIT, stream->tag, buf_span(&body), false, err);
    buf_free(&body);
    return rc;
}

int
intake_ready(const struct core *core, bool with_reason, struct err *err)
{
    bool stale = core->stale.code != 0;
    const struct err *why = stale ? &core->stale : &core->intake->blind;
    const char *words = stale ? stale_words : blind_words;

    if (why->code == 0)
        return 0;
    return with_reason ? err_set(err, ERR_BUSY, "%s: %s", words, why->msg)
                       : err_set(err, ERR_BUSY, "%s", words);
}

void
intake_renew(struct core *core)
{
    struct intake *intake = core->intake;

    knowledge_renew(core);
    if (intake->blind.code != 0 && clock_ticks_us() >= intake->look_at_us)
        look_again(core, intake);
}

static bool
behind(const struct core *core)
{
    return core->intake->due > core->options.outbox_max;
}

void
intake_released(struct core *core, uint64_t count)
{
    struct intake *intake = core->intake;
    struct err err = {0};

    intake->due -= count < intake->due ? count : intake->due;
    if (behind(core))
        return;
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct stream *s = &intake->streams.all[i];
        if (s->open && s->credit_owed > 0 && give_credit(core, s, s->credit_owed, &err) == 0)
            s->credit_owed = 0;
    }
}

static int
may_open(const struct core *core, const struct ask *ask, struct err *err)
{
    struct intake *intake = core->intake;
    int rc = intake_ready(core, ask->door == DOOR_LOCAL, err);

    if (rc != 0)
        return rc;
    if (streams_full(&intake->streams, ask->door))
        return err_set(err, ERR_BUSY, "too many streams of reports are open");
    if (behind(core))
        return err_set(
            err, ERR_BUSY, "more reports wait to be written out than the outbox may hold");
    return ask->asker.team.n >= STREAM_TEAM_BYTES
            || streams_find(&intake->streams, ask->door, ask->tag) != NULL
        ? err_set(err, ERR_INTERNAL, "a stream cannot be opened like that")
        : 0;
}

int
core_intake_open(struct core *core, struct ask *ask, struct err *err)
{
    struct intake *intake = core->intake;
    struct stream *stream = streams_place(&intake->streams);
    struct correction *correction = NULL;
    struct intake_open open;

    intake_open_take(&ask->in, &open);
    intake_renew(core);
    int rc = wire_end(&ask->in, "the beginning of a stream", err);
    if (rc == 0)
        rc = may_open(core, ask, err);
    if (rc == 0 && stream == NULL)
        rc = err_set(err, ERR_BUSY, "too many streams of reports are open");
    if (rc == 0)
        rc = correction_new(core, ask, &open, &correction, err);
    if (rc != 0) {
        if (ask->door == DOOR_LOCAL && open.file != 0)
            incoming_again(core, open.file);
        return rc;
    }
    streams_open(&intake->streams, stream, ask, open.counted);
    stream->correction = correction;
    stream->file = ask->door == DOOR_LOCAL ? open.file : 0;
    return give_credit(core, stream, INTAKE_CREDIT, err);
}

/* ---- messages ---- */

static int
unsettle(struct intake *intake, struct stream *stream, struct err *err)
{
    stream->unsettled = true;
    return intake->timer.place != 0 || intake->ripe
        ? 0
        : loop_timer_set(intake->core->loop, &intake->timer,
            clock_ticks_us() + intake->core->options.batch_us, err);
}

static void
count_rejected(struct intake *intake, struct stream *stream, uint32_t rejected)
{
    stream->totals.received += rejected;
    stream->totals.rejected += rejected;
    batch_rejected(intake->batch, rejected);
}

static int
take_message(struct core *core, struct intake *intake, struct stream *stream, struct ask *ask,
    struct err *err)
{
    uint32_t rejected = wire_u32(&ask->in);
    uint32_t count = wire_u32(&ask->in);

    if (ask->in.bad || count > INTAKE_RECORDS_MOST)
        return err_set(err, ERR_INTERNAL, "a message of reports is none");
    int rc = core_begin(core, err);
    if (rc == 0)
        rc = unsettle(intake, stream, err);
    if (rc == 0)
        rc = intake_prepare(core, intake, stream, err);
    if (rc != 0)
        return rc;
    const struct totals before = stream->totals;
    count_rejected(intake, stream, rejected);
    rc = stream->correction != NULL ? correction_take(core, stream, &ask->in, count, err)
                                    : intake_records(core, intake, stream, &ask->in, count, err);
    return rc == 0 ? streams_count(stream, &before, err) : rc;
}

/* Our own faults pass, and the file is read again; what a front cannot say right it never can. */
static void
give_up_file(struct core *core, const struct stream *stream, const struct err *why)
{
    if (stream->file != 0 && why->code == ERR_INTERNAL)
        incoming_failed(core, stream->file, span_of(why->msg));
    else if (stream->file != 0)
        incoming_again(core, stream->file);
}

int
core_intake_records(struct core *core, struct ask *ask, struct err *err)
{
    struct intake *intake = core->intake;

    intake_renew(core); /* may refuse streams: the open batch is sealed */
    struct stream *stream = streams_find(&intake->streams, ask->door, ask->tag);
    if (stream == NULL)
        return 0; /* it was refused meanwhile */
    int rc = intake_ready(core, ask->door == DOOR_LOCAL, err);
    if (rc == 0)
        rc = take_message(core, intake, stream, ask, err);
    if (rc != 0) {
        give_up_file(core, stream, err);
        streams_close(&intake->streams, stream);
        if (intake->half_done)
            core_lose(core, err);
        return rc;
    }
    if (!behind(core))
        return give_credit(core, stream, 1, err);
    stream->credit_owed++;
    return 0;
}

int
core_intake_close(struct core *core, struct ask *ask, struct err *err)
{
    struct intake *intake = core->intake;
    struct stream *stream = streams_find(&intake->streams, ask->door, ask->tag);
    struct buf body = buf_new(STREAM_TOLD_BYTES);

    if (stream == NULL)
        return 0;
    uint32_t rejected = wire_u32(&ask->in);
    struct span problems = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "the end of a stream", err);
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0) {
        count_rejected(intake, stream, rejected);
        streams_tell(&body, stream);
        rc = core_answer_durable(core, ask, buf_span(&body), err);
    }
    if (rc == 0 && stream->file != 0)
        incoming_done(core, stream->file, problems);
    if (rc != 0)
        give_up_file(core, stream, err);
    streams_close(&intake->streams, stream);
    buf_free(&body);
    return rc;
}

int
core_intake_abort(struct core *core, struct ask *ask, struct err *err)
{
    struct stream *stream = streams_find(&core->intake->streams, ask->door, ask->tag);
    struct span why = wire_text(&ask->in);

    if (stream == NULL)
        return 0;
    if (stream->file != 0)
        incoming_failed(core, stream->file, why);
    streams_close(&core->intake->streams, stream);
    return wire_end(&ask->in, "the breaking off of a stream", err);
}

/* ---- durable, or not ---- */

int
intake_seal(struct core *core, struct err *err)
{
    struct intake *intake = core->intake;
    int rc;

    if (intake == NULL || !batch_has_any(intake->batch))
        return 0;
    rc = core_begin(core, err);
    return rc == 0 ? batch_seal(intake->batch, core, &intake->due, err) : rc;
}

bool
intake_waits(const struct intake *intake)
{
    return intake->timer.place != 0;
}

static void
rest(struct core *core, struct intake *intake)
{
    loop_timer_stop(core->loop, &intake->timer);
    intake->ripe = false;
}

void
intake_committed(struct core *core)
{
    struct intake *intake = core->intake;

    if (intake == NULL)
        return;
    rest(core, intake);
    for (size_t i = 0; intake->streams.open > 0 && i < STREAMS_MAX; i++)
        intake->streams.all[i].unsettled = false;
}

void
intake_lost(struct core *core, const struct err *why)
{
    struct intake *intake = core->intake;

    if (intake == NULL)
        return;
    rest(core, intake);
    intake->half_done = false;
    batch_clear(intake->batch);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct stream *s = &intake->streams.all[i];
        if (!s->open || !s->unsettled)
            continue;
        core_refuse(core, s->door, s->tag, why);
        if (s->file != 0)
            incoming_again(core, s->file);
        streams_close(&intake->streams, s);
    }
    look_again(core, intake);
}
