#include "core/node.h"

#include "core/figures.h"
#include "core/intake.h"
#include "core/links_told.h"
#include "core/logbook.h"
#include "core/mail.h"
#include "core/receipts.h"
#include "core/state.h"
#include "core/told.h"
#include "flow/cards.h"
#include "sys/clock.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { ANSWER_BYTES = 64 * 1024 * 1024, PART_BYTES = 1024 * 1024, KEY_BYTES = 1024 };
#define DAY_US (INT64_C(86400) * 1000000)

int
node_say(struct core *core, enum door door, uint64_t tag, struct buf *body, struct err *err)
{
    int rc = buf_check(body, "the answer", err);
    size_t at = 0;

    while (rc == 0 && body->n - at > PART_BYTES) {
        const struct span part = {body->p + at, PART_BYTES};
        rc = core_say(core, door, MESSAGE_ANSWER, tag, part, true, err);
        at += PART_BYTES;
    }
    const struct span last = {body->p + at, body->n - at};
    if (rc == 0)
        rc = core_say(core, door, MESSAGE_ANSWER, tag, last, false, err);
    buf_free(body);
    return rc;
}

int
node_answer(struct core *core, const struct ask *ask, struct buf *body, struct err *err)
{
    return node_say(core, ask->door, ask->tag, body, err);
}

/* ---- how is it? ---- */

static bool
may_read(const struct ask *ask)
{
    return ask->asker.kind != PRINCIPAL_NOBODY && ask->asker.kind != PRINCIPAL_PARTNER;
}

/* What the store's file and its log take, and what is left where they lie. */
static void
add_storage(const struct core *core, struct buf *out)
{
    static const char *const files[] = {"node.db", "node.db-wal"};
    char path[PATH_MAX];
    struct statvfs room;
    uint64_t bytes = 0;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct stat about;
        int n = snprintf(path, sizeof path, "%s/%s", core->options.home, files[i]);
        if (n > 0 && (size_t)n < sizeof path && stat(path, &about) == 0)
            bytes += (uint64_t)about.st_size;
    }
    told_number(out, "store_bytes", bytes);
    if (statvfs(core->options.home, &room) == 0)
        told_number(out, "free_bytes", (uint64_t)room.f_bavail * room.f_frsize);
}

/* What of the store's file is free for what comes. */
static int
add_unused(struct core *core, struct buf *out, struct err *err)
{
    int64_t bytes;
    int rc = store_unused(core->store, &bytes, err);

    if (rc == 0)
        told_number(out, "unused_bytes", (uint64_t)bytes);
    return rc;
}

/* How long things are kept (seconds; null: for ever), and what was removed since core started. */
static void
tell_retention(const struct core *core, struct buf *out)
{
    const struct core_options *o = &core->options;
    const struct retained *done = &core->retained;

    told_open(out, "retention", '{');
    told_number_or_null(out, "reports", (uint64_t)(o->keep_reports_us / 1000000));
    told_number_or_null(out, "pieces", (uint64_t)(o->keep_pieces_us / 1000000));
    told_number_or_null(out, "receipts", (uint64_t)(o->keep_receipts_us / 1000000));
    told_number(out, "removed", done->pieces);
    told_number(out, "receipts_removed", done->receipts);
    told_time(out, "last", done->last_us);
    told_flag(out, "clock_jumped", done->clock_jumped);
    buf_add_char(out, '}');
}

/* Public: whoever has it can check what the ledger says. */
static void
tell_log_key(const struct core *core, struct buf *out)
{
    struct buf key = buf_new(KEY_BYTES);

    logbook_key(core->logbook, &key);
    told_text(out, "log_key", buf_span(&key));
    buf_free(&key);
}

static int
add_detail(struct core *core, struct ask *ask, struct buf *out, struct err *err)
{
    struct figures_way way;
    struct err why = {0};
    bool ready = intake_ready(core, true, &why) == 0;
    uint64_t open = 0;
    uint64_t cards = 0;
    uint64_t held = 0;
    int64_t oldest_us;
    int rc = figures_way(core, ask->arena, &way, err);

    if (rc == 0)
        rc = store_held_count(core->store, &held, err);
    if (rc == 0)
        rc = store_receipts_open(core->store, &open, &oldest_us, err);
    if (rc == 0)
        rc = cards_waiting_count(core->options.home, &cards, err);
    told_text(out, "why", ready ? SPAN("") : span_of(why.msg));
    told_flag(out, "sandbox", core->options.sandboxed);
    told_time(out, "started", core->started_us);
    told_time(out, "now", clock_now_us());
    told_flag(out, "clock_trusted", core->basis.clock_trusted);
    told_text(out, "team", core->team.index == 0 ? SPAN("") : knowledge_team_id(core, core->team));
    told_number(out, "teams", roster_count(core->roster));
    told_number(out, "agreements", core->basis.agreements.count);
    told_number(out, "held", held);
    told_number(out, "due", way.due);
    told_number(out, "waiting", way.waiting);
    told_number(out, "delivered", way.delivered);
    told_number(out, "failed", way.failed);
    told_number(out, "own", way.own);
    told_time(out, "oldest", way.oldest_us);
    told_number(out, "receipts_open", open);
    links_tell_counts(core, out);
    told_number(out, "cards_waiting", cards);
    tell_log_key(core, out);
    mail_tell_counts(core, out);
    told_flag(out, "courier", core->options.courier);
    add_storage(core, out);
    tell_retention(core, out);
    roles_tell(&core->roles, core->options.sandboxed, out);
    return rc == 0 ? add_unused(core, out, err) : rc;
}

int
core_status(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    bool detail = wire_u8(&ask->in) != 0;
    struct err why = {0};
    bool ready = intake_ready(core, false, &why) == 0;
    int rc = 0;

    if (!ready && !detail)
        return err_set(err, why.code, "%s", why.msg);
    buf_add_char(&out, '{');
    told_flag(&out, "ok", ready && !core->stopping);
    told_text(&out, "version", SPAN(COMITY_VERSION));
    if (detail && may_read(ask))
        rc = add_detail(core, ask, &out, err);
    buf_add_char(&out, '}');
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}

/* ---- for Prometheus: its text format, 0.0.4 ---- */

static void
head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
node_gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, "gauge", help);
    buf_format(out, "%s %llu\n", name, (unsigned long long)value);
}

struct stat_row {
    uint16_t number;
    const char *word;
    const char *text;
};
static const struct stat_row stats[] = {
#define STAT(name, number, word, text) {number, word, text},
#include "tables/stats.def"
#undef STAT
};
enum { STAT_COUNT = sizeof stats / sizeof stats[0] };
#define RECEIPT "receipt-"

/* Add the days from FIRST, before LAST, to TOTALS. */
static int
add_days(struct core *core, struct arena *arena, uint32_t first, uint32_t last,
    uint64_t totals[COUNTED_NUMBERS], struct err *err)
{
    struct store_count *counts;
    size_t count;
    int rc = store_count_list(core->store, arena, first, last, &counts, &count, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (counts[i].name < COUNTED_NUMBERS)
            totals[counts[i].name] += counts[i].value;
    return rc;
}

/* Those whose words begin with PREFIX, without it; "": those that are no receipts. */
static void
add_totals(struct buf *out, const char *name, const char *prefix, const uint64_t *totals)
{
    for (size_t k = 0; k < STAT_COUNT; k++) {
        bool is_receipt = span_starts(span_of(stats[k].word), SPAN(RECEIPT));
        if (is_receipt != (prefix[0] != '\0'))
            continue;
        buf_format(out, "%s{what=\"%s\"} %llu\n", name, stats[k].word + strlen(prefix),
            (unsigned long long)totals[stats[k].number]);
    }
}

/* One counter with a label for what is counted; all days together, so it only grows. Yesterday may
 * still change, just after midnight. */
static int
add_counts(struct core *core, struct arena *arena, struct buf *out, struct err *err)
{
    struct counted *known = &core->counted;
    uint32_t yesterday = (uint32_t)(clock_now_us() / DAY_US) - 1;
    uint64_t totals[COUNTED_NUMBERS];
    int rc = 0;

    if (yesterday > known->until_day) {
        rc = add_days(core, arena, known->until_day, yesterday, known->totals, err);
        known->until_day = rc == 0 ? yesterday : known->until_day;
    }
    memcpy(totals, known->totals, sizeof totals);
    if (rc == 0)
        rc = add_days(core, arena, known->until_day, UINT32_MAX, totals, err);
    head(out, "comity_reports_total", "counter", "Reports and decisions, by what became of them.");
    add_totals(out, "comity_reports_total", "", totals);
    head(out, "comity_receipts_total", "counter", "Receipts of this node and its recipients.");
    add_totals(out, "comity_receipts_total", RECEIPT, totals);
    return rc;
}

/* Teams' ids are letters, digits, '-', '.', '_': nothing to escape. */
static int
add_queues(struct core *core, struct arena *arena, struct buf *out, struct err *err)
{
    struct store_queue *queues;
    size_t count;
    int rc = store_queues(core->store, arena, &queues, &count, err);

    head(out, "comity_outbox_reports", "gauge",
        "Reports by team and state: due, waiting for others, or here for our own team.");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct span team = store_team_id(core->store, queues[i].team);
        buf_format(out, "comity_outbox_reports{team=\"%.*s\",state=\"due\"} %llu\n",
            SPAN_ARGS(team), (unsigned long long)queues[i].due);
        buf_format(out, "comity_outbox_reports{team=\"%.*s\",state=\"%s\"} %llu\n", SPAN_ARGS(team),
            figures_own(core, queues[i].team) ? "own" : "waiting",
            (unsigned long long)queues[i].waiting);
    }
    head(out, "comity_delivered_reports_total", "counter", "Reports delivered, by team.");
    for (size_t i = 0; rc == 0 && i < count; i++)
        buf_format(out, "comity_delivered_reports_total{team=\"%.*s\"} %llu\n",
            SPAN_ARGS(store_team_id(core->store, queues[i].team)),
            (unsigned long long)queues[i].delivered);
    return rc;
}

static int
add_open_receipts(struct core *core, struct buf *out, struct err *err)
{
    uint64_t open;
    int64_t oldest_us;
    int rc = store_receipts_open(core->store, &open, &oldest_us, err);

    node_gauge(out, "comity_receipts_open", "Deliveries that still want a receipt.", open);
    node_gauge(out, "comity_receipts_oldest_open_seconds",
        "Unix time of the oldest of them; 0: there is none.", (uint64_t)oldest_us / 1000000);
    return rc;
}

static int
add_cards(const struct core *core, struct buf *out, struct err *err)
{
    uint64_t waiting = 0;
    int rc = cards_waiting_count(core->options.home, &waiting, err);

    node_gauge(out, "comity_cards_waiting", "Other teams' cards that wait for a person.", waiting);
    return rc;
}

int
core_metrics(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);
    struct figures_way way;
    uint64_t held = 0;
    int rc = figures_way(core, ask->arena, &way, err);

    if (rc == 0)
        rc = store_held_count(core->store, &held, err);
    head(&out, "comity_build_info", "gauge", "The version that runs.");
    buf_add_text(&out, "comity_build_info{version=\"" COMITY_VERSION "\"} 1\n");
    node_gauge(&out, "comity_start_time_seconds", "When core started, in Unix time.",
        (uint64_t)core->started_us / 1000000);
    node_gauge(
        &out, "comity_sandbox", "1: every role runs in its sandbox.", core->options.sandboxed);
    node_gauge(&out, "comity_teams", "Teams of the directory.", roster_count(core->roster));
    node_gauge(
        &out, "comity_agreements", "Agreements that are judged by.", core->basis.agreements.count);
    node_gauge(&out, "comity_held_items", "Items that wait for a person.", held);
    node_gauge(&out, "comity_oldest_due_seconds",
        "Unix time of the oldest report on its way to others; 0: none.",
        (uint64_t)way.oldest_us / 1000000);
    if (rc == 0)
        rc = add_open_receipts(core, &out, err);
    if (rc == 0)
        rc = add_cards(core, &out, err);
    head(&out, "comity_commits_failed_total", "counter", "Commits that the store refused.");
    buf_format(
        &out, "comity_commits_failed_total %llu\n", (unsigned long long)core->commits_failed);
    if (rc == 0)
        rc = add_counts(core, ask->arena, &out, err);
    if (rc == 0)
        rc = add_queues(core, ask->arena, &out, err);
    links_tell_metrics(core, &out);
    mail_tell_metrics(core, &out);
    if (rc == 0)
        return node_answer(core, ask, &out, err);
    buf_free(&out);
    return rc;
}
