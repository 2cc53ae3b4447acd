/* job.h: which files, directory, agreements and moment is a run about?
 *
 * What `route` and `explain` share: their options, everything loaded once, the files read one
 * after the other, progress shown, the sandbox entered before the first hostile byte.
 */
#ifndef COMITY_CLI_JOB_H
#define COMITY_CLI_JOB_H

#include "cli/setup.h"
#include "flow/basis.h"
#include "flow/flow.h"
#include "fmt/format.h"

enum { JOB_FILES_MAX = 100000, JOB_AGREEMENTS_MAX = 64, JOB_FAILURES_SHOWN = 20 };

struct job;
/* Opens what the run writes, once its inputs are known and before the walls are up; may set
 * write_folders. CTX is deliver's. */
typedef int job_outputs(void *ctx, struct job *job, struct err *err);

struct job_options {
    struct setup_options setup;
    const char
        *agreements[JOB_AGREEMENTS_MAX]; /* none: the node's register, and the shipped baseline */
    size_t agreement_count;
    const char *feeds_path;
    const char *secret_path; /* NULL: what was to be pseudonymised is generalised */
    const char *origin;      /* team id; NULL: a team that is not in the directory */
    const char *at;          /* NULL: now */
    enum tlp default_tlp;    /* TLP_UNKNOWN: as the feeds file says */
    enum format format;
    struct reader_options reader;
    const char *write_folders[2]; /* for the sandbox; NULL: none */
    job_outputs *outputs;         /* NULL: writes no files */
    uint64_t window;
    bool sandbox;
    bool progress;
    const char **files; /* arguments that are no options; folders are expanded */
    size_t file_count;
};

struct job {
    struct job_options options;
    struct setup setup;
    char share_dir[SETUP_PATH_BYTES];
    struct arena *arena; /* paths */
    struct basis basis;
    struct shadowschema *schema; /* from the first Shadowserver file on */
    struct team_id origin;
    int64_t at_us;
    struct flow_options flow_options;
    struct flow *flow;
    const char **files;
    size_t file_count;
    uint64_t bytes_total; /* of the files whose size is known */
    uint64_t bytes_done;
    uint64_t failed_files;
    struct buf failures; /* the first JOB_FAILURES_SHOWN of them with their reasons, a line each */
    const char *file;    /* being read */
    enum format format;  /* its format */
    int64_t shown_us;    /* progress was shown at */
    struct input *input;
    int (*reject)(
        void *ctx, const char *file, const struct err *why, struct span record, struct err *err);
    void *reject_ctx;
    void (*see)(
        void *ctx, const struct report *report); /* every report, before the flow; may be NULL */
    void *see_ctx;
    uint64_t stop_after_line; /* explain: reading may end behind this line; 0: never */
};

/* Read the options that both commands have; 1 if argv[*i] was one (and *i stands on its last
 * word), 0 if it is not theirs, ERR_USAGE if it is wrong. A word without '-' (and "-") is a file.
 */
int job_option(struct job_options *options, int argc, char **argv, int *i, struct err *err);
void job_defaults(struct job_options *options, const char **files);
/* What the options do, for --help. */
extern const char job_help[];
/* What --format says. ERR_USAGE. */
MUST_USE int job_format(const char *word, enum format *out, struct err *err);

/* Load directory, table, agreements; open the flow; enter the sandbox. DELIVER as in flow.h.
 * Owner: the caller, until job_close, also after an error. */
MUST_USE int job_open(struct job *job, const struct job_options *options,
    int (*deliver)(void *ctx, const struct flow_result *result, struct err *err), void *ctx,
    struct err *err);
/* Read all files. A file that cannot be read or recognised is told on stderr, counted and listed;
 * the others are read. ERR_NOT_FOUND if none gave a single record. */
MUST_USE int job_run(struct job *job, struct err *err);
void job_close(struct job *job);

/* Agreement id, '#', clause id: appended to OUT. */
void job_clause_name(const struct job *job, uint32_t clause, struct buf *out);

#endif
