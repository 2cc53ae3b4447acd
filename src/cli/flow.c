/* comity flow: what is blocked, for want of what, and which one change would free most. */
#include "cli/cli.h"
#include "cli/flow_told.h"

#include <stdio.h>
#include <stdlib.h>

enum { OUT_BYTES = 64 * 1024 * 1024 };

static const char usage[] =
    "usage: comity flow [OPTIONS] FILE|FOLDER|- ...\n\n"
    "Judge reports as route does, and say of those that do not go what is in the way: a clause "
    "that\n"
    "holds, a clause that is missing or falls short by one condition, a channel that is not on "
    "the\n"
    "recipient's card. What would free most stands first. Nothing is written or sent.\n\n"
    "  --all                every line, not only the first 40\n"
    "  --json               one JSON object\n";

struct blockage {
    struct job job;
    struct job_options options;
    struct blocked *blocked;
    struct flow_told told;
    bool json;
};

static int
deliver(void *ctx, const struct flow_result *result, struct err *err)
{
    struct blockage *b = ctx;
    int rc = 0;

    flow_told_see(&b->told, result);
    for (uint8_t i = 0; rc == 0 && i < result->outcome_count; i++)
        rc = blocked_add(b->blocked, result->report, result->tlp, &result->outcomes[i], err);
    return rc;
}

static int
parse(struct blockage *b, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = 0;
        if (strcmp(argv[i], "--json") == 0)
            rc = b->json = true;
        else if (strcmp(argv[i], "--all") == 0)
            rc = b->told.all = true;
        else
            rc = job_option(&b->options, argc, argv, &i, err);
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity flow --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    return b->options.file_count > 0
        ? 0
        : err_set(err, ERR_USAGE, "no file to look at; \"-\" is standard input");
}

static int
print(struct blockage *b, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);

    if (b->json)
        flow_told_json(&b->told, &out);
    else
        flow_told_print(&b->told, &out);
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

static int
answer(struct blockage *b, struct err *err)
{
    struct job *job = &b->job;
    struct parties parties;
    int rc = parties_gather(job->arena, job->setup.roster, NULL, 0, &parties, err);

    if (rc != 0)
        return rc;
    b->told.question = (struct remedy_question){.agreements = &job->basis.agreements,
        .teams = parties.teams,
        .team_count = parties.count,
        .origin = job->origin,
        .at_us = job->at_us};
    rc = remedies_find(job->arena, b->blocked, &b->told.question, &b->told.remedies, err);
    return rc == 0 ? print(b, err) : rc;
}

static int
run(struct blockage *b, struct err *err)
{
    int rc = blocked_new(&b->blocked, err);

    b->told.job = &b->job;
    if (rc == 0)
        rc = job_open(&b->job, &b->options, deliver, b, err);
    if (rc == 0)
        rc = job_run(&b->job, err);
    /* Interrupted: what was judged until then is told. */
    if (rc != 0 && rc != ERR_STOPPED)
        return rc;
    struct err late = {0};
    int answered = answer(b, &late);
    if (answered != 0)
        *err = late;
    return answered != 0 ? answered : rc;
}

int
cli_flow(int argc, char **argv)
{
    struct blockage b = {0};
    struct err err = {0};
    const char **files = calloc((size_t)argc, sizeof *files);

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)printf("%s%s", usage, job_help);
        free(files);
        return EXIT_DONE;
    }
    job_defaults(&b.options, files);
    int rc =
        files == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory") : parse(&b, argc, argv, &err);
    if (rc == 0)
        rc = run(&b, &err);
    int status = rc != 0                                                  ? setup_fail(&err)
        : b.job.failed_files > 0 || flow_counts(b.job.flow)->rejected > 0 ? EXIT_REJECTED
                                                                          : EXIT_DONE;
    blocked_free(b.blocked);
    job_close(&b.job);
    free(files);
    return status;
}
