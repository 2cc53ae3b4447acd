/* Records become reports, go through the flow, and into the open batch. */
#include "core/intake_private.h"
#include "core/passage.h"
#include "core/window.h"
#include "model/record.h"
#include "sys/clock.h"

enum { BACK_US = 1000000 }; /* a clock that goes back by more is not believed */

static int
deliver(void *ctx, const struct flow_result *result, struct err *err)
{
    struct intake *intake = ctx;
    int rc = 0;

    /* A batch is removed as a whole, so all in it have the same term. */
    if (batch_count(intake->batch) > 0 && batch_term_days(intake->batch) != result->term_days)
        rc = intake_seal(intake->core, err);
    return rc != 0
        ? rc
        : batch_add(intake->batch, intake->core, result, intake->record, &intake->origin, err);
}

/* A new flow whenever there is something new to judge by. */
static int
make_flow(struct core *core, struct intake *intake, struct err *err)
{
    const struct flow_options options = {.world = core_world(core),
        .policy = core->basis.policy,
        .extras = core->basis.extras,
        .feeds = &core->basis.feeds,
        .origin = core->team,
        .seen = intake->seen,
        .decides_only = true,
        .own = core->team,
        .community = core->basis.community,
        .deliver = deliver,
        .ctx = intake};

    if (intake->flow != NULL && intake->knowledge == core->knowledge)
        return 0;
    flow_free(intake->flow);
    intake->flow = NULL;
    intake->knowledge = core->knowledge;
    return flow_new(&options, &intake->flow, err);
}

/* Time never goes back for verdicts: what has ended stays ended. */
static void
set_moment(struct core *core, struct intake *intake)
{
    int64_t now = clock_now_us();
    bool trusted = core->basis.clock_trusted && now >= intake->seen_us - BACK_US;

    if (now > intake->seen_us)
        intake->seen_us = now;
    flow_moment(intake->flow, intake->seen_us, trusted);
}

static int
set_sender(struct core *core, struct intake *intake, const struct stream *stream, struct err *err)
{
    bool partner = stream->kind == PRINCIPAL_PARTNER;
    struct team_id origin = partner ? roster_find(core->roster, span_of(stream->team)) : core->team;

    flow_sender(intake->flow, origin, partner);
    intake->origin = (struct batch_origin){.partner = partner};
    if (origin.index != 0)
        return knowledge_team_number(core, origin, &intake->origin.team, err);
    return partner ? store_team(core->store, span_of(stream->team), &intake->origin.team, err) : 0;
}

/* As the store numbers it; 0: our own people. */
static uint32_t
sender_of(const struct intake *intake)
{
    return intake->origin.partner ? intake->origin.team : 0;
}

/* Up to BLOCK sound reports off IN; LEFT counts down. Bad ones are counted. */
static int
read_block(struct intake *intake, struct wire_in *in, uint32_t *left, struct stream *stream,
    size_t *count, struct err *err)
{
    uint32_t used = 0;

    for (*count = 0;
         *left > 0 && *count < INTAKE_BLOCK && used + REPORT_FIELDS_MAX <= INTAKE_FIELDS; --*left) {
        struct report *report = &intake->reports[*count];
        const char *begin = in->p;
        int rc = record_next(in, report, intake->fields + used, REPORT_FIELDS_MAX, err);
        if (rc == 0)
            rc = check_report(intake->check, report, err);
        if (rc == ERR_INTERNAL || rc == ERR_NO_MEMORY)
            return rc;
        if (rc != 0) {
            stream->totals.received++;
            stream->totals.rejected++;
            batch_rejected(intake->batch, 1);
            continue;
        }
        intake->records[(*count)++] = (struct span){begin, (size_t)(in->p - begin)};
        used += report->count;
        report->digest = window_digest(report, sender_of(intake));
        report->id_digest = window_id_digest(report, sender_of(intake));
        flow_prepare(intake->flow, report);
    }
    return 0;
}

/* Through the flow, unless the way it came says that it is none, or was here already. */
static int
flow_on(struct core *core, struct intake *intake, size_t i, struct err *err)
{
    struct passage passage;
    struct report *report = &intake->reports[i];
    uint64_t duplicates = flow_counts(intake->flow)->duplicate;
    int rc = passage_read(core, report, sender_of(intake), &passage, err);

    if (rc != 0 && err_is_senders(rc)) {
        flow_rejected(intake->flow);
        batch_rejected(intake->batch, 1);
        return 0;
    }
    if (rc == 0 && passage.again)
        flow_duplicate(intake->flow);
    if (rc != 0 || passage.again)
        return rc;
    intake->record = intake->records[i];
    flow_came_through(intake->flow, passage.teams, passage.count);
    rc = flow_report(intake->flow, report, err);
    flow_came_through(intake->flow, NULL, 0);
    return rc == 0 && flow_counts(intake->flow)->duplicate == duplicates
        ? passage_taken(core, report, sender_of(intake), err)
        : rc;
}

static int
take_report(struct core *core, struct intake *intake, size_t i, struct err *err)
{
    uint64_t duplicates = flow_counts(intake->flow)->duplicate;
    int rc = flow_on(core, intake, i, err);

    if (rc == 0 && flow_counts(intake->flow)->duplicate > duplicates)
        batch_duplicate(intake->batch, &intake->reports[i]);
    if (rc == 0
        && (batch_full(intake->batch) || batch_count(intake->batch) >= core->options.batch_reports))
        rc = intake_seal(core, err);
    intake->half_done = rc != 0;
    return rc;
}

int
intake_prepare(
    struct core *core, struct intake *intake, const struct stream *stream, struct err *err)
{
    int rc = make_flow(core, intake, err);

    if (rc == 0)
        rc = set_sender(core, intake, stream, err);
    if (rc == 0)
        set_moment(core, intake);
    return rc;
}

int
intake_records(struct core *core, struct intake *intake, struct stream *stream, struct wire_in *in,
    uint32_t left, struct err *err)
{
    struct totals before = *flow_counts(intake->flow);
    size_t count;
    int rc = 0;

    while (rc == 0 && left > 0) {
        rc = read_block(intake, in, &left, stream, &count, err);
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = take_report(core, intake, i, err);
    }
    totals_grow(&stream->totals, flow_counts(intake->flow), &before);
    return rc == 0 ? wire_end(in, "a message of reports", err) : rc;
}
