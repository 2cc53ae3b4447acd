/* check.c: is everything that the store has whole, and does it fit together?
 *
 * What is damaged is told and counted, and the search goes on; an error is returned only for what
 * keeps it from going on.
 */
#include "model/record.h"
#include "store/filter.h"
#include "store/sqlite/piece.h"

#include <stdio.h>

enum { ARENA_BYTES = 2 * PACK_MAX_BYTES + (16 << 20), TOLD_BYTES = 400 };

struct check {
    struct store *store;
    struct arena *arena;
    void (*found)(void *ctx, const char *what);
    store_progress *progress;
    void *ctx;
    uint64_t faults;
    uint64_t done;
    uint64_t total;
};

static void fault(struct check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
fault(struct check *check, const char *format, ...)
{
    char text[TOLD_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    check->faults++;
    if (check->found != NULL)
        check->found(check->ctx, text);
}

static void
one_more(struct check *check)
{
    check->done++;
    if (check->progress != NULL)
        check->progress(check->ctx, check->done, check->total);
}

/* What SQL says beside the store's own statements: it is asked once. */
static int
ask(struct check *check, const char *sql, db_row *row, void *ctx, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;
    int step = sqlite3_prepare_v2(check->store->db, sql, -1, &statement, NULL);

    while (step == SQLITE_OK || step == SQLITE_ROW) {
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW && (rc = row(ctx, statement, err)) != 0)
            break;
    }
    if (rc == 0 && step != SQLITE_DONE)
        rc = db_error(check->store, "it cannot be checked further", err);
    (void)sqlite3_finalize(statement);
    if (rc != ERR_BAD_STORE)
        return rc;
    fault(check, "%s", err->msg);
    return 0;
}

/* ---- pages ---- */

static int
tell_page(void *ctx, sqlite3_stmt *row, struct err *err)
{
    const char *text = (const char *)sqlite3_column_text(row, 0);

    (void)err;
    if (text != NULL && strcmp(text, "ok") != 0)
        fault(ctx, "%s", text);
    return 0;
}

/* ---- batches ---- */

static uint64_t
records_in(struct span records)
{
    struct wire_in in = wire_in(records);
    uint64_t count = 0;

    while (in.n > 0 && record_bytes(&in).n > 0)
        count++;
    return in.n == 0 ? count : UINT64_MAX;
}

static int
check_batch(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct check *check = ctx;
    unsigned long long number = (unsigned long long)sqlite3_column_int64(row, 0);
    uint64_t reports = (uint64_t)sqlite3_column_int64(row, 1);
    struct packer *packer = check->store->packer;
    struct span raw;

    arena_reset(check->arena);
    if (sqlite3_column_int64(row, 8) > sqlite3_column_int64(row, 9))
        fault(check, "batch %llu: its first time is after its last", number);
    if (sqlite3_column_type(row, 4) == SQLITE_NULL)
        fault(check, "batch %llu has no records", number);
    else if (pack_open(packer, check->arena, db_bytes(row, 4), (size_t)sqlite3_column_int64(row, 2),
                 &raw, err)
        != 0)
        fault(check, "batch %llu, records: %s", number, err->msg);
    else if (records_in(raw) != reports)
        fault(check, "batch %llu says that it has %llu reports, and has others", number,
            (unsigned long long)reports);
    if (sqlite3_column_type(row, 5) != SQLITE_NULL
        && pack_open(packer, check->arena, db_bytes(row, 5), (size_t)sqlite3_column_int64(row, 3),
               &raw, err)
            != 0)
        fault(check, "batch %llu, outcomes: %s", number, err->msg);
    if (!filter_whole(db_bytes(row, 6)))
        fault(check, "batch %llu: its filter is damaged or missing", number);
    uint64_t digests = (uint64_t)sqlite3_column_int64(row, 7);
    if (digests != 0 && digests != reports * sizeof(uint64_t))
        fault(check, "batch %llu: its digests are not one a report", number);
    one_more(check);
    return 0;
}

/* ---- pieces ---- */

/* Objects lie behind each other, a comma between two. */
static bool
body_fits(const struct entries *entries, struct span body)
{
    size_t at = 0;

    for (uint32_t i = 0; i < entries->count; i++) {
        const struct entry *entry = &entries->all[i];
        if (entry->at != at || entry->n > body.n - at)
            return false;
        at += entry->n;
        if (i + 1 < entries->count && (at == body.n || body.p[at++] != ','))
            return false;
    }
    return at == body.n;
}

static bool
dates_fit(const struct entries *entries, int64_t first_us, int64_t last_us)
{
    for (uint32_t i = 0; i < entries->count; i++)
        if (first_us + entries->all[i].added > last_us
            || (i > 0 && entries->all[i].added <= entries->all[i - 1].added))
            return false;
    return true;
}

static uint32_t
lasts_in(const struct entries *entries)
{
    uint32_t lasts = 0;

    for (uint32_t i = 0; i < entries->count; i++)
        lasts += entries->all[i].flags & ENTRY_LAST;
    return lasts;
}

static bool
filter_fits(const struct entries *entries, struct span filter)
{
    char id[STORE_ID_BYTES];

    for (uint32_t i = 0; i < entries->count; i++) {
        size_t n = entries_id(entries, &entries->all[i], id);
        if (!filter_may_hold(filter, piece_key_id((struct span){id, n}))
            || !filter_may_hold(filter, piece_key_type(entries_type(entries, &entries->all[i]))))
            return false;
    }
    return filter_whole(filter);
}

static int
check_piece(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct check *check = ctx;
    unsigned long long number = (unsigned long long)sqlite3_column_int64(row, 0);
    struct buf *copy = &check->store->work[WORK_ENTRIES];
    struct span bytes = db_bytes(row, 6);
    struct entries entries;
    struct span body;

    arena_reset(check->arena);
    one_more(check);
    copy->n = 0;
    copy->full = false;
    buf_add(copy, bytes.p, bytes.n);
    if (entries_read(buf_span(copy), &entries, err) != 0) {
        fault(check, "piece %llu: %s", number, bytes.n == 0 ? "it has no body" : err->msg);
        return 0;
    }
    if (entries.count != (uint64_t)sqlite3_column_int64(row, 3)
        || lasts_in(&entries) != (uint64_t)sqlite3_column_int64(row, 4))
        fault(check, "piece %llu: its counts are not those of its objects", number);
    if (!dates_fit(&entries, sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2)))
        fault(check, "piece %llu: the dates of its objects do not ascend", number);
    if (!filter_fits(&entries, db_bytes(row, 5)))
        fault(check, "piece %llu: its filter misses what it has", number);
    if (pack_open(check->store->packer, check->arena, db_bytes(row, 8),
            (size_t)sqlite3_column_int64(row, 7), &body, err)
        != 0)
        fault(check, "piece %llu: %s", number, err->msg);
    else if (!body_fits(&entries, body))
        fault(check, "piece %llu: its body is not what its objects say", number);
    return 0;
}

/* ---- what belongs together ---- */

static const struct relation {
    const char *what;
    const char *sql; /* how many break it */
} relations[] = {
    {"outbox entries without a batch",
        "SELECT COUNT(*) FROM due WHERE batch NOT IN (SELECT number FROM batch)"},
    {"outbox entries for a team that is not there",
        "SELECT COUNT(*) FROM due WHERE team NOT IN (SELECT number FROM team)"},
    {"bodies without a batch",
        "SELECT COUNT(*) FROM batch_body WHERE number NOT IN (SELECT number FROM batch)"},
    {"held reports that wait and whose batch is not there",
        "SELECT COUNT(*) FROM held WHERE state = 0 AND batch NOT IN (SELECT number FROM batch)"},
    {"another number of held reports than was counted",
        "SELECT (SELECT COUNT(*) FROM held WHERE state = 0) <> COALESCE((SELECT last FROM counter"
        " WHERE name = 'held waiting'), 0)"},
    {"pieces without a collection",
        "SELECT COUNT(*) FROM piece WHERE collection NOT IN (SELECT number FROM collection)"},
    {"bodies without a piece",
        "SELECT COUNT(*) FROM piece_body AS b WHERE NOT EXISTS (SELECT 1 FROM piece AS p WHERE"
        " p.collection = b.collection AND p.last_us = b.last_us AND p.number = b.number)"},
    {"collections with another number of objects than was counted",
        "SELECT COUNT(*) FROM collection AS c WHERE c.objects <> COALESCE((SELECT SUM(p.objects)"
        " FROM piece AS p WHERE p.collection = c.number), 0)"},
    {"collections whose newest date is behind an object's",
        "SELECT COUNT(*) FROM collection AS c WHERE c.last_us < COALESCE((SELECT MAX(p.last_us)"
        " FROM piece AS p WHERE p.collection = c.number), 0)"},
    {"versions that lie in no piece",
        "SELECT COUNT(*) FROM object WHERE piece NOT IN (SELECT number FROM piece_body)"},
    {"posted objects without a version, or versions without an object",
        "SELECT COALESCE((SELECT SUM(objects) FROM piece WHERE indexed <> 0), 0)"
        " <> (SELECT COUNT(*) FROM object)"},
    {"deliveries of which it is not known whether they arrived",
        "SELECT COUNT(*) FROM delivery AS d WHERE d.collection <> 0 AND d.entry NOT IN"
        " (SELECT entry FROM receipt)"},
    {"deliveries of which more failed than there was",
        "SELECT COUNT(*) FROM receipt WHERE failed > items"},
    {"collections of which more was delivered or failed than there was",
        "SELECT COUNT(*) FROM collection WHERE delivered + failed > reports"},
    {"superseded objects of a collection that is not there",
        "SELECT COUNT(*) FROM superseded WHERE collection NOT IN (SELECT number FROM collection)"},
    {"recalls by a team that is not there",
        "SELECT COUNT(*) FROM recall WHERE team NOT IN (SELECT number FROM team)"},
    {"feedback on reports whose batch is not there",
        "SELECT COUNT(*) FROM feedback WHERE batch NOT IN (SELECT number FROM batch)"},
    {"reports that never went, of a batch that is not there",
        "SELECT COUNT(*) FROM unsent WHERE batch NOT IN (SELECT number FROM batch)"},
    {"links of a team that is not there",
        "SELECT COUNT(*) FROM link WHERE team NOT IN (SELECT number FROM team)"},
    {"links whose account is not there",
        "SELECT COUNT(*) FROM link WHERE principal NOT IN (SELECT number FROM principal)"},
    {"ways without a link",
        "SELECT COUNT(*) FROM link_way WHERE team NOT IN (SELECT team FROM link)"},
    {"mail for a team that is not there",
        "SELECT COUNT(*) FROM mail WHERE team NOT IN (SELECT number FROM team)"},
    {"mails of a team that gets none",
        "SELECT COUNT(*) FROM mail_out WHERE team NOT IN (SELECT team FROM mail)"},
    {"mails that are to be sent and have no message, or have gone and have one",
        "SELECT COUNT(*) FROM mail_out WHERE (state <> 1)"
        " <> (number IN (SELECT number FROM mail_body))"},
    {"messages without a mail",
        "SELECT COUNT(*) FROM mail_body WHERE number NOT IN (SELECT number FROM mail_out)"},
    {"counts of teams that are not the sums of what was counted",
        "SELECT COUNT(*) FROM (SELECT name, day, team, SUM(value) AS value FROM tally"
        " WHERE team > 0 GROUP BY name, day, team) AS t FULL OUTER JOIN tally_team AS s"
        " ON s.name = t.name AND s.day = t.day AND s.team = t.team"
        " WHERE s.value IS NULL OR t.value IS NULL OR s.value <> t.value"},
    {"counts of kinds that are not the sums of what was counted",
        "SELECT COUNT(*) FROM (SELECT day, name, classification, SUM(value) AS value FROM tally"
        " GROUP BY day, name, classification) AS t FULL OUTER JOIN tally_kind AS s"
        " ON s.day = t.day AND s.name = t.name AND s.classification = t.classification"
        " WHERE s.value IS NULL OR t.value IS NULL OR s.value <> t.value"},
    {"tokens without a principal",
        "SELECT COUNT(*) FROM token WHERE principal NOT IN (SELECT number FROM principal)"},
};

struct asked {
    struct check *check;
    const char *what;
};

static int
tell_relation(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct asked *asked = ctx;

    (void)err;
    if (sqlite3_column_int64(row, 0) > 0)
        fault(asked->check, "%s: %lld", asked->what, (long long)sqlite3_column_int64(row, 0));
    return 0;
}

static int
check_relations(struct check *check, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof relations / sizeof relations[0]; i++) {
        struct asked asked = {check, relations[i].what};
        rc = ask(check, relations[i].sql, tell_relation, &asked, err);
    }
    return rc;
}

static int
take_total(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct check *check = ctx;

    (void)err;
    check->total = (uint64_t)sqlite3_column_int64(row, 0);
    return 0;
}

static int
check_all(struct check *check, struct err *err)
{
    int rc = ask(check, "SELECT (SELECT COUNT(*) FROM batch) + (SELECT COUNT(*) FROM piece)",
        take_total, check, err);

    if (rc == 0)
        rc = ask(check, "PRAGMA integrity_check(100)", tell_page, check, err);
    if (rc == 0)
        rc = ask(check,
            "SELECT b.number, b.reports, b.records_bytes, b.outcomes_bytes, o.records, o.outcomes,"
            " f.filter, length(d.digests), b.first_us, b.last_us FROM batch AS b"
            " LEFT JOIN batch_body AS o ON o.number = b.number"
            " LEFT JOIN batch_filter AS f ON f.number = b.number"
            " LEFT JOIN batch_digest AS d ON d.number = b.number ORDER BY b.number",
            check_batch, check, err);
    if (rc == 0)
        rc = ask(check,
            "SELECT p.number, p.first_us, p.last_us, p.objects, p.lasts, p.filter, b.entries,"
            " b.raw_bytes, b.body FROM piece AS p LEFT JOIN piece_body AS b ON b.number = p.number",
            check_piece, check, err);
    return rc == 0 ? check_relations(check, err) : rc;
}

/* All of it is read in one transaction, so that a writer does not make it look broken. */
int
store_check(struct store *store, void (*found)(void *ctx, const char *what), void *ctx,
    store_progress *progress, uint64_t *faults, struct err *err)
{
    struct check check = {
        .store = store, .found = found, .progress = progress, .ctx = ctx, .total = 1};
    bool alone = !store->changing;
    struct err last = {0};

    check.arena = arena_new(ARENA_BYTES);
    if (check.arena == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to check the store");
    if (alone)
        (void)sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL);
    int rc = check_all(&check, &last);
    if (alone && sqlite3_get_autocommit(store->db) == 0)
        (void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    *faults = check.faults;
    if (rc != 0 && err != NULL)
        *err = last;
    arena_free(check.arena);
    return rc;
}
