/* comity route: read reports, find the teams responsible, decide, redact, say who gets what. */
#include "cli/cli.h"
#include "cli/job.h"
#include "cli/outputs.h"
#include "cli/tally.h"
#include "fmt/json.h"
#include "fmt/writer.h"
#include "sys/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SUMMARY_BYTES = 64 * 1024 * 1024, SHOWN_REJECTIONS = 5 };

/* Where rejected records go if nothing else is said. */
static const char rejects_here[] = "comity-rejected.jsonl";

struct route {
    struct job job;
    struct job_options options;
    struct tally tally;
    const char *out_path;
    const char *rejects_path;
    bool stix;
    bool json;
    int out_folder;                           /* -1: none */
    struct spool *spools;                     /* by team_id.index */
    struct buf line;                          /* IDF: of the last report that goes to two */
    char rejects_file[SETUP_PATH_BYTES + 32]; /* as named, or where it goes unnamed */
    struct output rejects;
    struct earlier earlier; /* of an earlier run, in --out's folder */
    bool replace;
    uint64_t shown;
};

static const char usage[] =
    "usage: comity route [OPTIONS] FILE|FOLDER|- ...\n\n"
    "Read reports, find the team responsible for each, decide what the agreements in force let it\n"
    "be told, redact, and print who gets what under which clause. No node is needed; nothing is "
    "sent.\n\n"
    "  --out DIR            write one file a recipient into DIR: what would leave, redacted\n"
    "  --replace            DIR holds an earlier run's files: remove them once the new ones are "
    "complete\n"
    "  --out-format FORMAT  idf (JSON lines, the default) or stix (STIX 2.1 bundles)\n"
    "  --rejects FILE       where rejected records go, as JSON lines; its folder must be there\n"
    "                       (default: rejected.jsonl in --out's DIR, else comity-rejected.jsonl "
    "here)\n"
    "  --json               the summary as one JSON object\n";

/* What goes to two is rendered once. */
static void
write_line(struct route *route, const struct flow_result *result,
    const struct flow_outcome *outcome, struct buf *out)
{
    const struct flow_outcome *first = &result->outcomes[0];

    if (result->outcome_count == 1) {
        idf_write(out, outcome->redacted);
        return;
    }
    if (outcome == first || outcome->redacted != first->redacted) {
        route->line.n = 0;
        idf_write(&route->line, outcome->redacted);
    }
    buf_add_span(out, buf_span(&route->line));
    out->full = out->full || route->line.full;
}

static int
deliver_file(struct route *route, const struct flow_result *result,
    const struct flow_outcome *outcome, struct err *err)
{
    struct spool *spool = &route->spools[outcome->recipient.index];
    const struct team *team = roster_team(route->job.setup.roster, outcome->recipient);
    struct release_note note = {.origin = route->job.origin.index == 0
            ? SPAN("self")
            : roster_team(route->job.setup.roster, route->job.origin)->id,
        .recipient = team->id,
        .made_us = route->job.at_us};

    if (spool->name[0] == '\0') {
        char name[SPOOL_NAME_BYTES];
        int n = snprintf(name, sizeof name, "%.*s.%s", SPAN_ARGS(team->id),
            route->stix ? "stix.json" : "idf.jsonl");
        int rc = spool_init(spool, route->out_folder, (struct span){name, (size_t)n}, err);
        if (rc != 0)
            return rc;
        if (route->stix)
            stix_write_head(&spool->buf, &note);
    }
    if (!route->stix) {
        write_line(route, result, outcome, &spool->buf);
        return spool_flush_if_large(spool, err);
    }
    const struct attribution *side =
        result->attribution.source.team.index == outcome->recipient.index
        ? &result->attribution.source
        : &result->attribution.destination;
    struct buf names[VERDICT_CLAUSES_MAX];
    struct span clauses[VERDICT_CLAUSES_MAX];
    size_t count = outcome->verdict.clause_count < VERDICT_CLAUSES_MAX
        ? outcome->verdict.clause_count
        : VERDICT_CLAUSES_MAX;
    for (size_t i = 0; i < count; i++) {
        names[i] = buf_new(4096);
        job_clause_name(&route->job, outcome->verdict.clauses[i], &names[i]);
        clauses[i] = buf_span(&names[i]);
    }
    note.asn = side->geo.asn;
    note.economy = side->economy;
    note.rule = attribution_rule_word((enum attribution_rule)side->rule);
    note.clauses = clauses;
    note.clause_count = count;
    stix_write(&spool->buf, outcome->redacted, &note);
    for (size_t i = 0; i < count; i++)
        buf_free(&names[i]);
    return spool_flush_if_large(spool, err);
}

static int
deliver(void *ctx, const struct flow_result *result, struct err *err)
{
    struct route *route = ctx;

    tally_add(&route->tally, result);
    for (uint8_t i = 0; route->out_folder >= 0 && i < result->outcome_count; i++)
        if (result->outcomes[i].redacted != NULL) {
            int rc = deliver_file(route, result, &result->outcomes[i], err);
            if (rc != 0)
                return rc;
        }
    return 0;
}

static int
reject(void *ctx, const char *file, const struct err *why, struct span record, struct err *err)
{
    struct route *route = ctx;
    struct buf *out = &route->rejects.spool.buf;

    if (route->shown++ < SHOWN_REJECTIONS)
        (void)fprintf(stderr, "comity: %s:%llu: %s%s%s\n", file, (unsigned long long)why->line,
            why->field, why->field[0] != '\0' ? ": " : "", why->msg);
    buf_add_text(out, "{\"file\":");
    json_add_string(out, span_of(file));
    buf_format(out, ",\"line\":%llu,\"field\":", (unsigned long long)why->line);
    if (why->field[0] != '\0')
        json_add_string(out, span_of(why->field));
    else
        buf_add_text(out, "null");
    buf_format(out, ",\"error\":\"%s\",\"reason\":", err_word(why->code));
    json_add_string(out, span_of(why->msg));
    if (record.n > 0 && record.n <= SPOOL_BUFFER_BYTES && span_is_utf8(record)) {
        buf_add_text(out, ",\"record\":");
        json_add_string(out, record);
    }
    buf_add_text(out, "}\n");
    return spool_flush_if_large(&route->rejects.spool, err);
}

static int
parse(struct route *route, int argc, char **argv, struct err *err)
{
    const char *format = NULL;

    for (int i = 1; i < argc; i++) {
        int rc = setup_option(argc, argv, &i, "out", &route->out_path, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "out-format", &format, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "rejects", &route->rejects_path, err);
        if (rc == 0 && strcmp(argv[i], "--json") == 0)
            rc = route->json = true;
        if (rc == 0 && strcmp(argv[i], "--replace") == 0)
            rc = route->replace = true;
        if (rc == 0)
            rc = job_option(&route->options, argc, argv, &i, err);
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity route --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    if (format != NULL && strcmp(format, "idf") != 0 && strcmp(format, "stix") != 0)
        return err_set(err, ERR_USAGE, "--out-format %s: there are idf and stix", format);
    if (route->replace && route->out_path == NULL)
        return err_set(err, ERR_USAGE, "--replace is about files in --out's folder; name one");
    route->stix = format != NULL && strcmp(format, "stix") == 0;
    return route->options.file_count > 0
        ? 0
        : err_set(err, ERR_USAGE, "no file to route; \"-\" is standard input");
}

/* Nothing that this run reads may be what it writes. */
static int
spare_inputs(const struct route *route, const struct job *job, struct err *err)
{
    const struct job_options *o = &job->options;
    const char *trusted[] = {job->basis.feeds_path, job->basis.baseline_path, o->setup.geo_path,
        o->setup.teams_path, o->reader.mapping_path};
    const char *rejects = route->rejects_path;
    int rc = 0;

    if (route->out_path != NULL)
        rc = outputs_spare_folder(route->out_path, "--out", job->files, job->file_count, err);
    if (rejects == NULL)
        rejects = route->out_path != NULL ? NULL : rejects_here;
    if (rc != 0 || rejects == NULL)
        return rc;
    rc = outputs_spare_file(rejects, "--rejects", job->files, job->file_count, err);
    if (rc == 0)
        rc = outputs_spare_file(
            rejects, "--rejects", trusted, sizeof trusted / sizeof trusted[0], err);
    return rc != 0
        ? rc
        : outputs_spare_file(rejects, "--rejects", o->agreements, o->agreement_count, err);
}

/* Who finds yesterday's file of a recipient beside today's would send what may not leave any more.
 */
static int
spare_earlier(struct route *route, struct err *err)
{
    const char *slash = route->rejects_path == NULL ? NULL : strrchr(route->rejects_path, '/');
    const char *name = slash != NULL ? slash + 1 : route->rejects_path;

    if (route->out_path == NULL)
        return 0;
    if (name != NULL && strcmp(name, "rejected.jsonl") != 0 && earlier_is_name(name))
        return err_set(err, ERR_USAGE,
            "--rejects %s has a name that --out gives to recipients' files; take another",
            route->rejects_path);
    int rc = earlier_find(&route->earlier, route->out_path, err);
    if (rc != 0 || route->earlier.count == 0 || route->replace)
        return rc;
    return err_set(err, ERR_USAGE,
        "--out %s holds %zu files of an earlier run, such as %s; name another folder, or say "
        "--replace to have them removed once the new ones are complete",
        route->out_path, route->earlier.count, earlier_name(&route->earlier));
}

/* Only the folder of --out is made, not its parents and none for the rejects: a mistyped path is
 * to be told. */
static int
open_outputs(void *ctx, struct job *job, struct err *err)
{
    struct route *route = ctx;
    const char **write = job->options.write_folders;
    int rc = spare_inputs(route, job, err);

    if (rc == 0)
        rc = spare_earlier(route, err);
    if (rc == 0 && route->out_path != NULL) {
        rc = spool_folder(route->out_path, &route->out_folder, err);
        *write++ = route->out_path;
    }
    if (rc != 0)
        return rc;
    if (route->rejects_path != NULL)
        (void)snprintf(route->rejects_file, sizeof route->rejects_file, "%s", route->rejects_path);
    else
        (void)snprintf(route->rejects_file, sizeof route->rejects_file, "%s%s%s",
            route->out_path != NULL ? route->out_path : "", route->out_path != NULL ? "/" : "",
            route->out_path != NULL ? "rejected.jsonl" : rejects_here);
    rc = output_open(&route->rejects, route->rejects_file, "--rejects", err);
    if (rc == 0 && route->rejects.folder[0] != '\0')
        *write = route->rejects.folder;
    return rc;
}

/* The last bytes of all, so that a full disk is met before the first file has its name. */
static int
settle(struct route *route, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && route->spools != NULL && i < route->tally.count; i++) {
        struct spool *spool = &route->spools[i];
        if (spool->name[0] == '\0')
            continue;
        if (route->stix)
            stix_write_tail(&spool->buf);
        rc = spool_settle(spool, err);
    }
    /* A file that was named is there after the run, empty if nothing was rejected. */
    if (rc == 0 && (route->rejects_path != NULL || flow_counts(route->job.flow)->rejected > 0))
        rc = spool_settle(&route->rejects.spool, err);
    return rc;
}

static int
publish(struct route *route, struct err *err)
{
    int rc = settle(route, err);

    for (size_t i = 0; rc == 0 && route->spools != NULL && i < route->tally.count; i++)
        if (route->spools[i].name[0] != '\0')
            rc = spool_publish(&route->spools[i], err);
    if (rc == 0)
        rc = route->rejects.spool.settled ? output_publish(&route->rejects, err)
                                          : output_remove(&route->rejects, err);
    if (rc == 0)
        rc = earlier_remove(&route->earlier, route->out_folder, err);
    return rc == 0 && route->out_folder >= 0 ? spool_sync_folder(route->out_folder, err) : rc;
}

static int
print(const struct route *route, bool kept, struct err *err)
{
    struct buf out = buf_new(SUMMARY_BYTES);
    const struct totals *counts = flow_counts(route->job.flow);

    if (route->json)
        tally_json(&route->tally, &route->job, &out);
    else
        tally_print(&route->tally, &route->job, &out);
    int rc = buf_check(&out, "the summary", err);
    bool bad = fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0;
    buf_free(&out);
    if (rc == 0 && bad)
        rc = err_set(err, ERR_IO, "the summary cannot be written to standard output");
    size_t vouched = agreements_vouched(&route->job.basis.agreements);
    if (vouched > 0)
        (void)fprintf(stderr,
            "comity: %zu agreement%s not signed by all parties with keys that are known, and taken "
            "as "
            "agreed because you named %s\n",
            vouched, vouched == 1 ? " is" : "s are", vouched == 1 ? "it" : "them");
    if (counts->rejected > 0 && !kept)
        (void)fprintf(stderr, "comity: %llu records were rejected; each with its reason in %s\n",
            (unsigned long long)counts->rejected, route->rejects_file);
    return rc;
}

static void
close_route(struct route *route)
{
    for (size_t i = 0; route->spools != NULL && i < route->tally.count; i++)
        spool_drop(&route->spools[i]);
    output_close(&route->rejects);
    earlier_free(&route->earlier);
    if (route->out_folder >= 0)
        (void)close(route->out_folder);
    free(route->spools);
    buf_free(&route->line);
    tally_free(&route->tally);
    job_close(&route->job);
}

static int
run(struct route *route, struct err *err)
{
    int rc;

    route->options.outputs = open_outputs;
    rc = job_open(&route->job, &route->options, deliver, route, err);
    if (rc == 0)
        rc = tally_init(&route->tally, roster_count(route->job.setup.roster), err);
    if (rc == 0 && route->out_folder >= 0) {
        route->spools = calloc(route->tally.count, sizeof *route->spools);
        if (route->spools == NULL)
            rc = err_set(err, ERR_NO_MEMORY, "no memory for %zu recipients", route->tally.count);
    }
    if (rc != 0)
        return rc;
    route->job.reject = reject;
    route->job.reject_ctx = route;
    rc = job_run(&route->job, err);
    /* Interrupted: what was routed until then is published and accounted for. */
    if (rc != 0 && rc != ERR_STOPPED)
        return rc;
    int stopped = rc;
    struct err late = {0};
    rc = 0;

    /* A part of today's beside yesterday's would be worse than yesterday's alone. */
    bool kept = stopped != 0 && route->earlier.count > 0;
    if (kept)
        (void)fprintf(stderr,
            "comity: --out %s keeps the files of the earlier run, as this one is not complete\n",
            route->out_path);
    else
        rc = publish(route, &late);
    if (rc == 0)
        rc = print(route, kept, &late);
    if (rc != 0)
        *err = late;
    return rc != 0 ? rc : stopped;
}

int
cli_route(int argc, char **argv)
{
    struct route route = {.out_folder = -1, .line = buf_new(SPOOL_ITEM_BYTES), .rejects.fd = -1};
    struct err err = {0};
    const char **files = calloc((size_t)argc, sizeof *files);
    int rc;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)printf("%s%s", usage, job_help);
        free(files);
        return EXIT_DONE;
    }
    job_defaults(&route.options, files);
    rc =
        files == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory") : parse(&route, argc, argv, &err);
    if (rc == 0)
        rc = run(&route, &err);
    int status = rc != 0                                                          ? setup_fail(&err)
        : flow_counts(route.job.flow)->rejected > 0 || route.job.failed_files > 0 ? EXIT_REJECTED
                                                                                  : EXIT_DONE;
    close_route(&route);
    free(files);
    return status;
}
