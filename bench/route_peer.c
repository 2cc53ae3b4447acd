/* Makes event4_sinkhole_http rows and sends them the whole way, in one thread.
 * usage: route_peer make ROWS    writes the CSV to standard output
 *        route_peer parse FILE   reads: split, convert, check
 *        route_peer route FILE   reads, looks for duplicates, attributes, decides, redacts, renders
 * The last two print rows, rejected, released and seconds of this process's CPU time; loading the
 * directory, the table, the agreements and Shadowserver's schema is not counted.
 * The rows come from a provider without conditions and are TLP:GREEN, as with `comity route
 * --provider bench --default-tlp green`: the shipped baseline releases all of them, redacted.
 */
#include "cli/setup.h"
#include "flow/agreements.h"
#include "flow/flow.h"
#include "fmt/reader.h"
#include "fmt/shadowschema.h"
#include "fmt/writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    WINDOW = 1 << 20,
    OUT_BYTES = 4096, /* a recipient's lines before they would be written */
    LINE_BYTES = 1024 * 1024,
    AT_DAY = 20781, /* 2026-11-24: the moment of all verdicts */
};

struct way {
    struct setup setup;
    struct arena *arena;
    struct feeds feeds;
    struct agreement_set agreements;
    struct policy *policy;
    struct buf *outs; /* one a recipient */
    struct buf line;  /* of the last redacted report: it may go to two */
    struct flow *flow;
    struct shadowschema *schema;
    uint64_t rows;
    uint64_t rejected;
    uint64_t released;
};

static void
fail(const char *what, const struct err *err)
{
    (void)fprintf(stderr, "route_peer: %s: %s\n", what, err == NULL ? "no memory" : err->msg);
    exit(1);
}

/* ---- rows ---- */

static const char header[] =
    "\"timestamp\",\"protocol\",\"src_ip\",\"src_port\",\"src_asn\",\"src_geo\",\"src_region\","
    "\"src_city\",\"src_hostname\",\"src_naics\",\"src_sector\",\"device_vendor\",\"device_type\","
    "\"device_model\",\"severity\",\"dst_ip\",\"dst_port\",\"dst_asn\",\"dst_geo\",\"dst_region\","
    "\"dst_city\",\"dst_hostname\",\"dst_naics\",\"dst_sector\",\"public_source\",\"infection\","
    "\"family\",\"tag\",\"application\",\"version\",\"event_id\",\"http_url\",\"http_host\","
    "\"http_agent\",\"forwarded_by\",\"ssl_cipher\",\"http_referer\"";

/* An address from all over the public space; the same one for the same row. */
static uint32_t
address_of(unsigned row)
{
    for (uint64_t x = row + 1;; x++) {
        x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
        uint32_t ip = (uint32_t)(x >> 32);
        uint32_t net = ip >> 24;
        bool special = net == 0 || net == 10 || net == 100 || net == 127 || net == 169 || net == 172
            || net == 192 || net == 198 || net == 203 || net >= 224;
        if (!special)
            return ip;
    }
}

static int
make(unsigned rows)
{
    (void)puts(header);
    for (unsigned i = 0; i < rows; i++) {
        uint32_t ip = address_of(i);
        (void)printf(
            "\"2026-03-%02u %02u:%02u:%02u\",\"tcp\",\"%u.%u.%u.%u\",\"%u\",\"%u\",\"CZ\","
            "\"PRAHA\",\"PRAHA\",\"host-%u.example.net\",517311,\"Communications, Service "
            "Provider, and Hosting Service\",,,,\"high\",\"184.105.192.%u\",\"80\",\"6939\",\"US\","
            "\"CALIFORNIA\",\"SAN JOSE\",,0,,\"example\",\"avalanche-andromeda\",\"andromeda\","
            "\"avalanche\",\"http\",\"1.1\",,\"/gate%u.php\",\"sinkhole-%u.example.com\","
            "\"Mozilla/4.0\",,,\n",
            1 + i % 28, i % 24, i % 60, i / 60 % 60, ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
            ip & 255, 1024 + i % 60000, 64496 + i % 15, i, i & 255, i % 7, i % 100);
    }
    return ferror(stdout) ? 1 : 0;
}

/* ---- the way ---- */

static void
compile(struct way *way)
{
    size_t count = roster_count(way->setup.roster);
    struct policy_team *teams = calloc(count + 1, sizeof *teams);
    struct err err = {0};

    way->outs = calloc(count + 1, sizeof *way->outs);
    if (teams == NULL || way->outs == NULL)
        fail("agreements", NULL);
    for (size_t i = 0; i < count; i++) {
        const struct team *team = roster_team(way->setup.roster, (struct team_id){(uint32_t)i + 1});
        teams[i] =
            (struct policy_team){team->id, team->economies, team->economy_count, team->channels};
        way->outs[i + 1] = buf_new(LINE_BYTES);
    }
    if (policy_compile(&way->agreements, teams, count, &way->policy, &err) != 0)
        fail("agreements", &err);
    free(teams);
}

static void
load(struct way *way)
{
    const struct setup_options none = {0};
    char agreements[SETUP_PATH_BYTES + 32];
    char feeds[SETUP_PATH_BYTES + 32];
    const char *const paths[] = {agreements};
    struct agreement_set loaded;
    struct err err = {0};

    way->line = buf_new(LINE_BYTES);
    way->arena = arena_new(64 << 20);
    if (way->arena == NULL)
        fail("set-up", NULL);
    if (setup_open(&way->setup, &none, &err) != 0)
        fail("set-up", &err);
    if (way->setup.geo == NULL)
        exit(1); /* setup_open has told why */
    (void)snprintf(agreements, sizeof agreements, "%s/agreements", way->setup.share_dir);
    (void)snprintf(feeds, sizeof feeds, "%s/feeds.json", way->setup.share_dir);
    if (feeds_load(way->arena, feeds, &way->feeds, &err) != 0
        || agreements_load(way->arena, paths, 1, &loaded, &err) != 0
        || agreements_join(way->arena, &loaded, &way->feeds.conditions, &way->agreements, &err)
            != 0)
        fail("agreements", &err);
    way->feeds.tlp = TLP_GREEN;
    compile(way);
}

static void
unload(struct way *way)
{
    for (size_t i = 1; i <= roster_count(way->setup.roster); i++)
        buf_free(&way->outs[i]);
    free(way->outs);
    buf_free(&way->line);
    policy_free(way->policy);
    setup_close(&way->setup);
    arena_free(way->arena);
}

/* What goes to two is rendered once. */
static void
write_line(struct way *way, const struct flow_result *result, uint8_t i, struct buf *out)
{
    const struct redacted *redacted = result->outcomes[i].redacted;

    if (result->outcome_count == 1) {
        idf_write(out, redacted);
        return;
    }
    if (i == 0 || redacted != result->outcomes[0].redacted) {
        way->line.n = 0;
        idf_write(&way->line, redacted);
    }
    buf_add_span(out, buf_span(&way->line));
}

static int
deliver(void *ctx, const struct flow_result *result, struct err *err)
{
    struct way *way = ctx;

    for (uint8_t i = 0; i < result->outcome_count; i++) {
        struct buf *out = &way->outs[result->outcomes[i].recipient.index];
        if (result->outcomes[i].redacted == NULL)
            continue;
        write_line(way, result, i, out);
        way->released++;
        if (out->full || way->line.full)
            return err_set(err, ERR_LIMIT, "a recipient's lines are too long");
        if (out->n >= OUT_BYTES)
            out->n = 0;
    }
    return 0;
}

static void
on_prepare(void *ctx, struct report *report)
{
    flow_prepare(((struct way *)ctx)->flow, report);
}

static int
on_report(void *ctx, const struct report *report, struct err *err)
{
    struct way *way = ctx;

    way->rows++;
    return way->flow == NULL ? 0 : flow_report(way->flow, report, err);
}

static int
on_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    struct way *way = ctx;

    (void)record;
    (void)err;
    (void)fprintf(
        stderr, "line %llu: %s: %s\n", (unsigned long long)why->line, why->field, why->msg);
    way->rejected++;
    if (way->flow != NULL)
        flow_rejected(way->flow);
    return 0;
}

static void
read_file(struct way *way, const char *path, const char *share)
{
    const struct reader_sink sink = {.ctx = way,
        .prepare = way->flow == NULL ? NULL : on_prepare,
        .report = on_report,
        .reject = on_reject};
    const struct reader_options options = {
        .share_dir = share, .provider = "bench", .schema = &way->schema};
    struct input *input = NULL;
    struct err err = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        (void)err_set(&err, ERR_IO, "it cannot be opened");
    int rc = fd < 0 ? ERR_IO : input_open_fd(fd, path, &input, &err);
    if (rc == 0)
        rc = shadowserver_read(input, &options, &sink, &err);
    if (rc != 0)
        fail(path, &err);
    input_close(input);
    (void)close(fd);
}

static double
cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int
run(const char *path, bool whole)
{
    struct way way = {0};
    char share[SETUP_PATH_BYTES];
    struct err err = {0};

    if (setup_share_dir(share, &err) != 0)
        fail("set-up", &err);
    if (whole)
        load(&way);
    const struct flow_options options = {.world = setup_world(&way.setup),
        .policy = way.policy,
        .feeds = &way.feeds,
        .at_us = AT_DAY * INT64_C(86400000000),
        .clock_trusted = true,
        .window = WINDOW,
        .deliver = deliver,
        .ctx = &way};
    if (shadowschema_new(share, &way.schema, &err) != 0)
        fail("schema", &err);
    double from = cpu_seconds();
    if (whole && flow_new(&options, &way.flow, &err) != 0)
        fail("flow", &err);
    read_file(&way, path, share);
    double seconds = cpu_seconds() - from;
    if (whole && !totals_balance(flow_counts(way.flow)))
        fail("flow", NULL);
    (void)printf("%llu %llu %llu %.6f\n", (unsigned long long)way.rows,
        (unsigned long long)way.rejected, (unsigned long long)way.released, seconds);
    flow_free(way.flow);
    shadowschema_free(way.schema);
    if (whole)
        unload(&way);
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make((unsigned)strtoul(argv[2], NULL, 10));
    if (argc == 3 && (strcmp(argv[1], "parse") == 0 || strcmp(argv[1], "route") == 0))
        return run(argv[2], strcmp(argv[1], "route") == 0);
    (void)fputs("usage: route_peer make ROWS | parse FILE | route FILE\n", stderr);
    return 2;
}
