/* bench route: how near does the whole way come to parsing alone?
 *
 * 1 M IDF reports from a file to redacted lines (parse, attribute, decide, redact, render) on one
 * core, with the shipped directory, table and baseline, beside simdjson's DOM over the same file,
 * in turns. The limit recognises the same fields: what is told for information is the way with
 * the look for duplicates, and a walk over members without asking which they are. Times are this
 * process's CPU time: other work on the machine does not count. Then the same through a pipe at 1,
 * 10 and (with --scale 100) 100 times the size: memory and cost a report.
 *
 * usage: bench_route [--json] [--count N] [--rounds N] [--scale 1|10|100]
 */
#include "cli/setup.h"
#include "figure.h"
#include "flow/agreements.h"
#include "flow/flow.h"
#include "fmt/reader.h"
#include "fmt/writer.h"
#include "limit.h"
#include "reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    COUNT = 1000 * 1000,
    ROUNDS = 7,
    ROUNDS_MAX = 99,
    BATCH = 10000, /* reports made at once */
    WINDOW = 1 << 20,
    WINDOW_SIZES = 1 << 16, /* full at every size */
    OUT_BYTES = 4096,       /* a recipient's lines before they would be written */
    LINE_BYTES = 1024 * 1024,
    AT_DAY = 20781, /* 2026-11-24: the moment of all verdicts */
};
static const double REACH_RATIO = 0.4;
static const double REACH_RATE = 1e6;
static const double REACH_BYTES = 200e6;
static const double REACH_GROWTH = 1.25; /* cost a report at 10 times the size; noise allowed */

struct world_data {
    struct setup setup;
    struct arena *arena;
    struct feeds feeds;
    struct agreement_set agreements;
    struct policy *policy;
    struct buf *outs; /* one a recipient */
    struct buf line;  /* of the last redacted report: it may go to two */
    uint64_t lines;
    uint64_t bytes;
};

struct run { /* what one way over all reports took */
    double seconds;
    uint64_t received;
    uint64_t released;
    uint64_t lines;
    uint64_t bytes;
    bool balanced;
};

struct bench {
    uint64_t count;
    unsigned rounds;
    unsigned scale;
    struct figures figures;
};

static double
cpu_seconds(void)
{
    return figure_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void
fail(const char *what, const struct err *err)
{
    (void)fprintf(stderr, "bench route: %s%s%s\n", what, err == NULL ? "" : ": ",
        err == NULL ? "" : err->msg);
    exit(2);
}

/* ---- the way ---- */

static void
compile(struct world_data *w)
{
    size_t count = roster_count(w->setup.roster);
    struct policy_team *teams = calloc(count + 1, sizeof *teams);
    struct err err = {0};

    w->outs = calloc(count + 1, sizeof *w->outs);
    if (teams == NULL || w->outs == NULL)
        fail("no memory", NULL);
    for (size_t i = 0; i < count; i++) {
        const struct team *team = roster_team(w->setup.roster, (struct team_id){(uint32_t)i + 1});
        teams[i] =
            (struct policy_team){team->id, team->economies, team->economy_count, team->channels};
        w->outs[i + 1] = buf_new(LINE_BYTES);
    }
    if (policy_compile(&w->agreements, teams, count, &w->policy, &err) != 0)
        fail("agreements", &err);
    free(teams);
}

static void
load(struct world_data *w)
{
    const struct setup_options none = {0};
    char agreements[SETUP_PATH_BYTES + 32];
    char feeds[SETUP_PATH_BYTES + 32];
    const char *const paths[] = {agreements};
    struct agreement_set loaded;
    struct err err = {0};

    *w = (struct world_data){.arena = arena_new(64 << 20), .line = buf_new(LINE_BYTES)};
    if (w->arena == NULL || setup_open(&w->setup, &none, &err) != 0)
        fail("set-up", &err);
    if (w->setup.geo == NULL)
        fail("there is no address table; run ./dev build", NULL);
    (void)snprintf(agreements, sizeof agreements, "%s/agreements", w->setup.share_dir);
    (void)snprintf(feeds, sizeof feeds, "%s/feeds.json", w->setup.share_dir);
    if (feeds_load(w->arena, feeds, &w->feeds, &err) != 0
        || agreements_load(w->arena, paths, 1, &loaded, &err) != 0
        || agreements_join(w->arena, &loaded, &w->feeds.conditions, &w->agreements, &err) != 0)
        fail("agreements", &err);
    compile(w);
}

static void
unload(struct world_data *w)
{
    for (size_t i = 1; i <= roster_count(w->setup.roster); i++)
        buf_free(&w->outs[i]);
    free(w->outs);
    buf_free(&w->line);
    policy_free(w->policy);
    setup_close(&w->setup);
    arena_free(w->arena);
}

/* What goes to two is rendered once. */
static void
write_line(struct world_data *w, const struct flow_result *result, uint8_t i, struct buf *out)
{
    const struct redacted *redacted = result->outcomes[i].redacted;

    if (result->outcome_count == 1) {
        idf_write(out, redacted);
        return;
    }
    if (i == 0 || redacted != result->outcomes[0].redacted) {
        w->line.n = 0;
        idf_write(&w->line, redacted);
    }
    buf_add_span(out, buf_span(&w->line));
}

static int
deliver(void *ctx, const struct flow_result *result, struct err *err)
{
    struct world_data *w = ctx;

    for (uint8_t i = 0; i < result->outcome_count; i++) {
        struct buf *out = &w->outs[result->outcomes[i].recipient.index];
        if (result->outcomes[i].redacted == NULL)
            continue;
        size_t before = out->n;
        write_line(w, result, i, out);
        w->lines++;
        w->bytes += out->n - before;
        if (out->full || w->line.full)
            return err_set(err, ERR_LIMIT, "a recipient's lines are too long");
        if (out->n >= OUT_BYTES)
            out->n = 0;
    }
    return 0;
}

static void
on_prepare(void *ctx, struct report *report)
{
    flow_prepare(ctx, report);
}

static int
on_report(void *ctx, const struct report *report, struct err *err)
{
    return flow_report(ctx, report, err);
}

static int
on_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    (void)record;
    (void)err;
    (void)fprintf(stderr, "bench route: line %llu: %s: %s\n", (unsigned long long)why->line,
        why->field, why->msg);
    flow_rejected(ctx);
    return 0;
}

/* Everything that is read from FD, routed. */
static struct run
route(struct world_data *w, int fd, uint64_t window)
{
    const struct flow_options options = {.world = setup_world(&w->setup),
        .policy = w->policy,
        .feeds = &w->feeds,
        .at_us = AT_DAY * INT64_C(86400000000),
        .clock_trusted = true,
        .window = window,
        .deliver = deliver,
        .ctx = w};
    const struct reader_options reader = {.share_dir = w->setup.share_dir};
    struct err err = {0};
    struct flow *flow;
    struct input *input = NULL;

    w->lines = w->bytes = 0;
    double from = cpu_seconds();
    if (flow_new(&options, &flow, &err) != 0 || input_open_fd(fd, "reports", &input, &err) != 0)
        fail("flow", &err);
    const struct reader_sink sink = {
        .ctx = flow, .prepare = on_prepare, .report = on_report, .reject = on_reject};
    if (idf_read(input, &reader, &sink, &err) != 0)
        fail("reading", &err);
    input_close(input);
    struct run run = {.seconds = cpu_seconds() - from,
        .received = flow_counts(flow)->received,
        .released = flow_counts(flow)->released,
        .lines = w->lines,
        .bytes = w->bytes,
        .balanced = totals_balance(flow_counts(flow)) && flow_counts(flow)->rejected == 0
            && flow_counts(flow)->released == w->lines};
    flow_free(flow);
    return run;
}

/* ---- the reports ---- */

static void
write_reports(int fd, uint64_t count)
{
    struct buf batch = buf_new(64 << 20);

    for (uint64_t done = 0; done < count; done += BATCH) {
        batch.n = 0;
        reports_make(&batch, count - done < BATCH ? count - done : BATCH, done + 1);
        for (size_t at = 0; at < batch.n;) {
            ssize_t n = write(fd, batch.p + at, batch.n - at);
            if (n <= 0)
                fail("the reports cannot be written (is the disk full?)", NULL);
            at += (size_t)n;
        }
    }
    buf_free(&batch);
}

/* A file without a name: it is gone when the program ends, whatever happens. */
static int
make_file(const struct bench *bench)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/comity-bench-XXXXXX", folder == NULL ? "/tmp" : folder);
    int fd = mkstemp(path);
    if (fd < 0)
        fail("no temporary file; set TMPDIR to a folder with 400 MB", NULL);
    (void)unlink(path);
    write_reports(fd, bench->count);
    return fd;
}

/* ---- figures ---- */

static void
check(const struct run *run, uint64_t count)
{
    if (run->balanced && run->received == count && run->released > 0)
        return;
    (void)fprintf(stderr, "bench route: %llu of %llu received, %llu released\n",
        (unsigned long long)run->received, (unsigned long long)count,
        (unsigned long long)run->released);
    exit(1);
}

struct rounds { /* seconds, and ratios of them */
    double route[ROUNDS_MAX];
    double window[ROUNDS_MAX]; /* the same with the look for duplicates */
    double limit[ROUNDS_MAX];
    double walk[ROUNDS_MAX];
    double ratio[ROUNDS_MAX];
    double window_ratio[ROUNDS_MAX];
    double walk_ratio[ROUNDS_MAX];
};

static double
time_limit(const struct bench *bench, int fd, bool recognise)
{
    (void)lseek(fd, 0, SEEK_SET);
    double from = cpu_seconds();
    struct limit limit = limit_file(fd, recognise);
    double seconds = cpu_seconds() - from;

    if (limit.records != bench->count || limit.sum == 0)
        fail("the limit did not parse every report", NULL);
    return seconds;
}

static double
time_route(const struct bench *bench, struct world_data *world, int fd, uint64_t window)
{
    (void)lseek(fd, 0, SEEK_SET);
    struct run run = route(world, fd, window);

    check(&run, bench->count);
    return run.seconds;
}

static void
run_rounds(struct bench *bench, struct rounds *r)
{
    struct world_data world;
    int fd = make_file(bench);

    load(&world);
    for (unsigned i = 0; i < bench->rounds; i++) {
        r->limit[i] = time_limit(bench, fd, true);
        r->route[i] = time_route(bench, &world, fd, 0);
        r->walk[i] = time_limit(bench, fd, false);
        r->window[i] = time_route(bench, &world, fd, WINDOW);
        r->ratio[i] = r->limit[i] / r->route[i];
        r->window_ratio[i] = r->limit[i] / r->window[i];
        r->walk_ratio[i] = r->walk[i] / r->route[i];
    }
    unload(&world);
    (void)close(fd);
}

static void
time_figures(struct bench *bench)
{
    static struct rounds r;
    static char beside[2][80];
    size_t n = bench->rounds;
    double count = (double)bench->count;

    run_rounds(bench, &r);
    (void)snprintf(beside[0], sizeof beside[0], "simdjson DOM over the same file: %.0f/s",
        count / figure_middle(r.limit, n));
    (void)snprintf(beside[1], sizeof beside[1], "simdjson DOM, fields not recognised: %.0f/s",
        count / figure_middle(r.walk, n));
    struct figure routed = {.what = "reports routed a second",
        .value = count / figure_middle(r.route, n),
        .unit = "reports/s",
        .reach = REACH_RATE};
    figure_add(&bench->figures, routed);
    routed.what = "of the limit";
    routed.beside = beside[0];
    routed.reach = REACH_RATIO;
    routed.of_ratio = true;
    figure_add_rounds(&bench->figures, routed, r.ratio, n);
    routed.what = "of a mere walk, for information";
    routed.beside = beside[1];
    routed.reach = 0;
    figure_add_rounds(&bench->figures, routed, r.walk_ratio, n);
    routed.what = "with duplicates looked for, for information";
    routed.value = count / figure_middle(r.window, n);
    routed.beside = beside[0];
    figure_add_rounds(&bench->figures, routed, r.window_ratio, n);
}

/* COUNT reports made in one process, routed in another; its peak memory. */
static struct run
route_pipe(uint64_t count, double *peak_bytes)
{
    int reports[2];
    int answer[2];
    struct run run = {0};
    struct rusage usage;
    pid_t router = -1;
    pid_t maker = -1;

    if (pipe(reports) != 0 || pipe(answer) != 0 || (maker = fork()) < 0)
        fail("no pipe or process", NULL);
    if (maker == 0) {
        (void)close(reports[0]);
        write_reports(reports[1], count);
        _exit(0);
    }
    (void)close(reports[1]);
    if ((router = fork()) < 0)
        fail("no process", NULL);
    if (router == 0) {
        struct world_data world;
        load(&world);
        run = route(&world, reports[0], WINDOW_SIZES);
        _exit(write(answer[1], &run, sizeof run) == (ssize_t)sizeof run ? 0 : 2);
    }
    (void)close(reports[0]);
    (void)close(answer[1]);
    bool told = read(answer[0], &run, sizeof run) == (ssize_t)sizeof run;
    (void)close(answer[0]);
    (void)waitpid(maker, NULL, 0);
    if (wait4(router, NULL, 0, &usage) != router || !told)
        fail("the routing process failed", NULL);
    check(&run, count);
    *peak_bytes = (double)usage.ru_maxrss * 1024;
    return run;
}

static void
size_figures(struct bench *bench)
{
    static char names[3][2][48];
    double first = 0;
    double peak;

    for (unsigned i = 0, times = 1; times <= bench->scale; i++, times *= 10) {
        uint64_t count = bench->count * times;
        struct run run = route_pipe(count, &peak);
        double each = run.seconds / (double)count * 1e9;
        first = times == 1 ? each : first;
        (void)snprintf(names[i][0], sizeof names[i][0], "peak memory, %llu reports piped",
            (unsigned long long)count);
        (void)snprintf(names[i][1], sizeof names[i][1], "cost of each of %llu reports",
            (unsigned long long)count);
        figure_add(&bench->figures,
            (struct figure){.what = names[i][0],
                .value = peak,
                .unit = "bytes",
                .reach = REACH_BYTES,
                .at_most = true});
        struct figure cost = {.what = names[i][1], .value = each, .unit = "ns"};
        if (times > 1) {
            cost.beside = "the cost of each at 1x";
            cost.ratio = each / first;
            cost.reach = REACH_GROWTH;
            cost.at_most = cost.of_ratio = true;
        }
        figure_add(&bench->figures, cost);
    }
}

static uint64_t
number(const char *text, uint64_t low, uint64_t high)
{
    uint64_t value;

    if (text == NULL || !span_u64(span_of(text), &value) || value < low || value > high) {
        (void)fputs(
            "usage: bench_route [--json] [--count N] [--rounds N] [--scale 1|10|100]\n", stderr);
        exit(2);
    }
    return value;
}

int
main(int argc, char **argv)
{
    struct bench bench = {
        .count = COUNT, .rounds = ROUNDS, .scale = 10, .figures = {.bench = "route"}};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            bench.figures.json = true;
        else if (strcmp(argv[i], "--count") == 0)
            bench.count = number(argv[++i], 1000, 100000000);
        else if (strcmp(argv[i], "--rounds") == 0)
            bench.rounds = (unsigned)number(argv[++i], 1, ROUNDS_MAX);
        else if (strcmp(argv[i], "--scale") == 0)
            bench.scale = (unsigned)number(argv[++i], 0, 100);
        else
            (void)number(NULL, 0, 0);
    }
    /* First, while this process is small: a child's peak begins with its parent's. */
    size_figures(&bench);
    time_figures(&bench);
    return figure_tell(&bench.figures);
}
