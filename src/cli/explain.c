/* comity explain: one report's whole story, told by the same flow that route uses. */
#include "cli/cli.h"
#include "cli/explain_json.h"
#include "cli/explain_node.h"
#include "cli/explain_text.h"
#include "cli/reportid.h"
#include "cli/shown.h"
#include "fmt/json.h"
#include "sys/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STORY_BYTES = 64 * 1024 * 1024 };

enum found { FOUND_NOTHING, FOUND_DUPLICATE, FOUND_REJECTED, FOUND_REPORT };

struct explain {
    struct job job;
    struct job_options options;
    const char *to;
    const char *home;
    struct team_id to_team;
    uint64_t line; /* 0: the first record */
    bool json;
    enum found found;
    char *path; /* FILE of FILE:LINE */
    struct buf out;
};

static const char usage[] =
    "usage: comity explain [OPTIONS] FILE[:LINE]\n"
    "       comity explain [--json] [--home DIR] UUID\n\n"
    "Tell one report's whole story: what was read, which network, economy and team answer for it "
    "and by\n"
    "which rule, which clause decided for each recipient, and what became of each field. LINE is "
    "the line\n"
    "or record number, as in the rejects of route; without it the first record is told.\n"
    "UUID is a report of the running node: what was decided when it came, and would be now.\n\n"
    "  --home DIR           UUID: the node's data folder\n"
    "  --line N             the same as FILE:N, for standard input (\"-\") too\n"
    "  --to TEAM            also: what if it went to that team\n"
    "  --json               one JSON object\n";

static bool
is_wanted(const struct explain *explain, uint64_t line)
{
    return explain->found < FOUND_REJECTED && (explain->line == 0 || line == explain->line);
}

static void
see(void *ctx, const struct report *report)
{
    struct explain *explain = ctx;

    /* Unless deliver is called next, it was a duplicate. */
    if (is_wanted(explain, report->line))
        explain->found = FOUND_DUPLICATE;
}

static int
deliver(void *ctx, const struct flow_result *result, struct err *err)
{
    struct explain *explain = ctx;
    struct explain_story story;

    if (!is_wanted(explain, result->report->line))
        return 0;
    int rc = explain_story_gather(&story, &explain->job, result, explain->to_team, err);
    if (rc != 0)
        return rc;
    explain->found = FOUND_REPORT;
    if (explain->json)
        explain_json(&story, &explain->out);
    else
        explain_text(&story, &explain->out);
    return err_set(err, ERR_STOPPED, "told");
}

static void
tell_rejection(struct explain *explain, const char *file, const struct err *why)
{
    struct buf *out = &explain->out;

    if (!explain->json) {
        buf_format(out, "%s:%llu was rejected, so it went nowhere\n  error   %s: %s\n", file,
            (unsigned long long)why->line, err_word(why->code), err_text(why->code));
        if (why->field[0] != '\0')
            buf_format(out, "  field   %s\n", why->field);
        buf_add_text(out, "  reason  ");
        shown_add(out, span_of(why->msg), sizeof why->msg);
        buf_add_char(out, '\n');
        return;
    }
    buf_add_text(out, "{\"file\":");
    json_add_string(out, span_of(file));
    buf_format(
        out, ",\"line\":%llu,\"outcome\":\"rejected\",\"field\":", (unsigned long long)why->line);
    if (why->field[0] != '\0')
        json_add_string(out, span_of(why->field));
    else
        buf_add_text(out, "null");
    buf_format(out, ",\"error\":\"%s\",\"reason\":", err_word(why->code));
    json_add_string(out, span_of(why->msg));
    buf_add_text(out, "}\n");
}

static int
reject(void *ctx, const char *file, const struct err *why, struct span record, struct err *err)
{
    struct explain *explain = ctx;

    (void)record;
    if (!is_wanted(explain, why->line))
        return 0;
    explain->found = FOUND_REJECTED;
    tell_rejection(explain, file, why);
    return err_set(err, ERR_STOPPED, "told");
}

static void
tell_duplicate(struct explain *explain)
{
    if (!explain->json) {
        buf_format(&explain->out,
            "%s:%llu is a duplicate of a report before it, so it was counted and not told again\n",
            explain->path, (unsigned long long)explain->line);
        return;
    }
    buf_add_text(&explain->out, "{\"file\":");
    json_add_string(&explain->out, span_of(explain->path));
    buf_format(&explain->out, ",\"line\":%llu,\"outcome\":\"duplicate\"}\n",
        (unsigned long long)explain->line);
}

/* "FILE:LINE", unless a file has that very name. */
static int
split_path(struct explain *explain, struct err *err)
{
    char *colon;
    uint64_t line;

    explain->path = strdup(explain->options.files[0]);
    if (explain->path == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a path");
    explain->options.files[0] = explain->path;
    colon = strrchr(explain->path, ':');
    if (colon == NULL || access(explain->path, F_OK) == 0 || !span_u64(span_of(colon + 1), &line))
        return 0;
    if (line == 0)
        return err_set(err, ERR_USAGE, "%s: lines are counted from 1", explain->path);
    *colon = '\0';
    explain->line = line;
    return 0;
}

static int
parse(struct explain *explain, int argc, char **argv, struct err *err)
{
    const char *line = NULL;

    for (int i = 1; i < argc; i++) {
        int rc = setup_option(argc, argv, &i, "to", &explain->to, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "line", &line, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "home", &explain->home, err);
        if (rc == 0 && strcmp(argv[i], "--json") == 0)
            rc = explain->json = true;
        if (rc == 0)
            rc = job_option(&explain->options, argc, argv, &i, err);
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity explain --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    if (explain->options.file_count != 1)
        return err_set(err, ERR_USAGE, "name one FILE or FILE:LINE to explain");
    if (reportid_is(explain->options.files[0]))
        return 0;
    int rc = split_path(explain, err);
    if (rc == 0 && line != NULL && (!span_u64(span_of(line), &explain->line) || explain->line == 0))
        rc = err_set(err, ERR_USAGE, "--line %s: lines are counted from 1", line);
    return rc;
}

static int
find_team(struct explain *explain, struct err *err)
{
    if (explain->to == NULL)
        return 0;
    explain->to_team = roster_find(explain->job.setup.roster, span_of(explain->to));
    return explain->to_team.index != 0
        ? 0
        : err_set(err, ERR_USAGE,
            "--to %s: no team of the directory has this id; `comity team list` shows them",
            explain->to);
}

static int
not_found(const struct explain *explain, struct err *err)
{
    unsigned long long records = (unsigned long long)flow_counts(explain->job.flow)->received;

    if (explain->line == 0 || explain->job.failed_files > 0)
        return err_set(err, ERR_NOT_FOUND, "%s holds no record that could be read", explain->path);
    return err_set(err, ERR_NOT_FOUND, "%s has no record at line %llu; %llu records were read",
        explain->path, (unsigned long long)explain->line, records);
}

static int
run(struct explain *explain, struct err *err)
{
    if (reportid_is(explain->options.files[0]))
        return explain_node(explain->home, explain->options.files[0], explain->json, err);
    int rc = job_open(&explain->job, &explain->options, deliver, explain, err);

    if (rc == 0)
        rc = find_team(explain, err);
    if (rc != 0)
        return rc;
    explain->job.reject = reject;
    explain->job.reject_ctx = explain;
    explain->job.see = see;
    explain->job.see_ctx = explain;
    explain->job.stop_after_line = explain->line;
    rc = job_run(&explain->job, err);
    if (rc != 0 && rc != ERR_STOPPED)
        return rc;
    if (explain->found == FOUND_NOTHING && stop_asked())
        return rc != 0 ? rc : err_set(err, ERR_STOPPED, "interrupted before the record was found");
    if (explain->found == FOUND_NOTHING)
        return not_found(explain, err);
    if (explain->found == FOUND_DUPLICATE)
        tell_duplicate(explain);
    rc = buf_check(&explain->out, "the story", err);
    if (rc == 0
        && (fwrite(explain->out.p, 1, explain->out.n, stdout) != explain->out.n
            || fflush(stdout) != 0))
        rc = err_set(err, ERR_IO, "the story cannot be written to standard output");
    return rc;
}

int
cli_explain(int argc, char **argv)
{
    struct explain explain = {.out = buf_new(STORY_BYTES)};
    struct err err = {0};
    const char **files = calloc((size_t)argc, sizeof *files);
    int rc;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)printf("%s%s", usage, job_help);
        free(files);
        return EXIT_DONE;
    }
    job_defaults(&explain.options, files);
    explain.options.progress = false;
    rc = files == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory")
                       : parse(&explain, argc, argv, &err);
    if (rc == 0)
        rc = run(&explain, &err);
    int status = rc != 0                  ? setup_fail(&err)
        : explain.found == FOUND_REJECTED ? EXIT_REJECTED
                                          : EXIT_DONE;
    job_close(&explain.job);
    buf_free(&explain.out);
    free(explain.path);
    free(files);
    return status;
}
