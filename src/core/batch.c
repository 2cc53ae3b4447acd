#include "core/batch.h"

#include "base/hash.h"
#include "core/counts.h"
#include "core/search.h"
#include "sys/clock.h"

#include <stdlib.h>

static const int64_t day_us = (int64_t)24 * 3600 * 1000000;

enum {
    RECORDS_BYTES = 64 * 1024 * 1024, /* one report may have megabytes of text */
    ENOUGH_BYTES = 8 * 1024 * 1024,
    OUTCOMES_BYTES = 64 * 1024 * 1024,
    VERDICTS_MOST = 4096,
    VERDICT_SLOTS = 2 * VERDICTS_MOST,
    COUNTS_A_REPORT = 16, /* most that one adds */
};

struct batch {
    uint64_t sealed; /* the number of the last one */
    uint32_t count;
    uint32_t term_days;
    int64_t first_us;
    int64_t last_us;
    struct buf records;
    struct buf reports; /* their outcomes */
    struct buf whole;   /* what is sealed: verdicts, then reports */
    struct search_set *keys;
    uint64_t digests[STORE_BATCH_REPORTS];
    struct verdict verdicts[VERDICTS_MOST];
    uint16_t verdict_slots[VERDICT_SLOTS]; /* index + 1 */
    uint32_t verdict_count;
    uint32_t *due; /* by the store's number of the team */
    uint32_t due_size;
    uint32_t *due_teams; /* those that have any */
    uint32_t due_count;
    struct store_held held[STORE_BATCH_REPORTS * OUTCOME_RECIPIENTS_MAX];
    uint32_t held_count;
    struct counts counts;
};

struct batch *
batch_new(void)
{
    struct batch *batch = calloc(1, sizeof *batch);

    if (batch == NULL)
        return NULL;
    batch->records = buf_new(RECORDS_BYTES);
    batch->reports = buf_new(OUTCOMES_BYTES);
    batch->whole = buf_new(OUTCOMES_BYTES);
    batch->keys = search_set_new();
    if (batch->keys == NULL) {
        batch_free(batch);
        return NULL;
    }
    batch_clear(batch);
    return batch;
}

void
batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    buf_free(&batch->records);
    buf_free(&batch->reports);
    buf_free(&batch->whole);
    search_set_free(batch->keys);
    free(batch->due);
    free(batch->due_teams);
    free(batch);
}

/* A report of some megabytes is no reason to keep as much for ever. */
static void
empty(struct buf *buf)
{
    buf->n = 0;
    if (buf->size > ENOUGH_BYTES || buf->full)
        buf_free(buf);
    buf->full = false;
}

void
batch_clear(struct batch *batch)
{
    batch->count = 0;
    batch->first_us = INT64_MAX;
    batch->last_us = INT64_MIN;
    empty(&batch->records);
    empty(&batch->reports);
    empty(&batch->whole);
    search_set_reset(batch->keys);
    memset(batch->verdict_slots, 0, sizeof batch->verdict_slots);
    batch->verdict_count = 0;
    for (uint32_t i = 0; i < batch->due_count; i++)
        batch->due[batch->due_teams[i]] = 0;
    batch->due_count = 0;
    batch->held_count = 0;
    counts_clear(&batch->counts);
}

uint32_t
batch_count(const struct batch *batch)
{
    return batch->count;
}

uint64_t
batch_sealed(const struct batch *batch)
{
    return batch->sealed;
}

uint32_t
batch_term_days(const struct batch *batch)
{
    return batch->term_days;
}

bool
batch_full(const struct batch *batch)
{
    return batch->count == STORE_BATCH_REPORTS || batch->records.n > ENOUGH_BYTES
        || batch->verdict_count + OUTCOME_RECIPIENTS_MAX > VERDICTS_MOST
        || batch->counts.count + COUNTS_A_REPORT > COUNTS_MOST;
}

bool
batch_has_any(const struct batch *batch)
{
    return batch->count > 0 || batch->counts.count > 0;
}

/* ---- one report ---- */

static bool
same_verdict(const struct verdict *a, const struct verdict *b)
{
    return a->effect == b->effect && a->reason == b->reason
        && memcmp(a->laxity, b->laxity, sizeof a->laxity) == 0
        && a->require_encrypted == b->require_encrypted && a->require_receipt == b->require_receipt
        && a->onward == b->onward && a->clause_count == b->clause_count
        && a->retention_days == b->retention_days
        && memcmp(a->clauses, b->clauses, sizeof a->clauses) == 0;
}

/* Verdicts repeat: a batch keeps each once. */
static uint16_t
index_of(struct batch *batch, const struct verdict *verdict)
{
    uint64_t h = hash_bytes(verdict->clauses, sizeof verdict->clauses,
        (uint64_t)verdict->reason << 8 | verdict->effect);
    uint32_t at = (uint32_t)(h % VERDICT_SLOTS);

    while (batch->verdict_slots[at] != 0) {
        uint16_t known = (uint16_t)(batch->verdict_slots[at] - 1);
        if (same_verdict(&batch->verdicts[known], verdict))
            return known;
        at = (at + 1) % VERDICT_SLOTS;
    }
    batch->verdicts[batch->verdict_count] = *verdict;
    batch->verdict_slots[at] = (uint16_t)++batch->verdict_count;
    return (uint16_t)(batch->verdict_count - 1);
}

static int
grow_due(struct batch *batch, uint32_t team, struct err *err)
{
    uint32_t size = batch->due_size < 512 ? 512 : batch->due_size;

    while (size <= team && size < UINT32_MAX / 2)
        size *= 2;
    uint32_t *due = realloc(batch->due, size * sizeof *due);
    if (due != NULL)
        batch->due = due;
    uint32_t *teams = realloc(batch->due_teams, size * sizeof *teams);
    if (teams != NULL)
        batch->due_teams = teams;
    if (due == NULL || teams == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the outbox of %u teams", size);
    memset(due + batch->due_size, 0, (size - batch->due_size) * sizeof *due);
    batch->due_size = size;
    return 0;
}

static int
add_due(struct batch *batch, uint32_t team, struct err *err)
{
    int rc = team < batch->due_size ? 0 : grow_due(batch, team, err);

    if (rc == 0 && batch->due[team]++ == 0)
        batch->due_teams[batch->due_count++] = team;
    return rc;
}

static void
count_outcome(struct batch *batch, const struct verdict *verdict, uint32_t team, uint8_t class)
{
    counts_add(&batch->counts, STAT_OUTCOMES, team, class, 1);
    counts_add(&batch->counts,
        team == 0                               ? STAT_UNATTRIBUTED
            : verdict->effect == EFFECT_RELEASE ? STAT_RELEASED
            : verdict->effect == EFFECT_HOLD    ? STAT_HELD
                                                : STAT_WITHHELD,
        team, class, 1);
}

static uint8_t
side_of(const struct flow_result *result, struct team_id recipient)
{
    return recipient.index != 0 && result->attribution.source.team.index != recipient.index
            && result->attribution.destination.team.index == recipient.index
        ? 1
        : 0;
}

static int
add_outcome(struct batch *batch, struct core *core, const struct flow_result *result, uint8_t i,
    struct outcome_report *out, struct search_facts *facts, struct err *err)
{
    const struct flow_outcome *outcome = &result->outcomes[i];
    uint32_t team;
    int rc = knowledge_team_number(core, outcome->recipient, &team, err);

    if (rc != 0)
        return rc;
    out->ones[i] = (struct outcome_one){
        team, index_of(batch, &outcome->verdict), side_of(result, outcome->recipient)};
    if (i < 2)
        facts->outcomes[facts->outcome_count++] = (struct search_outcome){
            knowledge_team_id(core, outcome->recipient), outcome->verdict.effect};
    count_outcome(batch, &outcome->verdict, team, result->report->classification);
    if (team != 0 && outcome->verdict.effect == EFFECT_HOLD)
        batch->held[batch->held_count++] = (struct store_held){.place = batch->count,
            .team = team,
            .reason = outcome->verdict.reason,
            .state = HELD_WAITING};
    return team != 0 && outcome->verdict.effect == EFFECT_RELEASE ? add_due(batch, team, err) : 0;
}

static void
tell_sides(const struct flow_result *result, struct outcome_report *out, struct search_facts *facts)
{
    const struct attribution *sides[2] = {
        &result->attribution.source, &result->attribution.destination};

    for (int s = 0; s < 2; s++) {
        out->sides[s] = (struct outcome_side){sides[s]->rule, sides[s]->economy, sides[s]->geo.asn};
        facts->economies[s] = sides[s]->economy;
        facts->asns[s] = sides[s]->geo.asn;
    }
}

int
batch_add(struct batch *batch, struct core *core, const struct flow_result *result,
    struct span record, const struct batch_origin *origin, struct err *err)
{
    const struct report *report = result->report;
    struct search_facts facts = {.sender = store_team_id(core->store, origin->team)};
    struct outcome_report out = {.tlp = (uint8_t)result->tlp,
        .from_partner = origin->partner,
        .origin = origin->team,
        .count = result->outcome_count};
    int rc = 0;

    tell_sides(result, &out, &facts);
    for (uint8_t i = 0; rc == 0 && i < out.count; i++)
        rc = add_outcome(batch, core, result, i, &out, &facts, err);
    if (rc == 0)
        rc = search_set_add(batch->keys, report, &facts, err);
    if (rc != 0)
        return rc;
    counts_add(&batch->counts, STAT_RECEIVED, 0, report->classification, 1);
    counts_add(&batch->counts, STAT_STORED, 0, report->classification, 1);
    counts_add(&batch->counts, STAT_GIVEN, origin->team, report->classification, 1);
    outcome_add_report(&batch->reports, &out);
    buf_add_span(&batch->records, record);
    batch->term_days = result->term_days;
    batch->digests[batch->count++] = result->digest;
    if (report->time_us != 0 && report->time_us < batch->first_us)
        batch->first_us = report->time_us;
    if (report->time_us != 0 && report->time_us > batch->last_us)
        batch->last_us = report->time_us;
    return buf_check(batch->records.full ? &batch->records : &batch->reports, "a batch", err);
}

void
batch_rejected(struct batch *batch, uint64_t count)
{
    if (count == 0)
        return;
    counts_add(&batch->counts, STAT_RECEIVED, 0, CLASSIFICATION_UNKNOWN, count);
    counts_add(&batch->counts, STAT_REJECTED, 0, CLASSIFICATION_UNKNOWN, count);
}

void
batch_duplicate(struct batch *batch, const struct report *report)
{
    counts_add(&batch->counts, STAT_RECEIVED, 0, report->classification, 1);
    counts_add(&batch->counts, STAT_DUPLICATE, 0, report->classification, 1);
}

/* ---- sealing ---- */

static void
add_verdict(struct batch *batch, const struct core *core, const struct verdict *verdict)
{
    struct outcome_verdict out = {.verdict = *verdict};
    const struct policy *policy = core->basis.policy;

    out.clause_count =
        verdict->clause_count < VERDICT_CLAUSES_MAX ? verdict->clause_count : VERDICT_CLAUSES_MAX;
    for (uint8_t i = 0; i < out.clause_count; i++)
        out.clauses[i] = (struct outcome_clause){policy_agreement(policy, verdict->clauses[i])->id,
            policy_clause(policy, verdict->clauses[i])->id};
    outcome_add_verdict(&batch->whole, &out);
}

static struct span
outcomes_of(struct batch *batch, const struct core *core)
{
    outcome_add_head(&batch->whole, (uint16_t)batch->verdict_count);
    for (uint32_t i = 0; i < batch->verdict_count; i++)
        add_verdict(batch, core, &batch->verdicts[i]);
    outcome_add_count(&batch->whole, (uint16_t)batch->count);
    buf_add_span(&batch->whole, buf_span(&batch->reports));
    return buf_span(&batch->whole);
}

static int
keep_held(struct batch *batch, struct core *core, uint64_t number, int64_t now, struct err *err)
{
    for (uint32_t i = 0; i < batch->held_count; i++) {
        batch->held[i].batch = number;
        batch->held[i].since_us = now;
    }
    return batch->held_count == 0
        ? 0
        : store_held_add(core->store, batch->held, batch->held_count, err);
}

static int
keep_reports(struct batch *batch, struct core *core, int64_t now, uint64_t *due, struct err *err)
{
    struct store_due *entries = calloc(batch->due_count + 1, sizeof *entries);
    struct store_batch row = {.received_us = now,
        .keep_until_us = batch->term_days == 0 ? 0 : now + batch->term_days * day_us,
        .first_us = batch->first_us <= batch->last_us ? batch->first_us : now,
        .last_us = batch->first_us <= batch->last_us ? batch->last_us : now,
        .count = batch->count,
        .records = buf_span(&batch->records),
        .outcomes = outcomes_of(batch, core),
        .digests = batch->digests};

    if (entries == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the outbox");
    for (uint32_t i = 0; i < batch->due_count; i++) {
        entries[i] = (struct store_due){batch->due_teams[i], batch->due[batch->due_teams[i]]};
        *due += entries[i].count;
    }
    row.keys = search_set_keys(batch->keys, &row.key_count);
    hash_random(&row.tag, sizeof row.tag);
    row.tag &= ID_TAG_MASK;
    int rc = buf_check(&batch->whole, "a batch", err);
    if (rc == 0)
        rc = store_batch_add(core->store, &row, entries, batch->due_count, err);
    free(entries);
    batch->sealed = row.number;
    return rc == 0 ? keep_held(batch, core, row.number, now, err) : rc;
}

int
batch_seal(struct batch *batch, struct core *core, uint64_t *due, struct err *err)
{
    int64_t now = clock_now_us();
    int rc = batch->count == 0 ? 0 : keep_reports(batch, core, now, due, err);

    if (rc == 0)
        rc = counts_keep(&batch->counts, core->store, now, err);
    if (rc == 0)
        batch_clear(batch);
    return rc;
}
