/* comity agreement simulate: on reports at hand, what would a draft let cross that today's
 * agreements do not, or the other way round? */
#include "cli/agreement.h"
#include "cli/agreement_simulated.h"
#include "cli/cli.h"
#include "flow/parties.h"

#include <stdio.h>
#include <stdlib.h>

enum { OUT_BYTES = 64 * 1024 * 1024 };

static const char usage[] =
    "usage: comity agreement simulate [OPTIONS] DRAFT --on FILE|FOLDER|-...\n\n"
    "Judge every report twice, by today's agreements and as if DRAFT were in force beside them "
    "(in\n"
    "the place of an agreement of its id), and say for each recipient what would cross more, less\n"
    "and on other terms, with three examples each. Nothing is written or sent.\n\n"
    "  --on FILE            the reports; more files may follow\n"
    "  --json               one JSON object\n";

struct simulate {
    struct job_options options;
    const char *draft_path;
    struct simulated told;
    bool json;
};

/* DRAFT may be a file of several. A broken one would withhold what it may cover, and tell nothing.
 */
static int
load_draft(struct simulate *s, struct job *job, struct agreement_set *draft, struct err *err)
{
    int rc = agreements_load(job->arena, &s->draft_path, 1, draft, err);

    for (size_t i = 0; rc == 0 && i < draft->count; i++) {
        const struct agreement *a = &draft->agreements[i];
        bool now =
            !a->suspended && a->valid_from_us <= job->at_us && job->at_us < a->valid_until_us;
        if (a->broken)
            return err_set(err, ERR_BAD_AGREEMENT,
                "%.*s; it cannot be simulated, and `comity agreement lint` lists all its faults",
                SPAN_ARGS(a->why));
        if (!now)
            (void)fprintf(stderr,
                "comity: %.*s is suspended or not in force at that time; it is judged by as if it "
                "were\n",
                SPAN_ARGS(a->file));
        s->told.dated = s->told.dated || !now;
    }
    return rc == 0 ? agreements_undated(job->arena, draft, draft, err) : rc;
}

/* Called before the walls are up. */
static int
open_draft(void *ctx, struct job *job, struct err *err)
{
    struct simulate *s = ctx;
    struct agreement_set *after = arena_zalloc(job->arena, 1, sizeof *after);
    struct agreement_set rest;
    struct parties parties;

    if (after == NULL)
        return arena_full(err, "the draft");
    int rc = load_draft(s, job, &s->told.draft, err);
    if (rc == 0)
        rc = agreements_without(job->arena, &job->basis.agreements, &s->told.draft, &rest, err);
    if (rc == 0)
        rc = agreements_join(job->arena, &rest, &s->told.draft, after, err);
    if (rc == 0)
        rc = parties_gather(job->arena, job->setup.roster, NULL, 0, &parties, err);
    if (rc != 0)
        return rc;
    s->told.replaced = job->basis.agreements.count - rest.count;
    return policy_compile(after, parties.teams, parties.count, &s->told.after, err);
}

static int
deliver(void *ctx, const struct flow_result *result, struct err *err)
{
    struct simulate *s = ctx;

    (void)err;
    for (uint8_t i = 0; i < result->outcome_count; i++)
        simulated_add(&s->told, result, &result->outcomes[i]);
    return 0;
}

static int
take_word(struct simulate *s, int argc, char **argv, int *i, struct err *err)
{
    const char *on = NULL;
    int rc = setup_option(argc, argv, i, "on", &on, err);

    if (rc > 0)
        s->options.files[s->options.file_count++] = on;
    if (rc == 0 && strcmp(argv[*i], "--json") == 0)
        rc = s->json = true;
    if (rc == 0 && argv[*i][0] != '-' && s->draft_path == NULL) {
        s->draft_path = argv[*i];
        rc = 1;
    }
    return rc != 0 ? rc : job_option(&s->options, argc, argv, i, err);
}

static int
parse(struct simulate *s, int argc, char **argv, struct err *err)
{
    for (int i = 2; i < argc; i++) {
        int rc = take_word(s, argc, argv, &i, err);
        if (rc == 0)
            return err_set(err, ERR_USAGE,
                "no option %s; `comity agreement simulate --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    if (s->draft_path == NULL)
        return err_set(err, ERR_USAGE, "name the draft to simulate");
    return s->options.file_count > 0
        ? 0
        : err_set(err, ERR_USAGE, "--on says on which reports; \"-\" is standard input");
}

static int
print(struct simulate *s, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);

    if (s->json)
        simulated_json(&s->told, &out);
    else
        simulated_print(&s->told, &out);
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

static int
run(struct simulate *s, struct job *job, struct err *err)
{
    s->options.outputs = open_draft;
    s->told.job = job;
    int rc = job_open(job, &s->options, deliver, s, err);
    if (rc == 0)
        rc = simulated_init(&s->told, roster_count(job->setup.roster), err);
    if (rc == 0)
        rc = job_run(job, err);
    /* Interrupted: what was judged until then is told. */
    if (rc != 0 && rc != ERR_STOPPED)
        return rc;
    struct err late = {0};
    int printed = print(s, &late);
    if (printed != 0)
        *err = late;
    return printed != 0 ? printed : rc;
}

int
agreement_simulate(int argc, char **argv)
{
    struct simulate s = {0};
    struct job job = {0};
    struct err err = {0};
    const char **files = calloc((size_t)argc, sizeof *files);

    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            (void)printf("%s%s", usage, job_help);
            free(files);
            return EXIT_DONE;
        }
    job_defaults(&s.options, files);
    int rc =
        files == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory") : parse(&s, argc, argv, &err);
    if (rc == 0)
        rc = run(&s, &job, &err);
    int status = rc != 0                                              ? setup_fail(&err)
        : job.failed_files > 0 || flow_counts(job.flow)->rejected > 0 ? EXIT_REJECTED
                                                                      : EXIT_DONE;
    policy_free(s.told.after);
    simulated_free(&s.told);
    job_close(&job);
    free(files);
    return status;
}
