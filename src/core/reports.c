#include "core/reports.h"

#include "base/hash.h"
#include "core/node.h"
#include "core/provenance.h"
#include "core/receipts.h"
#include "core/told.h"
#include "flow/ledger_delivered.h"
#include "fmt/render.h"
#include "model/domain.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ANSWER_BYTES = 48 * 1024 * 1024,
    SLICE_US = 10000,      /* then others have their turn */
    DEADLINE_US = 1500000, /* then what was found is told */
    TEXT_BYTES = 1024,     /* most bytes of a query's text */
    CHECK_DIGITS = 16,
};

struct search_job {
    bool runs;
    enum door door;
    uint64_t tag;
    struct search_query query;
    char address[ADDRESS_TEXT_BYTES]; /* of a single IPv4 address that is looked for; else "" */
    char texts[4][TEXT_BYTES];        /* what the query borrows: name, team, provider, sender */
    bool of_delivery;                 /* only reports of one delivery: of its batch, */
    uint64_t delivered;               /* whose number this is (0: it has gone), */
    uint8_t places[STORE_BATCH_REPORTS / 8]; /* at these places, a bit each */
    uint64_t keys[SEARCH_QUERY_KEYS_MAX];
    struct store_search batches;
    uint32_t limit;
    uint64_t check;  /* binds `next` to the query */
    uint64_t before; /* batches below this one are left to look at; 0: all */
    uint64_t inside; /* a batch that was begun; 0: none */
    uint32_t place;  /* places below this one of it are left */
    bool over;       /* nothing is left */
    uint32_t found;
    uint32_t opened;
    int64_t deadline_us; /* ticks */
    struct buf out;
};

struct reports {
    struct core *core;
    struct reading *reading;
    struct loop_timer timer;
    struct search_job jobs[REPORTS_SEARCHES_MAX];
};

struct reading *
reports_reading(struct core *core)
{
    return core->reports->reading;
}

/* ---- one report ---- */

int
core_report(struct core *core, struct ask *ask, struct err *err)
{
    struct read_report read;
    struct buf out;
    int rc = reading_find(core->reports->reading, core, wire_text(&ask->in), &read, err);

    if (rc != 0)
        return rc;
    out = buf_new(ANSWER_BYTES);
    buf_add_char(&out, '{');
    reading_tell(core, &read, &out);
    rc = provenance_tell(core, &read, ask->arena, &out, err);
    told_number(&out, "line", read.report->line);
    told_open(&out, "fields", '{');
    for (uint32_t i = 0; i < read.report->count; i++) {
        told_item(&out);
        render_field(&out, &read.report->fields[i]);
    }
    buf_add_text(&out, "}}");
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}

/* ---- cursors: the place where to go on, and a check over what was asked ---- */

static void
add_next(const struct core *core, const struct search_job *job, struct buf *out)
{
    char id[ID_TEXT_BYTES];
    char text[ID_TEXT_BYTES + CHECK_DIGITS + 1];
    const struct id_batch batch =
        id_batch(&core->id_key, job->inside != 0 ? job->inside : job->before, 0);

    (void)id_text(&batch, job->inside != 0 ? job->place : 0, id);
    (void)snprintf(text, sizeof text, "%s-%016llx", id, (unsigned long long)job->check);
    told_text(out, "next", span_of(text));
}

static int
bad_next(struct span next, struct err *err)
{
    return err_set_field(err, ERR_BAD_VALUE, "next", 4,
        "\"%.*s\" is no `next` of this search: give the same parameters and what the last answer "
        "said",
        SPAN_ARGS(next));
}

static int
read_next(const struct core *core, struct span next, struct search_job *job, struct err *err)
{
    enum { ID_N = ID_TEXT_BYTES - 1 };
    char check[CHECK_DIGITS + 1];
    struct id_place place;

    if (next.n == 0)
        return 0;
    (void)snprintf(check, sizeof check, "%016llx", (unsigned long long)job->check);
    if (next.n != ID_N + 1 + CHECK_DIGITS || next.p[ID_N] != '-'
        || memcmp(next.p + ID_N + 1, check, CHECK_DIGITS) != 0
        || id_read(&core->id_key, (struct span){next.p, ID_N}, &place, NULL) != 0
        || place.batch == 0)
        return bad_next(next, err);
    job->before = place.batch;
    job->inside = place.place > 0 ? place.batch : 0;
    job->place = place.place;
    return 0;
}

/* ---- the question ---- */

/* What the asker's bytes hold must outlive them. */
static struct span
keep(char room[TEXT_BYTES], struct span text)
{
    size_t n = text.n < TEXT_BYTES ? text.n : TEXT_BYTES;

    memcpy(room, text.p, n);
    return (struct span){room, n};
}

static void
read_query(struct wire_in *in, struct search_job *job, struct span *delivery)
{
    struct search_query *query = &job->query;

    query->address.family = wire_u8(in);
    query->address.bits = wire_u8(in);
    query->address.high = wire_u64(in);
    query->address.low = wire_u64(in);
    query->name = keep(job->texts[0], wire_text(in));
    query->team = keep(job->texts[1], wire_text(in));
    query->economy.index = wire_u16(in);
    query->asn = wire_u32(in);
    query->classification = (uint8_t)wire_u16(in);
    uint8_t effect = wire_u8(in);
    query->effect_given = effect != 0;
    query->effect = (uint8_t)(effect - 1);
    query->provider = keep(job->texts[2], wire_text(in));
    query->unattributed = wire_u8(in) == 1;
    query->sender = keep(job->texts[3], wire_text(in));
    *delivery = wire_text(in);
    job->batches.since_us = wire_i64(in);
    job->batches.until_us = wire_i64(in);
}

/* Which reports are of the delivery whose batch is BATCH? */
static int
read_delivery(struct core *core, struct arena *arena, struct span batch, struct search_job *job,
    struct err *err)
{
    struct store_receipt receipt;
    struct store_delivery *all;
    size_t count;

    job->of_delivery = batch.n > 0;
    if (!job->of_delivery)
        return 0;
    int rc = receipts_find(core, arena, batch, &receipt, err);
    if (rc == 0)
        rc = store_deliveries(core->store, arena, receipt.batch, &all, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (all[i].entry != receipt.entry)
            continue;
        job->delivered = receipt.batch;
        uint32_t place;
        for (uint64_t at = 0; ledger_delivered_place(&all[i], at, &place); at++)
            if (place < STORE_BATCH_REPORTS)
                job->places[place / 8] |= (uint8_t)(1u << place % 8);
    }
    return rc;
}

/* Filters have senders' keys from some batch on, if the store was made before there were any. */
static int
read_late(struct core *core, struct arena *arena, struct search_job *job, struct err *err)
{
    struct span from = {0};
    int rc = 0;

    job->batches.late = job->query.sender.n > 0;
    if (job->batches.late > 0)
        rc = store_get(core->store, arena, "search-senders", &from, err);
    if (rc == 0 && from.n > 0 && !span_u64(from, &job->batches.late_from))
        rc = err_set(err, ERR_BAD_STORE, "the value search-senders is no number");
    return rc;
}

static int
begin_job(struct core *core, struct ask *ask, struct search_job *job, struct err *err)
{
    const char *begin = ask->in.p;
    struct span delivery;

    *job = (struct search_job){.door = ask->door, .tag = ask->tag};
    read_query(&ask->in, job, &delivery);
    uint64_t seed;
    memcpy(&seed, core->id_key.bytes, sizeof seed);
    job->check = hash_bytes(begin, (size_t)(ask->in.p - begin), seed);
    job->limit = wire_u32(&ask->in);
    struct span next = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a search", err);
    if (rc == 0)
        rc = read_next(core, next, job, err);
    if (rc == 0 && job->query.unattributed && job->query.team.n > 0)
        rc = err_set_field(err, ERR_BAD_VALUE, "unattributed", 12,
            "what nobody answers for is for no team: give one of the two");
    if (rc == 0)
        rc = read_delivery(core, ask->arena, delivery, job, err);
    if (rc == 0)
        rc = read_late(core, ask->arena, job, err);
    if (rc != 0)
        return rc;
    if (job->batches.since_us == 0)
        job->batches.since_us = INT64_MIN;
    if (job->batches.until_us == 0)
        job->batches.until_us = INT64_MAX;
    if (job->query.address.family == 4 && job->query.address.bits == 32)
        (void)address_format(&job->query.address, job->address);
    job->batches.keys = job->keys;
    job->batches.key_count = search_query_keys(&job->query, job->keys);
    job->deadline_us = clock_ticks_us() + DEADLINE_US;
    job->out = buf_new(ANSWER_BYTES);
    buf_add_text(&job->out, "{\"items\":[");
    job->runs = true;
    return 0;
}

/* ---- the work ---- */

static int
look_at(struct core *core, struct search_job *job, struct reading *reading, struct err *err)
{
    struct read_report read;
    struct search_facts facts;
    if (job->of_delivery && (job->places[job->place / 8] >> job->place % 8 & 1) == 0)
        return 0;
    if (job->address[0] != '\0' && !reading_may_have(reading, job->place, span_of(job->address)))
        return 0;
    int rc = reading_get(reading, core, job->place, &read, err);
    if (rc != 0)
        return rc;
    if (read.received_us < job->batches.since_us || read.received_us >= job->batches.until_us)
        return 0;
    reading_facts(core, &read, &facts);
    if (!search_matches(&job->query, read.report, &facts))
        return 0;
    told_item(&job->out);
    buf_add_char(&job->out, '{');
    reading_tell(core, &read, &job->out);
    rc = provenance_tell(core, &read, core->arena, &job->out, err);
    buf_add_char(&job->out, '}');
    job->found++;
    return rc;
}

/* The next batch to be looked at becomes `inside`; one whose time is over meanwhile is skipped. */
static int
next_batch(struct core *core, struct search_job *job, struct reading *reading, struct err *err)
{
    uint64_t number = job->inside;
    int rc = 0;

    if (number == 0 && job->of_delivery)
        number = job->before == 0 || job->delivered < job->before ? job->delivered : 0;
    else if (number == 0)
        rc = store_batch_search(core->store, &job->batches, job->before, &number, err);
    job->over = rc == 0 && number == 0;
    if (rc != 0 || job->over)
        return rc;
    bool begun = job->inside != 0;
    job->before = number;
    job->inside = 0;
    rc = reading_open(reading, core, number, err);
    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc != 0)
        return rc;
    job->opened++;
    job->inside = number;
    if (!begun || job->place > reading_count(reading))
        job->place = reading_count(reading);
    return 0;
}

static bool
is_enough(const struct search_job *job)
{
    return job->over || job->found >= job->limit || job->out.full;
}

/* Until SLICE_US are over, or it is done; a batch that was begun is gone through. */
static int
work(struct core *core, struct search_job *job, struct err *err)
{
    struct reading *reading = core->reports->reading;
    int64_t end = clock_ticks_us() + SLICE_US;
    int rc = 0;

    while (rc == 0 && !is_enough(job) && clock_ticks_us() < end) {
        rc = next_batch(core, job, reading, err);
        while (rc == 0 && job->inside != 0 && job->place > 0 && !is_enough(job)) {
            job->place--;
            rc = look_at(core, job, reading, err);
        }
        if (job->place == 0)
            job->inside = 0;
    }
    return rc;
}

static void
finish(struct core *core, struct search_job *job)
{
    struct err err;

    job->runs = false;
    buf_add_char(&job->out, ']');
    if (job->over)
        told_text(&job->out, "next", SPAN(""));
    else
        add_next(core, job, &job->out);
    told_number(&job->out, "batches", job->opened);
    buf_add_char(&job->out, '}');
    if (node_say(core, job->door, job->tag, &job->out, &err) != 0)
        core_refuse(core, job->door, job->tag, &err);
}

/* One slice; true: it is done, and was answered. */
static bool
go_on(struct core *core, struct search_job *job)
{
    struct err err;

    if (work(core, job, &err) != 0) {
        job->runs = false;
        buf_free(&job->out);
        core_refuse(core, job->door, job->tag, &err);
        return true;
    }
    if (!is_enough(job) && clock_ticks_us() < job->deadline_us)
        return false;
    finish(core, job);
    return true;
}

static void
turn(void *ctx)
{
    struct reports *reports = ctx;
    struct core *core = reports->core;
    bool more = false;
    struct err err;

    for (size_t i = 0; i < REPORTS_SEARCHES_MAX; i++) {
        struct search_job *job = &reports->jobs[i];
        if (job->runs && !go_on(core, job))
            more = true;
    }
    if (more && loop_timer_set(core->loop, &reports->timer, clock_ticks_us(), &err) != 0)
        core_tell(core, "searches stand still: %s", err.msg);
}

int
core_reports(struct core *core, struct ask *ask, struct err *err)
{
    struct reports *reports = core->reports;
    struct search_job *job = NULL;

    for (size_t i = 0; job == NULL && i < REPORTS_SEARCHES_MAX; i++)
        if (!reports->jobs[i].runs)
            job = &reports->jobs[i];
    if (job == NULL)
        return err_set(err, ERR_BUSY, "%d searches run already", REPORTS_SEARCHES_MAX);
    int rc = begin_job(core, ask, job, err);
    if (rc != 0 || go_on(core, job))
        return rc;
    rc = loop_timer_set(core->loop, &reports->timer, clock_ticks_us(), err);
    if (rc != 0) {
        job->runs = false;
        buf_free(&job->out);
    }
    return rc;
}

/* ---- life ---- */

struct reports *
reports_new(struct core *core)
{
    struct reports *reports = calloc(1, sizeof *reports);

    if (reports == NULL)
        return NULL;
    reports->core = core;
    reports->timer = (struct loop_timer){.due = turn, .ctx = reports};
    reports->reading = reading_new();
    if (reports->reading == NULL) {
        free(reports);
        return NULL;
    }
    return reports;
}

void
reports_gone(struct core *core, enum door door)
{
    struct reports *reports = core->reports;

    for (size_t i = 0; reports != NULL && i < REPORTS_SEARCHES_MAX; i++) {
        struct search_job *job = &reports->jobs[i];
        if (!job->runs || job->door != door)
            continue;
        job->runs = false;
        buf_free(&job->out);
    }
}

void
reports_free(struct reports *reports)
{
    if (reports == NULL)
        return;
    for (size_t i = 0; i < REPORTS_SEARCHES_MAX; i++)
        if (reports->jobs[i].runs)
            buf_free(&reports->jobs[i].out);
    loop_timer_stop(reports->core->loop, &reports->timer);
    reading_free(reports->reading);
    free(reports);
}
