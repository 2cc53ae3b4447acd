/* bench intake: how many reports a second does core take in, and write out for their recipients?
 *
 * IDF reports of about 300 bytes, read once and kept as messages of records, as a front sends them;
 * core in this process, behind a socket pair, with the directory and agreements of share/examples
 * besides the shipped baseline, and a store in a temporary folder. Taken in: looked at again,
 * attributed, decided, in the store and durable. Written out: redacted, as STIX in collections.
 * CPU time is this process's, the front's share (sending what lies ready) included.
 *
 * usage: bench_intake [--json] [REPORTS]
 */
#include "core/intake.h"
#include "core/state.h"
#include "figure.h"
#include "model/intake.h"
#include "model/record.h"
#include "reports.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPORTS = 400000, A_MESSAGE = 500, CHUNK = 50000 };
static const double REACH = 250000;

struct bench {
    struct core core;
    struct loop *loop;
    struct channel *channel;
    struct buf *messages; /* one body each */
    size_t count;
    size_t sent;
    uint32_t credit;
    struct buf records; /* of the message that is being made */
    uint32_t in_it;
    uint64_t reports;
    bool closed;
    bool answered;
    struct totals totals;
};

static _Noreturn void
fail(const char *what)
{
    (void)fprintf(stderr, "bench intake: %s\n", what);
    exit(2);
}

/* ---- messages ---- */

static void
begin_message(struct buf *out, uint32_t count)
{
    const struct caller nobody = {.scheme = CALLER_NOBODY};

    caller_add(out, &nobody);
    wire_add_u32(out, 0);
    wire_add_u32(out, count);
}

static void
finish_message(struct bench *bench)
{
    if (bench->in_it == 0)
        return;
    struct buf *message = &bench->messages[bench->count++];
    *message = buf_new((size_t)4 << 20);
    begin_message(message, bench->in_it);
    buf_add_span(message, buf_span(&bench->records));
    bench->records.n = bench->in_it = 0;
}

static int
keep(void *ctx, const struct report *report, struct err *err)
{
    struct bench *bench = ctx;

    (void)err;
    record_add(&bench->records, report);
    bench->reports++;
    if (++bench->in_it == A_MESSAGE)
        finish_message(bench);
    return 0;
}

static void
make_messages(struct bench *bench, uint64_t reports)
{
    bench->messages = calloc(reports / A_MESSAGE + 2, sizeof *bench->messages);
    bench->records = buf_new((size_t)4 << 20);
    if (bench->messages == NULL)
        fail("no memory for messages");
    for (uint64_t done = 0; done < reports; done += CHUNK)
        reports_read(reports - done < CHUNK ? reports - done : CHUNK, 1 + done, keep, bench);
    finish_message(bench);
}

/* ---- the front ---- */

static void
say(struct bench *bench, uint16_t type, struct span body)
{
    const struct channel_message message = {.type = type, .tag = 1, .fd = -1};
    struct err err;

    if (channel_send(bench->channel, &message, &body, 1, &err) != 0)
        fail(err.msg);
}

static void
send_what_may(struct bench *bench)
{
    struct buf body = buf_new(1024);

    for (; bench->credit > 0 && bench->sent < bench->count; bench->credit--)
        say(bench, MESSAGE_INTAKE_RECORDS, buf_span(&bench->messages[bench->sent++]));
    if (bench->sent == bench->count && !bench->closed) {
        begin_message(&body, 0);
        say(bench, MESSAGE_INTAKE_CLOSE, buf_span(&body));
        bench->closed = true;
    }
    buf_free(&body);
}

static void
on_message(void *ctx, struct channel *channel, const struct channel_message *message)
{
    struct bench *bench = ctx;
    struct wire_in in = wire_in(message->body);

    (void)channel;
    if (message->type == MESSAGE_CREDIT) {
        bench->credit += wire_u32(&in);
        send_what_may(bench);
    } else if (message->type == MESSAGE_ANSWER) {
        totals_take(&in, &bench->totals);
        bench->answered = true;
        loop_stop(bench->loop);
    } else {
        fail("core refuses");
    }
}

static void
on_closed(void *ctx, struct channel *channel, const struct err *why)
{
    (void)ctx;
    (void)channel;
    fail(why->msg);
}

static void
connect_core(struct bench *bench)
{
    const struct channel_events events = {.ctx = bench, .message = on_message, .closed = on_closed};
    struct err err;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0
        || core_connect(&bench->core, DOOR_LOCAL, fds[0], &err) != 0
        || channel_new(bench->loop, fds[1], (size_t)64 << 20, &events, &bench->channel, &err) != 0)
        fail("no channel");
}

static void
open_stream(struct bench *bench)
{
    const struct caller nobody = {.scheme = CALLER_NOBODY};
    const struct intake_open open = {SPAN("bench"), 0};
    struct buf body = buf_new(1024);

    caller_add(&body, &nobody);
    intake_open_add(&body, &open);
    say(bench, MESSAGE_INTAKE_OPEN, buf_span(&body));
    buf_free(&body);
}

/* ---- */

static void
on_written_out(void *ctx)
{
    struct bench *bench = ctx;

    if (bench->answered && intake_due(bench->core.intake) == 0)
        loop_stop(bench->loop);
}

struct times {
    double wall_s;
    double cpu_s;
};

static struct times
run(struct bench *bench)
{
    struct err err;
    double wall = figure_seconds(CLOCK_MONOTONIC);
    double cpu = figure_seconds(CLOCK_PROCESS_CPUTIME_ID);

    if (loop_run(bench->loop, &err) != 0)
        fail(err.msg);
    return (struct times){
        figure_seconds(CLOCK_MONOTONIC) - wall, figure_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu};
}

static void
open_core(struct bench *bench, const char *home)
{
    static char teams[4200];
    static char agreements[4200];
    const char *share = getenv("COMITY_SHARE");
    struct err err;

    if (share == NULL)
        share = "share";
    (void)snprintf(teams, sizeof teams, "%s/teams", share);
    (void)snprintf(agreements, sizeof agreements, "%s/agreements", share);
    const struct core_options options = {.home = home,
        .share_dir = share,
        .teams_path = teams,
        .geo_path = getenv("COMITY_GEO"),
        .agreements = agreements,
        .window = 1000000,
        .outbox_max = UINT64_MAX,
        .batch_reports = 4096,
        .batch_us = 5000,
        .login_rate = 10,
        .watch_interval_us = 1000000};
    if (loop_new(&bench->loop, &err) != 0
        || core_open(&bench->core, bench->loop, &options, &err) != 0)
        fail(err.msg);
}

int
main(int argc, char **argv)
{
    static struct bench bench;
    char home[] = "/tmp/comity-bench-XXXXXX";
    struct figures figures = {
        .bench = "intake", .json = argc > 1 && strcmp(argv[1], "--json") == 0};
    const char *count = argv[1 + figures.json];
    uint64_t reports = count != NULL ? strtoull(count, NULL, 10) : REPORTS;
    char command[64];

    if (mkdtemp(home) == NULL)
        fail("no temporary folder");
    make_messages(&bench, reports);
    open_core(&bench, home);
    connect_core(&bench);
    open_stream(&bench);
    struct times in = run(&bench);
    loop_after(bench.loop, on_written_out, &bench);
    uint64_t due = intake_due(bench.core.intake);
    struct times out = run(&bench);
    if (bench.totals.stored + bench.totals.duplicate != bench.reports)
        fail("reports were lost");
    double received = (double)bench.totals.received;
    if (!figures.json)
        (void)printf("%llu reports: %llu stored, %llu duplicates; %llu for recipients\n",
            (unsigned long long)bench.totals.received, (unsigned long long)bench.totals.stored,
            (unsigned long long)bench.totals.duplicate, (unsigned long long)due);
    figure_add(&figures,
        (struct figure){.what = "taken in, a second of one core",
            .value = received / in.cpu_s,
            .unit = "1/s",
            .reach = REACH});
    figure_add(&figures,
        (struct figure){.what = "taken in, a second by the clock",
            .value = received / in.wall_s,
            .unit = "1/s"});
    figure_add(&figures,
        (struct figure){.what = "written out, a second of one core",
            .value = (double)due / out.cpu_s,
            .unit = "1/s"});
    int status = figure_tell(&figures);
    channel_free(bench.channel);
    core_close(&bench.core);
    loop_free(bench.loop);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command) == 0 ? status : EXIT_FAILURE;
}
