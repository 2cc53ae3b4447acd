#include "cli/job.h"

#include "cli/files.h"
#include "cli/home.h"
#include "cli/secretfile.h"
#include "cli/walls.h"
#include "fmt/shadowschema.h"
#include "sys/clock.h"
#include "sys/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ARENA_BYTES = 64 * 1024 * 1024,
    WINDOW_DEFAULT = 1 << 20,
    PROGRESS_US = 200000,
    FAILURES_BYTES = 64 * 1024
};

const char job_help[] =
    "  --agreements PATH    file or folder of agreements (repeatable; default: those of\n"
    "                       the node's register that all parties signed, and the shipped "
    "baseline)\n"
    "  --as TEAM            the team that sends: its id in the directory (default: the register's\n"
    "                       team, where its agreements are those judged by)\n"
    "  --at TIME            decide as of this time (default: now)\n"
    "  --default-tlp LABEL  for reports that carry no TLP (default: as the feeds file says)\n"
    "  --feeds FILE         providers' labels and conditions (default: the shipped ones)\n"
    "  --format FORMAT      idf, shadowserver, stix or csv (default: by content)\n"
    "  --geo FILE           address table\n"
    "  --mapping FILE       what the columns of a generic CSV mean\n"
    "  --provider NAME      for reports that name none\n"
    "  --report-type TYPE   Shadowserver report type, if the file's name does not tell\n"
    "  --secret FILE        make pseudonyms from this secret (default: the node's, see `comity "
    "secret`;\n"
    "                       without one what is to be pseudonymised is generalised)\n"
    "  --teams PATH         team directory\n"
    "  --window N           look for duplicates among the last N reports (default: 1048576; 0: do "
    "not)\n"
    "  --no-sandbox         work even where the kernel has no sandbox\n"
    "  --quiet              no progress\n";

void
job_defaults(struct job_options *options, const char **files)
{
    *options = (struct job_options){.window = WINDOW_DEFAULT, .sandbox = true, .files = files};
    options->progress = isatty(STDERR_FILENO) == 1;
}

int
job_format(const char *word, enum format *out, struct err *err)
{
    *out = format_find(span_of(word));
    return *out != FORMAT_UNKNOWN
        ? 0
        : err_set(err, ERR_USAGE, "--format %s: there are idf, shadowserver, stix and csv", word);
}

static int
set_format(struct job_options *options, const char *word, struct err *err)
{
    return job_format(word, &options->format, err);
}

static int
set_tlp(struct job_options *options, const char *word, struct err *err)
{
    options->default_tlp = tlp_find(span_of(word));
    return options->default_tlp != TLP_UNKNOWN
        ? 0
        : err_set(err, ERR_USAGE,
            "--default-tlp %s: there are clear, green, amber, amber+strict and red", word);
}

static int
set_window(struct job_options *options, const char *text, struct err *err)
{
    return span_u64(span_of(text), &options->window)
        ? 0
        : err_set(err, ERR_USAGE, "--window %s: it must be a number of reports", text);
}

static int
add_agreement(struct job_options *options, const char *path, struct err *err)
{
    if (options->agreement_count == JOB_AGREEMENTS_MAX)
        return err_set(
            err, ERR_USAGE, "--agreements: at most %d times; name a folder", JOB_AGREEMENTS_MAX);
    options->agreements[options->agreement_count++] = path;
    return 0;
}

/* Options that only store their value. */
static const char **
plain_option(struct job_options *o, size_t i, const char **name)
{
    struct {
        const char *name;
        const char **to;
    } const plain[] = {{"as", &o->origin}, {"at", &o->at}, {"feeds", &o->feeds_path},
        {"geo", &o->setup.geo_path}, {"teams", &o->setup.teams_path},
        {"mapping", &o->reader.mapping_path}, {"provider", &o->reader.provider},
        {"report-type", &o->reader.report_type}, {"secret", &o->secret_path}};

    if (i >= sizeof plain / sizeof plain[0])
        return NULL;
    *name = plain[i].name;
    return plain[i].to;
}

static int
valued_option(struct job_options *options, int argc, char **argv, int *i, struct err *err)
{
    static const struct {
        const char *name;
        int (*set)(struct job_options *options, const char *value, struct err *err);
    } set[] = {{"format", set_format}, {"default-tlp", set_tlp}, {"window", set_window},
        {"agreements", add_agreement}};
    const char *name = NULL;
    const char *value = NULL;
    const char **to;

    for (size_t k = 0; (to = plain_option(options, k, &name)) != NULL; k++) {
        int rc = setup_option(argc, argv, i, name, to, err);
        if (rc != 0)
            return rc;
    }
    for (size_t k = 0; k < sizeof set / sizeof set[0]; k++) {
        int rc = setup_option(argc, argv, i, set[k].name, &value, err);
        if (rc > 0)
            rc = set[k].set(options, value, err) == 0 ? 1 : ERR_USAGE;
        if (rc != 0)
            return rc;
    }
    return 0;
}

int
job_option(struct job_options *options, int argc, char **argv, int *i, struct err *err)
{
    const char *word = argv[*i];

    if (word[0] != '-' || word[1] == '\0') {
        options->files[options->file_count++] = word;
        return 1;
    }
    if (strcmp(word, "--no-sandbox") == 0) {
        options->sandbox = false;
        return 1;
    }
    if (strcmp(word, "--quiet") == 0) {
        options->progress = false;
        return 1;
    }
    return valued_option(options, argc, argv, i, err);
}

static int
find_origin(struct job *job, struct err *err)
{
    const char *id = job->options.origin;

    if (id == NULL)
        return 0;
    job->origin = roster_find(job->setup.roster, span_of(id));
    return job->origin.index != 0
        ? 0
        : err_set(err, ERR_USAGE,
            "--as %s: no team of the directory has this id; `comity team list` shows them", id);
}

/* Who signs is who sends. Judged as a sender unknown, the register's agreements would not count. */
static int
be_register_team(struct job *job, struct err *err)
{
    const struct registry *r = job->basis.registry;

    if (job->options.origin != NULL || r->team[0] == '\0')
        return 0;
    job->origin = roster_find(job->setup.roster, span_of(r->team));
    return job->origin.index != 0
        ? 0
        : err_set(err, ERR_NOT_FOUND,
            "the register in %s is that of %s, which no team of the directory has as its id; bring "
            "in its card (`comity team import`), or say with --as who sends",
            r->home, r->team);
}

static void
tell(void *ctx, const char *line)
{
    (void)ctx;
    (void)fprintf(stderr, "comity: %s\n", line);
}

static int
load_basis(struct job *job, struct err *err)
{
    const struct job_options *o = &job->options;
    char home[SETUP_PATH_BYTES];
    char secret[SETUP_PATH_BYTES];
    bool has_secret;
    struct err why;
    int rc = secret_path(o->secret_path, NULL, secret, &has_secret, err);

    if (rc != 0)
        return rc;
    const struct basis_options options = {.roster = job->setup.roster,
        .share_dir = job->share_dir,
        .home = home_path(NULL, home, &why) == 0 ? home : NULL, /* no home, no register */
        .agreements = o->agreements,
        .agreement_count = o->agreement_count,
        .feeds_path = o->feeds_path,
        .secret_path = has_secret ? secret : NULL,
        .default_tlp = o->default_tlp,
        .now_us = clock_now_us(),
        .at_us = job->at_us,
        .tell = tell};
    rc = basis_load(&job->basis, &options, err);
    return rc == 0 && job->basis.registry != NULL ? be_register_team(job, err) : rc;
}

static int
open_flow(struct job *job,
    int (*deliver)(void *ctx, const struct flow_result *result, struct err *err), void *ctx,
    struct err *err)
{
    job->flow_options = (struct flow_options){.world = setup_world(&job->setup),
        .policy = job->basis.policy,
        .extras = job->basis.extras,
        .pseudonyms = job->basis.pseudonyms,
        .feeds = &job->basis.feeds,
        .origin = job->origin,
        .at_us = job->at_us,
        .clock_trusted = job->basis.clock_trusted,
        .window = job->options.window,
        .deliver = deliver,
        .ctx = ctx};
    return flow_new(&job->flow_options, &job->flow, err);
}

static int
enter_sandbox(struct job *job, struct err *err)
{
    const struct job_options *o = &job->options;
    struct walls walls = {.wanted = o->sandbox,
        .files = job->files,
        .file_count = job->file_count,
        .share_dir = job->share_dir,
        .mapping_path = o->reader.mapping_path,
        .write = o->write_folders};

    while (walls.write_count < 2 && o->write_folders[walls.write_count] != NULL)
        walls.write_count++;
    return walls_enter(&walls, err);
}

int
job_open(struct job *job, const struct job_options *options,
    int (*deliver)(void *ctx, const struct flow_result *result, struct err *err), void *ctx,
    struct err *err)
{
    int rc;

    *job =
        (struct job){.options = *options, .at_us = clock_now_us(), .arena = arena_new(ARENA_BYTES)};
    job->failures = buf_new(FAILURES_BYTES);
    if (job->arena == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to begin");
    rc = setup_share_dir(job->share_dir, err);
    if (rc == 0)
        rc = setup_open(&job->setup, &options->setup, err);
    if (rc == 0)
        rc = setup_time("at", job->options.at, &job->at_us, err);
    if (rc == 0)
        rc = find_origin(job, err);
    if (rc == 0)
        rc = load_basis(job, err);
    if (rc == 0)
        rc = files_expand(job->arena, options->files, options->file_count, &job->files,
            &job->file_count, &job->bytes_total, err);
    if (rc != 0)
        return rc;
    job->options.reader.share_dir = job->share_dir;
    job->options.reader.schema = &job->schema;
    rc = open_flow(job, deliver, ctx, err);
    if (rc == 0 && options->outputs != NULL)
        rc = options->outputs(ctx, job, err);
    return rc == 0 ? enter_sandbox(job, err) : rc;
}

static void
show_progress(struct job *job, bool last)
{
    int64_t now = clock_ticks_us();

    if (!job->options.progress || (!last && now - job->shown_us < PROGRESS_US))
        return;
    job->shown_us = now;
    if (last) {
        (void)fputs("\r\033[K", stderr);
        return;
    }
    uint64_t done = job->bytes_done + (job->input == NULL ? 0 : input_bytes_read(job->input));
    uint64_t total = job->bytes_total > done ? job->bytes_total : done;
    unsigned percent = total == 0 ? 0 : (unsigned)(done * 100 / total);
    char bar[31];
    for (unsigned i = 0; i < 30; i++)
        bar[i] = i < percent * 30 / 100 ? '#' : '.';
    bar[30] = '\0';
    (void)fprintf(stderr, "\r\033[K[%s] %3u %%  %llu reports", bar, percent,
        (unsigned long long)flow_counts(job->flow)->received);
}

static void
on_prepare(void *ctx, struct report *report)
{
    struct job *job = ctx;

    flow_prepare(job->flow, report);
}

static int
check_stop(struct job *job, uint64_t line, struct err *err)
{
    if ((flow_counts(job->flow)->received & 1023) == 0)
        show_progress(job, false);
    /* When asked to stop, it is the input that ends: what came whole before is still told. */
    if (job->stop_after_line != 0 && line >= job->stop_after_line)
        return err_set(err, ERR_STOPPED, "found");
    return 0;
}

static int
on_report(void *ctx, const struct report *report, struct err *err)
{
    struct job *job = ctx;
    int rc;

    if (job->see != NULL)
        job->see(job->see_ctx, report);
    rc = flow_report(job->flow, report, err);
    return rc == 0 ? check_stop(job, report->line, err) : rc;
}

static int
on_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    struct job *job = ctx;
    int rc;

    flow_rejected(job->flow);
    rc = job->reject == NULL ? 0 : job->reject(job->reject_ctx, job->file, why, record, err);
    return rc == 0 ? check_stop(job, why->line, err) : rc;
}

/* A file that cannot go on is told and counted, and the next is read; only our own faults stop the
 * run. */
static int
file_failed(struct job *job, const struct err *why, struct err *err)
{
    if (!err_is_senders(why->code) && why->code != ERR_NOT_FOUND) {
        *err = *why;
        return why->code;
    }
    show_progress(job, true);
    struct err line;
    (void)err_set(&line, why->code, "%s: %s: %s", job->file, err_word(why->code), why->msg);
    if (job->failed_files++ < JOB_FAILURES_SHOWN)
        buf_format(&job->failures, "  %s\n", line.msg);
    (void)fprintf(stderr, "comity: %s: %s: %s\n", job->file, err_word(why->code), why->msg);
    return 0;
}

static int
read_file(struct job *job, struct err *err)
{
    const struct reader_sink sink = {
        .ctx = job, .prepare = on_prepare, .report = on_report, .reject = on_reject};
    struct err why = {0};
    bool standard = strcmp(job->file, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(job->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int rc;

    if (fd < 0) {
        /* A named pipe nobody writes to waits in open. */
        if (errno == EINTR && stop_asked())
            return err_set(err, ERR_STOPPED, "interrupted before %s could be opened", job->file);
        (void)err_set(&why, ERR_NOT_FOUND, "it cannot be opened: %s", strerror(errno));
        return file_failed(job, &why, err);
    }
    rc = input_open_fd(fd, standard ? "standard input" : job->file, &job->input, &why);
    job->format = job->options.format;
    if (rc == 0 && job->format == FORMAT_UNKNOWN)
        rc = format_recognise(job->input, &job->options.reader, &job->format, &why);
    if (rc == 0 && job->format != FORMAT_UNKNOWN)
        rc = format_read(job->input, job->format, &job->options.reader, &sink, &why);
    if (job->input != NULL)
        job->bytes_done += input_bytes_read(job->input);
    input_close(job->input);
    job->input = NULL;
    if (!standard)
        (void)close(fd);
    return rc == 0 ? 0 : file_failed(job, &why, err);
}

int
job_run(struct job *job, struct err *err)
{
    int rc = 0;

    stop_listen();
    for (size_t i = 0; rc == 0 && i < job->file_count; i++) {
        job->file = job->files[i];
        rc = read_file(job, err);
    }
    show_progress(job, true);
    if (rc == 0 && job->failed_files > 0 && job->failed_files == job->file_count
        && flow_counts(job->flow)->received == 0)
        rc = err_set(err, ERR_NOT_FOUND, "nothing could be read, so nothing was done");
    return rc;
}

void
job_close(struct job *job)
{
    flow_free(job->flow);
    basis_free(&job->basis);
    shadowschema_free(job->schema);
    setup_close(&job->setup);
    arena_free(job->arena);
    buf_free(&job->failures);
}

void
job_clause_name(const struct job *job, uint32_t clause, struct buf *out)
{
    const struct agreement *agreement = policy_agreement(job->basis.policy, clause);
    const struct clause *c = policy_clause(job->basis.policy, clause);

    buf_add_span(out, agreement->id);
    buf_add_char(out, '#');
    buf_add_span(out, c->id);
}
