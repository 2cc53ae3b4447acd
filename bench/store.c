/* bench store: how fast do reports become durable, and what does it cost to find them again?
 *
 * The same reports go, in turns, into Comity's store (batches with outbox entries), into SQLite and
 * LMDB with one row a report and the same look-ups (random key, two random indexes, outbox), and
 * into a bare file (zstd, write, fsync: the limit); four batches a commit, all of them synced. Wall
 * time, one process. Then what is asked of the store: pages of a collection at both ends, and
 * searches by address over everything.
 *
 * usage: bench_store [--json] [--scale MILLIONS] [--folder FOLDER]   (1 million; the current
 * folder)
 */
#include "store.h"

#include "figure.h"
#include "model/record.h"
#include "reports.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POOL = 25 * LOAD_BATCH, COMMIT = 4, SLICES = 10, WAYS = 4, OBJECTS = 1000000 };
static const double REACH_RATE = 200000;
static const double REACH_ROWS = 5;
static const double REACH_LIMIT = 0.3;
static const double REACH_CPU_US = 1;
static const double REACH_PAGE_US = 50;
static const double REACH_SEARCH_MS = 5;

struct pool {
    struct buf records;
    struct span each[POOL];
    size_t at[POOL + 1];
    size_t count;
};

struct bench {
    struct pool pool;
    char folder[256];
    const struct way *ways[WAYS];
    void *self[WAYS];
    double seconds[WAYS][SLICES];
    double cpu_seconds; /* of the store's own way */
    uint64_t random;
    uint64_t batches;
    struct figures figures;
    uint64_t keys[LOAD_BATCH * LOAD_KEYS];
    uint64_t digests[LOAD_BATCH];
    char ids[LOAD_BATCH * LOAD_ID];
    char outcomes[LOAD_BATCH * 2];
};

static const char usage[] =
    "usage: bench_store [--json] [--scale MILLIONS] [--folder FOLDER] [--no-rows]";
static const struct way left_out = {.name = NULL};

_Noreturn void
bench_fail(const char *what)
{
    (void)fprintf(stderr, "bench store: %s\n", what);
    exit(2);
}

static double
seconds(void)
{
    return figure_seconds(CLOCK_MONOTONIC);
}

/* ---- the reports ---- */

static int
keep(void *ctx, const struct report *report, struct err *err)
{
    struct pool *pool = ctx;

    (void)err;
    if (pool->count == POOL)
        bench_fail("too many reports");
    record_add(&pool->records, report);
    pool->at[++pool->count] = pool->records.n;
    return 0;
}

static void
load_pool(struct pool *pool)
{
    pool->records = buf_new((size_t)1 << 30);
    reports_read(POOL, 1, keep, pool);
    if (pool->count != POOL)
        bench_fail("reports are missing");
    for (size_t i = 0; i < POOL; i++)
        pool->each[i] = (struct span){pool->records.p + pool->at[i], pool->at[i + 1] - pool->at[i]};
}

/* Batch NUMBER, the same for every way. Of the keys two are the report's own, one in a thousand
 * others', and two of a few (team, class), as searches ask for. */
static struct load
load_of(struct bench *bench, uint64_t number)
{
    size_t from = (size_t)(number % (POOL / LOAD_BATCH)) * LOAD_BATCH;
    struct pool *pool = &bench->pool;
    uint64_t state = number * 77;

    for (size_t i = 0; i < LOAD_BATCH; i++) {
        uint64_t *keys = bench->keys + i * LOAD_KEYS;
        keys[0] = reports_random(&state);
        keys[1] = reports_random(&state);
        keys[2] = (reports_random(&state) % 1000) * 0x9e3779b97f4a7c15u;
        keys[3] = (reports_random(&state) % LOAD_TEAMS) * 0xd6e8feb86659fd93u;
        keys[4] = (reports_random(&state) % 20) * 0xbf58476d1ce4e5b9u;
        bench->digests[i] = reports_random(&state);
        memcpy(bench->ids + i * LOAD_ID, &bench->digests[i], sizeof(uint64_t));
        memcpy(bench->ids + i * LOAD_ID + 8, &keys[1], sizeof(uint64_t));
        bench->outcomes[2 * i] = (char)(reports_random(&state) % 5);
    }
    return (struct load){.number = number,
        .records = {pool->records.p + pool->at[from], pool->at[from + LOAD_BATCH] - pool->at[from]},
        .each = pool->each + from,
        .outcomes = {bench->outcomes, sizeof bench->outcomes},
        .keys = bench->keys,
        .digests = bench->digests,
        .ids = bench->ids};
}

/* ---- the ways in turns ---- */

/* Making the batch is not counted. */
static double
run_slice(struct bench *bench, int way, uint64_t from, uint64_t until)
{
    const struct way *w = bench->ways[way];
    double spent = 0;

    for (uint64_t b = from; b < until; b++) {
        struct load load = load_of(bench, b);
        double start = seconds();
        double cpu = figure_seconds(CLOCK_PROCESS_CPUTIME_ID);
        w->add(bench->self[way], &load);
        if ((b + 1) % COMMIT == 0 || b + 1 == until)
            w->commit(bench->self[way]);
        spent += seconds() - start;
        if (way == 0)
            bench->cpu_seconds += figure_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    }
    return spent;
}

static void
run_ways(struct bench *bench)
{
    for (int w = 0; w < WAYS; w++)
        if (bench->ways[w]->name != NULL)
            bench->self[w] = bench->ways[w]->open(bench->folder);
    for (uint64_t s = 0; s < SLICES; s++)
        for (int w = 0; w < WAYS; w++) {
            if (bench->ways[w]->name == NULL)
                continue;
            bench->seconds[w][s] =
                run_slice(bench, w, bench->batches * s / SLICES, bench->batches * (s + 1) / SLICES);
            if (isatty(STDERR_FILENO) == 1)
                (void)fprintf(stderr, "\r\033[Ktenth %d, %s", (int)s + 1, bench->ways[w]->name);
        }
    for (int w = 1; w < WAYS; w++)
        if (bench->ways[w]->name != NULL)
            bench->ways[w]->close(bench->self[w]);
    if (isatty(STDERR_FILENO) == 1)
        (void)fputs("\r\033[K", stderr);
}

static double
total(const double *spent)
{
    double sum = 0;

    for (int s = 0; s < SLICES; s++)
        sum += spent[s];
    return sum;
}

/* ---- what is told ---- */

static void
tell_ways(struct bench *bench)
{
    double reports = (double)bench->batches * LOAD_BATCH;
    const char *const names[WAYS] = {NULL, way_rows.name, "LMDB, a row a report", way_limit.name};
    const double reaches[WAYS] = {REACH_RATE, REACH_ROWS, REACH_ROWS, REACH_LIMIT};

    for (int w = 0; w < WAYS; w++) {
        const struct way *way = bench->ways[w];
        struct figure f = {.what = way->name,
            .unit = "reports/s",
            .reach = reaches[w],
            .of_ratio = w > 0,
            .beside = w > 0 ? names[w] : NULL};
        double ratios[SLICES];
        if (way->name == NULL) {
            f.what = names[w];
            f.absent = true;
            figure_add(&bench->figures, f);
            continue;
        }
        for (int s = 0; s < SLICES; s++)
            ratios[s] = bench->seconds[w][s] / bench->seconds[0][s];
        f.value = reports / total(bench->seconds[w]);
        if (w > 0) { /* of all time, not of the middle tenth: stores slow down as they grow */
            (void)figure_middle(ratios, SLICES);
            f.ratio = total(bench->seconds[w]) / total(bench->seconds[0]);
            f.least = ratios[0];
            f.most = ratios[SLICES - 1];
        }
        figure_add(&bench->figures, f);
    }
    figure_add(&bench->figures,
        (struct figure){.what = "CPU of Comity's store for a report",
            .value = 1e6 * bench->cpu_seconds / reports,
            .unit = "us",
            .reach = REACH_CPU_US,
            .at_most = true});
    figure_add(&bench->figures,
        (struct figure){.what = "the last tenth's speed to the first's",
            .value = bench->seconds[0][0] / bench->seconds[0][SLICES - 1],
            .unit = ""});
}

/* ---- searches ---- */

static void
search(struct bench *bench)
{
    enum { SEARCHES = 41 };
    double ms[SEARCHES];
    struct err err;

    for (int i = 0; i < SEARCHES; i++) {
        uint64_t b = reports_random(&bench->random) % bench->batches;
        struct load load = load_of(bench, b);
        struct store_search s = {0, INT64_MAX, &load.keys[LOAD_KEYS * (b % LOAD_BATCH)], 1};
        bool found = false;
        uint64_t number = 0;
        double start = seconds();
        do {
            if (store_batch_search(bench->self[0], &s, number, &number, &err) != 0)
                bench_fail(err.msg);
            found |= number == b + 1;
        } while (number != 0);
        ms[i] = (seconds() - start) * 1e3;
        if (!found)
            bench_fail("a search missed what is there");
    }
    figure_add(&bench->figures,
        (struct figure){.what = "search of all batches by an address, median",
            .value = figure_middle(ms, SEARCHES),
            .unit = "ms",
            .reach = bench->batches <= 250 ? REACH_SEARCH_MS : 0,
            .at_most = true});
}

/* ---- pages ---- */

static void
fill_collection(struct store *store)
{
    enum { PIECE = 5000 };
    static struct store_object objects[PIECE];
    static char ids[PIECE][64];
    struct store_collection collection = {.kind = COLLECTION_TEAM, .team = 1, .id = SPAN("bench")};
    struct store_piece piece = {.objects = objects, .count = PIECE};
    struct buf body = buf_new(1 << 24);
    uint64_t random = 3;
    int64_t first_us;
    size_t added;
    struct err err;

    int rc = store_collection_add(store, &collection, &err);
    piece.collection = collection.number;
    for (int n = 0; rc == 0 && n < OBJECTS; n += PIECE) {
        body.n = 0;
        for (int i = 0; i < PIECE; i++) {
            uint64_t r = reports_random(&random);
            int length = snprintf(ids[i], sizeof ids[i],
                "observed-data--%08x-%04x-8%03x-8%03x-%012llx", (unsigned)r, (unsigned)(r >> 48),
                (unsigned)(r >> 36) & 0xfff, (unsigned)(r >> 20) & 0xfff,
                (unsigned long long)(reports_random(&random) >> 16));
            if (i > 0)
                buf_add_char(&body, ',');
            objects[i] = (struct store_object){.at = (uint32_t)body.n,
                .spec = 21,
                .id = {ids[i], (size_t)length},
                .version_us = n + i + 1};
            buf_format(&body,
                "{\"type\":\"observed-data\",\"spec_version\":\"2.1\",\"id\":\"%s\",\"created\":"
                "\"2026-11-25T10:%02d:%02d.000Z\",\"number_observed\":1,\"object_refs\":[\"ipv4-"
                "addr"
                "--%016llx\"],\"labels\":[\"scanner\",\"%llu\"]}",
                ids[i], i / 60 % 60, i % 60, (unsigned long long)r, (unsigned long long)r % 977);
            objects[i].n = (uint32_t)body.n - objects[i].at;
        }
        piece.body = buf_span(&body);
        rc = store_append(store, &piece, 1, &first_us, &added, &err);
        if (rc == 0 && n % 50000 == 0)
            rc = store_commit(store, &err);
    }
    if (rc != 0 || store_commit(store, &err) != 0)
        bench_fail(err.msg);
    buf_free(&body);
}

static double
page_us(struct store *store, struct arena *arena, int64_t after_us)
{
    enum { TIMES = 501 };
    static double us[TIMES];
    struct store_page_query q = {.collection = 1, .limit = 100};
    struct store_page page;
    struct err err;

    for (int i = 0; i < TIMES; i++) {
        arena_reset(arena);
        q.after_us = after_us + i * 37;
        double start = seconds();
        if (store_page(store, arena, &q, &page, &err) != 0 || page.row_count != 100)
            bench_fail("a page is not there");
        us[i] = (seconds() - start) * 1e6;
    }
    return figure_middle(us, TIMES);
}

static void
pages(struct bench *bench)
{
    struct arena *arena = arena_new(64 << 20);
    double begin_us = 0;
    double end_us = 0;

    if (arena == NULL)
        bench_fail("no memory");
    fill_collection(bench->self[0]);
    for (int i = 0; i < 3; i++) {
        begin_us = page_us(bench->self[0], arena, 0);
        end_us = page_us(bench->self[0], arena, OBJECTS - 20000);
    }
    figure_add(&bench->figures,
        (struct figure){.what = "page of 100 at the beginning of a million",
            .value = begin_us,
            .unit = "us",
            .reach = REACH_PAGE_US,
            .at_most = true});
    figure_add(&bench->figures,
        (struct figure){.what = "page of 100 at its end",
            .value = end_us,
            .unit = "us",
            .beside = "the beginning",
            .ratio = begin_us / end_us,
            .reach = REACH_PAGE_US,
            .at_most = true});
    arena_free(arena);
}

static void
options(struct bench *bench, int argc, char **argv, const char **folder)
{
    double scale = 1;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0)
            bench->figures.json = true;
        else if (strcmp(argv[i], "--scale") == 0 && i + 1 < argc)
            scale = strtod(argv[++i], NULL);
        else if (strcmp(argv[i], "--folder") == 0 && i + 1 < argc)
            *folder = argv[++i];
        else if (strcmp(argv[i], "--no-rows") == 0)
            bench->ways[1] = bench->ways[2] = &left_out;
        else
            bench_fail(usage);
    if (!(scale > 0 && scale <= 1000))
        bench_fail("--scale is in millions, up to 1000");
    bench->batches = (uint64_t)(scale * 1e6 / LOAD_BATCH) + 1;
    if (bench->batches < SLICES)
        bench->batches = SLICES;
}

int
main(int argc, char **argv)
{
    static struct bench bench = {.ways = {&way_store, &way_rows, &way_lmdb, &way_limit},
        .random = 5,
        .figures = {.bench = "store"}};
    const char *folder = ".";
    char command[300];

    options(&bench, argc, argv, &folder);
    (void)snprintf(bench.folder, sizeof bench.folder, "%s/bench-store-XXXXXX", folder);
    if (mkdtemp(bench.folder) == NULL)
        bench_fail("no folder can be made there");
    load_pool(&bench.pool);
    if (!bench.figures.json)
        (void)printf("%.1f million reports, %.0f bytes each as records\n",
            (double)bench.batches * LOAD_BATCH / 1e6, (double)bench.pool.records.n / POOL);
    run_ways(&bench);
    tell_ways(&bench);
    search(&bench);
    pages(&bench);
    int status = figure_tell(&bench.figures);
    way_store.close(bench.self[0]);
    buf_free(&bench.pool.records);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", bench.folder);
    if (system(command) != 0)
        bench_fail("the folder cannot be removed");
    return status;
}
