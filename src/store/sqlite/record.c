/* record.c: documents, statistics, and what became of posted objects. */
#include "store/sqlite/db.h"

#include <stdlib.h>
#include <string.h>

enum { STATUS_KEPT_HOURS = 24 };

static const int64_t hour_us = (int64_t)3600 * 1000000;

/* ---- status ---- */

int
store_status_add(
    struct store *store, struct span id, struct span json, int64_t now_us, struct err *err)
{
    int rc = RUN(store, S_STATUS_OLD, err, INT(now_us - STATUS_KEPT_HOURS * hour_us));

    return rc == 0 ? RUN(store, S_STATUS_SET, err, TEXT(id), INT(now_us), BLOB(json)) : rc;
}

struct kept {
    struct arena *arena;
    struct span *out;
    bool there;
};

static int
take_status(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct kept *kept = ctx;

    kept->there = true;
    return db_keep(row, 0, kept->arena, kept->out, err);
}

int
store_status(
    struct store *store, struct arena *arena, struct span id, struct span *json, struct err *err)
{
    struct kept kept = {.arena = arena, .out = json};
    int rc = EACH(store, S_STATUS_GET, take_status, &kept, err, TEXT(id));

    return rc == 0 && !kept.there
        ? err_set(err, ERR_NOT_FOUND, "there is no status %.*s; one is kept %d hours",
            SPAN_ARGS(id), (int)STATUS_KEPT_HOURS)
        : rc;
}

/* ---- documents ---- */

struct newest {
    const struct store_document *document;
    int64_t since_us;
    bool there;
    bool same;
};

static int
take_newest(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct newest *newest = ctx;

    (void)err;
    newest->there = true;
    newest->since_us = sqlite3_column_int64(row, 0);
    newest->same = span_equal(db_bytes(row, 1), newest->document->text);
    return DB_ENOUGH;
}

/* A version is newer than the one before, whatever the clock says. */
int
store_document_put(
    struct store *store, const struct store_document *document, bool *new, struct err *err)
{
    struct newest newest = {.document = document};
    int rc = EACH(store, S_DOCUMENT_NEWEST, take_newest, &newest, err, TEXT(document->kind),
        TEXT(document->id));

    *new = rc == 0 && !newest.same;
    if (!*new)
        return rc;
    int64_t since_us = newest.there && document->since_us <= newest.since_us ? newest.since_us + 1
                                                                             : document->since_us;
    return RUN(store, S_DOCUMENT_ADD, err, TEXT(document->kind), TEXT(document->id), INT(since_us),
        BLOB(document->text));
}

struct documents {
    struct list list;
    struct span kind;
};

static int
take_document(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct documents *documents = ctx;
    struct store_document *document = list_add(&documents->list);

    if (document == NULL)
        return arena_full(err, "documents are read");
    document->kind = documents->kind;
    document->since_us = sqlite3_column_int64(row, 1);
    int rc = db_keep(row, 0, documents->list.arena, &document->id, err);
    return rc == 0 ? db_keep(row, 2, documents->list.arena, &document->text, err) : rc;
}

int
store_documents(struct store *store, struct arena *arena, struct span kind,
    struct store_document **out, size_t *count, struct err *err)
{
    struct documents documents = {
        .list = {.arena = arena, .size = sizeof(struct store_document)},
        .kind = {arena_copy(arena, kind.p, kind.n), kind.n},
    };
    int rc = documents.kind.p == NULL
        ? arena_full(err, "documents are read")
        : EACH(store, S_DOCUMENT_ALL, take_document, &documents, err, TEXT(kind));

    *out = (struct store_document *)(void *)documents.list.items;
    *count = documents.list.count;
    return rc;
}

/* ---- statistics ---- */

/* As the table of counts has them: rows that lie side by side cost less. */
static int
by_key(const void *a, const void *b)
{
    const struct store_count *x = a;
    const struct store_count *y = b;

    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    if (x->team != y->team)
        return x->team < y->team ? -1 : 1;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return x->classification < y->classification ? -1 : x->classification > y->classification;
}

static int
by_kind(const void *a, const void *b)
{
    const struct store_count *x = a;
    const struct store_count *y = b;

    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return x->classification < y->classification ? -1 : x->classification > y->classification;
}

/* COUNTS are by key. */
static int
add_team_sums(struct store *store, const struct store_count *counts, size_t count, struct err *err)
{
    int rc = 0;

    for (size_t i = 0, next; rc == 0 && i < count; i = next) {
        struct store_count sum = counts[i];
        for (next = i + 1; next < count && counts[next].day == sum.day
             && counts[next].team == sum.team && counts[next].name == sum.name;
             next++)
            sum.value += counts[next].value;
        if (sum.team != 0)
            rc = RUN(store, S_TALLY_TEAM_ADD, err, INT(sum.name), INT(sum.day), INT(sum.team),
                INT(sum.value));
    }
    return rc;
}

/* COUNTS are in any order, and are put in another. */
static int
add_kind_sums(struct store *store, struct store_count *counts, size_t count, struct err *err)
{
    int rc = 0;

    qsort(counts, count, sizeof *counts, by_kind);
    for (size_t i = 0, next; rc == 0 && i < count; i = next) {
        struct store_count sum = counts[i];
        for (next = i + 1; next < count && by_kind(&counts[next], &sum) == 0; next++)
            sum.value += counts[next].value;
        rc = RUN(store, S_TALLY_KIND_ADD, err, INT(sum.day), INT(sum.name), INT(sum.classification),
            INT(sum.value));
    }
    return rc;
}

int
store_count_add(
    struct store *store, const struct store_count *counts, size_t count, struct err *err)
{
    struct store_count *rows = count == 0 ? NULL : malloc(count * sizeof *rows);
    int rc = 0;

    if (rows == NULL)
        return count == 0 ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for %zu counts", count);
    memcpy(rows, counts, count * sizeof *rows);
    qsort(rows, count, sizeof *rows, by_key);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = RUN(store, S_TALLY_ADD, err, INT(rows[i].day), INT(rows[i].team), INT(rows[i].name),
            INT(rows[i].classification), INT(rows[i].value));
    if (rc == 0)
        rc = add_team_sums(store, rows, count, err);
    if (rc == 0)
        rc = add_kind_sums(store, rows, count, err);
    free(rows);
    return rc;
}

static int
take_count(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct list *list = ctx;
    struct store_count *count = list_add(list);

    if (count == NULL)
        return arena_full(err, "statistics are read");
    count->day = (uint32_t)sqlite3_column_int64(row, 0);
    count->team = (uint32_t)sqlite3_column_int64(row, 1);
    count->name = (uint16_t)sqlite3_column_int64(row, 2);
    count->classification = (uint16_t)sqlite3_column_int64(row, 3);
    count->value = (uint64_t)sqlite3_column_int64(row, 4);
    return 0;
}

static int
list_counts(struct store *store, struct arena *arena, enum statement which, uint32_t since_day,
    uint32_t until_day, struct store_count **out, size_t *count, struct err *err)
{
    struct list list = {.arena = arena, .size = sizeof(struct store_count)};
    int rc = EACH(store, which, take_count, &list, err, INT(since_day), INT(until_day));

    *out = (struct store_count *)(void *)list.items;
    *count = list.count;
    return rc;
}

int
store_count_list(struct store *store, struct arena *arena, uint32_t since_day, uint32_t until_day,
    struct store_count **out, size_t *count, struct err *err)
{
    return list_counts(store, arena, S_TALLY_LIST, since_day, until_day, out, count, err);
}

int
store_count_sums(struct store *store, struct arena *arena, enum store_count_by by,
    uint32_t since_day, uint32_t until_day, struct store_count **out, size_t *count,
    struct err *err)
{
    enum statement which = by == STORE_COUNT_BY_DAY ? S_TALLY_BY_DAY : S_TALLY_BY_CLASSIFICATION;

    return list_counts(store, arena, which, since_day, until_day, out, count, err);
}

struct team_sums {
    uint64_t *sums;
    size_t count;
};

/* Cheaper than a GROUP BY, which would sort. A number beyond those that are known is nobody's. */
static int
take_sum(void *ctx, sqlite3_stmt *row, struct err *err)
{
    struct team_sums *teams = ctx;
    uint64_t team = (uint64_t)sqlite3_column_int64(row, 0);

    (void)err;
    if (team < teams->count)
        teams->sums[team] += (uint64_t)sqlite3_column_int64(row, 1);
    return 0;
}

int
store_count_teams(struct store *store, struct arena *arena, uint16_t name, uint32_t since_day,
    uint32_t until_day, uint64_t **out, size_t *count, struct err *err)
{
    struct team_sums teams = {.count = store->teams.count + (size_t)1};

    *count = 0;
    *out = teams.sums = arena_zalloc(arena, teams.count, sizeof *teams.sums);
    if (teams.sums == NULL)
        return arena_full(err, "statistics are read");
    *count = teams.count;
    return EACH(
        store, S_TALLY_TEAMS, take_sum, &teams, err, INT(name), INT(since_day), INT(until_day));
}
