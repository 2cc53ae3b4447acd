#include "cli/cli.h"

#include "base/conf.h"
#include "cli/home.h"
#include "fmt/json.h"
#include "sys/file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 20, LIST_BYTES_MAX = 1 << 20 };

static const char help[] =
    "usage: comity config check [--home FOLDER] [FILE]\n"
    "       comity config list [--json] [--home FOLDER] [FILE]\n\n"
    "check reads a file of settings and says what is wrong in it: the line, what would be right,\n"
    "and the name that was probably meant. list prints every option with its default, and what\n"
    "FILE sets it to. Without FILE: comity.conf in the data folder, else\n"
    "/etc/comity/comity.conf. comity.conf(5) says what each means.\n\n"
    "  --home FOLDER  the data folder (default: $COMITY_HOME, else where serve keeps it)\n"
    "  --json         one JSON array of objects\n\n"
    "Exit status of check: 0 all is right, 1 something is wrong, 3 the file cannot be read.\n";

struct job {
    char path[SETUP_PATH_BYTES]; /* "": there is no file */
    unsigned wrong;
};

static const char *const types[] = {[CONF_TYPE_BOOL] = "bool",
    [CONF_TYPE_NUMBER] = "number",
    [CONF_TYPE_DURATION] = "duration",
    [CONF_TYPE_SIZE] = "size",
    [CONF_TYPE_ADDRESS] = "address",
    [CONF_TYPE_PATH] = "path",
    [CONF_TYPE_ENUM] = "enum",
    [CONF_TYPE_CLOCK] = "time of day",
    [CONF_TYPE_TEXT] = "text"};

static void
find_file(struct job *job, const char *given)
{
    char home[SETUP_PATH_BYTES];
    struct err err;

    home_config(home_path(given, home, &err) == 0 ? home : NULL, job->path);
}

static void
tell(void *ctx, const struct err *err)
{
    struct job *job = ctx;

    job->wrong++;
    (void)fprintf(stderr, "%s:", job->path);
    if (err->line != 0)
        (void)fprintf(stderr, "%llu:", (unsigned long long)err->line);
    (void)fprintf(stderr, " %s%s%s\n", err->field, err->field[0] == '\0' ? "" : ": ", err->msg);
}

static void
check_paths(struct job *job, const struct conf *conf)
{
    for (int i = 0; i < CONF_COUNT; i++) {
        const char *name = conf_rows[i].name;
        struct span path = conf_text(conf, (enum conf_option)i);
        struct err err = {0};

        if (conf_rows[i].type != CONF_TYPE_PATH || i == CONF_LOCAL_SOCKET || path.n == 0
            || access(path.p, F_OK) == 0)
            continue;
        (void)err_set_field(&err, ERR_NOT_FOUND, name, strlen(name), "%s is not there", path.p);
        err.line = conf_line(conf, (enum conf_option)i);
        tell(job, &err);
    }
}

/* All of the file's errors are told; *CONF is what could be read. */
static int
read_file(struct job *job, struct conf **conf, struct err *err)
{
    struct buf text = buf_new(FILE_BYTES_MAX);
    struct err first;
    int rc = job->path[0] == '\0' ? 0 : file_read(job->path, &text, err);

    *conf = conf_new();
    if (rc == 0 && *conf == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the settings");
    if (rc == 0 && conf_read(*conf, buf_span(&text), tell, job, &first) == 0
        && conf_check(*conf, &first) != 0)
        tell(job, &first);
    buf_free(&text);
    return rc;
}

static int
check(struct job *job)
{
    struct conf *conf = NULL;
    struct err err = {0};
    int rc = job->path[0] == '\0'
        ? err_set(&err, ERR_NOT_FOUND, "there is no comity.conf; name a file")
        : read_file(job, &conf, &err);

    if (rc == 0)
        check_paths(job, conf);
    conf_free(conf);
    if (rc != 0)
        return setup_fail(&err);
    if (job->wrong > 0)
        return EXIT_REJECTED;
    (void)printf("%s is right\n", job->path);
    return EXIT_DONE;
}

static void
add_json(struct buf *out, const struct conf *conf, enum conf_option option)
{
    const struct conf_row *row = &conf_rows[option];
    bool choices = row->type == CONF_TYPE_ENUM;

    buf_add_text(out, option == 0 ? "[\n" : ",\n");
    buf_add_text(out, "{\"name\":");
    json_add_string(out, span_of(row->name));
    buf_add_text(out, ",\"type\":");
    json_add_string(out, span_of(types[row->type]));
    buf_add_text(out, choices ? ",\"choices\":" : ",\"unit\":");
    json_add_string(out, span_of(row->unit));
    buf_format(out, ",\"least\":%lld,\"most\":%lld", (long long)row->least, (long long)row->most);
    buf_add_text(out, ",\"default\":");
    json_add_string(out, span_of(row->usual));
    buf_add_text(out, ",\"value\":");
    json_add_string(out, conf_text(conf, option));
    buf_format(out, ",\"line\":%llu", (unsigned long long)conf_line(conf, option));
    buf_add_text(out, ",\"applies\":");
    json_add_string(out, row->applies == CONF_APPLIES_RELOAD ? SPAN("reload") : SPAN("restart"));
    buf_add_text(out, ",\"text\":");
    json_add_string(out, span_of(row->text));
    buf_add_text(out, "}");
}

static void
add_line(struct buf *out, const struct conf *conf, enum conf_option option)
{
    const struct conf_row *row = &conf_rows[option];
    struct span value = conf_text(conf, option);

    buf_format(out, "%-28s = %.*s", row->name, (int)value.n, value.p);
    if (conf_is_set(conf, option))
        buf_format(out, "   # default: %s", row->usual);
    buf_format(out, "\n    %s\n", row->text);
}

static int
list(struct job *job, bool json)
{
    struct buf out = buf_new(LIST_BYTES_MAX);
    struct conf *conf = NULL;
    struct err err = {0};
    int rc = read_file(job, &conf, &err);

    for (int i = 0; rc == 0 && i < CONF_COUNT; i++)
        (json ? add_json : add_line)(&out, conf, (enum conf_option)i);
    if (rc == 0 && json)
        buf_add_text(&out, "\n]\n");
    if (rc == 0)
        rc = setup_print(&out, "the list", &err);
    buf_free(&out);
    conf_free(conf);
    if (rc != 0)
        return setup_fail(&err);
    return job->wrong > 0 ? EXIT_REJECTED : EXIT_DONE;
}

static int
usage(const char *what)
{
    (void)fprintf(stderr, "comity config: %s; `comity config --help` says more\n", what);
    return EXIT_USAGE;
}

/* What the words behind check or list say; NULL, or what is wrong with them. */
static const char *
take_words(int argc, char **argv, const char **home, const char **file, bool *json)
{
    struct err err;

    for (int i = 2; i < argc; i++) {
        int taken = setup_option(argc, argv, &i, "home", home, &err);
        if (taken < 0)
            return "--home needs a FOLDER";
        if (taken > 0)
            continue;
        if (strcmp(argv[i], "--json") == 0 && argv[1][0] == 'l')
            *json = true;
        else if (argv[i][0] == '-')
            return "there is no such option";
        else if (*file != NULL)
            return "one file only";
        else
            *file = argv[i];
    }
    return *file != NULL && strlen(*file) >= SETUP_PATH_BYTES ? "the file's path is too long"
                                                              : NULL;
}

int
cli_config(int argc, char **argv)
{
    static struct job job;
    bool json = false;
    const char *file = NULL;
    const char *home = NULL;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return fputs(help, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
    if (argc < 2 || (strcmp(argv[1], "check") != 0 && strcmp(argv[1], "list") != 0))
        return usage("check or list?");
    const char *wrong = take_words(argc, argv, &home, &file, &json);
    if (wrong != NULL)
        return usage(wrong);
    if (file == NULL)
        find_file(&job, home);
    else
        memcpy(job.path, file, strlen(file) + 1);
    return argv[1][0] == 'c' ? check(&job) : list(&job, json);
}
