/* comity convert: read reports in any format and write them in one, whole and unredacted. */
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/outputs.h"
#include "cli/setup.h"
#include "cli/walls.h"
#include "fmt/format.h"
#include "fmt/json.h"
#include "fmt/render.h"
#include "sys/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENA_BYTES = 64 * 1024 * 1024 };

struct convert {
    enum format from;
    struct reader_options reader;
    char share_dir[SETUP_PATH_BYTES];
    const char *out_path; /* NULL: standard output */
    const char *rejects_path;
    struct output out;
    struct output rejects; /* used if there is a path */
    bool sandbox;
    const char *file; /* being read */
    uint64_t reports;
    uint64_t rejections;
    uint64_t failed_files;
};

static const char help[] =
    "usage: comity convert [OPTIONS] --to idf FILE|FOLDER|-...\n\n"
    "Read reports and write each as one line of the IntelMQ data format (IDF), in the order of the "
    "input.\n"
    "Nothing is decided, redacted or sent: the result is for your own eyes. What partners get, and "
    "STIX with\n"
    "it, is what `comity route` makes.\n\n"
    "  --from FORMAT        idf, shadowserver, stix or csv (default: by content)\n"
    "  --to idf             the only form there is\n"
    "  --report-type TYPE   Shadowserver: the report's type when the file's name does not tell\n"
    "  --mapping FILE       csv: what the columns mean (doc/formats.md)\n"
    "  --provider NAME      who provides the reports that do not say\n"
    "  -o, --output FILE    write there instead of to standard output, once all is complete\n"
    "  --rejects FILE       rejected records as JSON lines\n"
    "  --no-sandbox         work even where the kernel has no sandbox\n\n"
    "Rejected records are told on standard error as FILE:LINE: FIELD: REASON, files that cannot be "
    "read\n"
    "to their end as FILE: ERROR: REASON; the exit status is then 1, or 3 if nothing could be "
    "read.\n";

static int
on_report(void *ctx, const struct report *report, struct err *err)
{
    struct convert *convert = ctx;

    render_idf(&convert->out.spool.buf, report);
    convert->reports++;
    return spool_flush_if_large(&convert->out.spool, err);
}

static void
add_member(struct buf *out, const char *key, struct span text)
{
    buf_format(out, ",\"%s\":", key);
    json_add_string(out, text);
}

/* Bytes that are no text cannot stand in JSON: they are left out, the line says where they are. */
static int
on_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    struct convert *convert = ctx;
    struct buf *out = &convert->rejects.spool.buf;

    convert->rejections++;
    (void)fprintf(stderr, "%s:%llu: %s%s%s\n", convert->file, (unsigned long long)why->line,
        why->field, why->field[0] == '\0' ? "" : ": ", why->msg);
    if (convert->rejects_path == NULL)
        return 0;
    buf_format(out, "{\"line\":%llu", (unsigned long long)why->line);
    add_member(out, "file", span_of(convert->file));
    add_member(out, "field", span_of(why->field));
    add_member(out, "error", span_of(err_word(why->code)));
    add_member(out, "reason", span_of(why->msg));
    if (record.n > 0 && span_is_utf8(record))
        add_member(out, "record", record);
    buf_add(out, "}\n", 2);
    return spool_flush_if_large(&convert->rejects.spool, err);
}

/* A file that cannot go on is told and counted, and the next is read; only our own faults stop. */
static int
file_failed(struct convert *convert, const struct err *why, struct err *err)
{
    if (!err_is_senders(why->code) && why->code != ERR_NOT_FOUND) {
        *err = *why;
        return why->code;
    }
    convert->failed_files++;
    (void)fprintf(stderr, "comity: %s: %s: %s\n", convert->file, err_word(why->code), why->msg);
    return 0;
}

static int
convert_file(struct convert *convert, const char *path, struct err *err)
{
    struct reader_sink sink = {.ctx = convert, .report = on_report, .reject = on_reject};
    struct input *input = NULL;
    struct err why = {0};
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int rc;

    convert->file = path;
    if (fd < 0 && errno == EINTR && stop_asked())
        return err_set(err, ERR_STOPPED, "interrupted before %s could be opened", path);
    if (fd < 0) {
        (void)err_set(&why, ERR_NOT_FOUND, "it cannot be opened: %s", strerror(errno));
        return file_failed(convert, &why, err);
    }
    rc = input_open_fd(fd, standard ? "standard input" : path, &input, &why);
    if (rc == 0)
        rc = format_read(input, convert->from, &convert->reader, &sink, &why);
    input_close(input);
    if (!standard)
        (void)close(fd);
    return rc == 0 ? 0 : file_failed(convert, &why, err);
}

static int
set_format(struct convert *convert, const char *word, struct err *err)
{
    convert->from = format_find(span_of(word));
    return convert->from != FORMAT_UNKNOWN
        ? 0
        : err_set(
            err, ERR_USAGE, "--from \"%s\" is no format; idf, shadowserver, stix or csv is", word);
}

static int
check_to(const char *word, struct err *err)
{
    if (strcmp(word, "idf") == 0)
        return 0;
    if (strcmp(word, "stix") == 0)
        return err_set(err, ERR_USAGE,
            "STIX is made of redacted reports only, so that nothing else can leave in it: use "
            "`comity route "
            "--out DIR --out-format stix`");
    return err_set(err, ERR_USAGE, "--to \"%s\" cannot be written; idf can", word);
}

/* 1: an option was taken; 0: a file; or an error. */
static int
take_option(struct convert *convert, int argc, char **argv, int *i, struct err *err)
{
    const char *value = NULL;
    static const char *const names[] = {
        "from", "to", "report-type", "mapping", "provider", "output", "rejects"};
    const char **places[] = {NULL, NULL, &convert->reader.report_type,
        &convert->reader.mapping_path, &convert->reader.provider, &convert->out_path,
        &convert->rejects_path};

    if (strcmp(argv[*i], "-o") == 0 && *i + 1 < argc) {
        convert->out_path = argv[++*i];
        return 1;
    }
    if (strcmp(argv[*i], "--no-sandbox") == 0) {
        convert->sandbox = false;
        return 1;
    }
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        int rc = setup_option(argc, argv, i, names[k], &value, err);
        if (rc == 0)
            continue;
        if (rc < 0)
            return rc;
        if (k == 0)
            rc = set_format(convert, value, err);
        else if (k == 1)
            rc = check_to(value, err);
        else
            *places[k] = value;
        return rc < 0 ? rc : 1;
    }
    if (argv[*i][0] == '-' && argv[*i][1] != '\0')
        return err_set(
            err, ERR_USAGE, "no option \"%s\"; `comity convert --help` lists them", argv[*i]);
    return 0;
}

/* Nothing that is read may be what is written. */
static int
spare_inputs(const struct convert *convert, const char *const *files, size_t count, struct err *err)
{
    const char *outs[] = {
        convert->out_path == NULL ? "/proc/self/fd/1" : convert->out_path, convert->rejects_path};
    static const char *const options[] = {"--output", "--rejects"};
    int rc = 0;

    for (size_t i = 0; i < sizeof outs / sizeof outs[0]; i++) {
        if (outs[i] == NULL)
            continue;
        rc = outputs_spare_file(outs[i], options[i], files, count, err);
        if (rc == 0)
            rc = outputs_spare_file(
                outs[i], options[i], (const char *const[]){convert->reader.mapping_path}, 1, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int
open_all(struct convert *convert, const char *const *files, size_t count, struct err *err)
{
    int rc = spare_inputs(convert, files, count, err);

    if (rc == 0)
        rc = setup_share_dir(convert->share_dir, err);
    convert->reader.share_dir = convert->share_dir;
    if (rc == 0 && convert->rejects_path != NULL)
        rc = output_open(&convert->rejects, convert->rejects_path, "--rejects", err);
    if (rc == 0 && convert->out_path != NULL)
        rc = output_open(&convert->out, convert->out_path, "--output", err);
    if (rc == 0 && convert->out_path != NULL && convert->rejects_path != NULL
        && output_same(&convert->out, &convert->rejects))
        rc = err_set(err, ERR_USAGE, "--output and --rejects are one file; name two");
    const char *folders[2];
    size_t folder_count = 0;
    if (convert->out.folder[0] != '\0')
        folders[folder_count++] = convert->out.folder;
    if (convert->rejects.folder[0] != '\0')
        folders[folder_count++] = convert->rejects.folder;
    struct walls walls = {.wanted = convert->sandbox,
        .files = files,
        .file_count = count,
        .share_dir = convert->share_dir,
        .mapping_path = convert->reader.mapping_path,
        .write = folders,
        .write_count = folder_count};
    return rc == 0 ? walls_enter(&walls, err) : rc;
}

/* Both are on disk before either has its name. */
static int
publish(struct convert *convert, struct err *err)
{
    int rc = spool_settle(&convert->out.spool, err);

    if (rc == 0 && convert->rejects_path != NULL)
        rc = output_publish(&convert->rejects, err);
    return rc == 0 ? output_publish(&convert->out, err) : rc;
}

/* What was read stands on standard output; a file is whole or not there. */
static int
give_up(struct convert *convert, int rc)
{
    struct err why;

    if (convert->out_path == NULL && spool_settle(&convert->out.spool, &why) != 0)
        (void)setup_fail(&why);
    return rc;
}

static int
run(struct convert *convert, struct arena *arena, char **arguments, size_t count, struct err *err)
{
    const char **files = NULL;
    size_t file_count = 0;
    uint64_t bytes;
    int rc = files_expand(
        arena, (const char *const *)arguments, count, &files, &file_count, &bytes, err);

    if (rc == 0)
        rc = open_all(convert, files, file_count, err);
    stop_listen();
    for (size_t i = 0; rc == 0 && i < file_count; i++)
        rc = convert_file(convert, files[i], err);
    if (rc == 0 && convert->failed_files > 0 && convert->failed_files == file_count
        && convert->reports + convert->rejections == 0)
        return err_set(err, ERR_NOT_FOUND, "nothing could be read, so nothing was done");
    return rc == 0 ? publish(convert, err) : give_up(convert, rc);
}

static int
finish(const struct convert *convert, int rc, const struct err *err)
{
    if (rc != 0) {
        (void)setup_fail(err);
        if (convert->file != NULL && err->line == 0 && rc != ERR_NOT_FOUND)
            (void)fprintf(stderr, "comity: stopped at %s%s%s\n", convert->file,
                convert->out_path == NULL ? "" : "; nothing was written to ",
                convert->out_path == NULL ? "" : convert->out_path);
        return rc == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    }
    if (convert->rejections > 0)
        (void)fprintf(stderr, "comity: %llu records converted, %llu rejected\n",
            (unsigned long long)convert->reports, (unsigned long long)convert->rejections);
    return convert->rejections > 0 || convert->failed_files > 0 ? EXIT_REJECTED : EXIT_DONE;
}

int
cli_convert(int argc, char **argv)
{
    struct convert convert = {.sandbox = true, .out.fd = -1, .rejects.fd = -1};
    struct err err = {0};
    int count = 0;
    int rc = 0;

    for (int i = 1; rc >= 0 && i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        rc = take_option(&convert, argc, argv, &i, &err);
        if (rc == 0)
            argv[count++] = argv[i];
    }
    if (rc >= 0 && count == 0)
        rc = err_set(&err, ERR_USAGE, "no file is named; - is standard input");
    output_to(&convert.out, STDOUT_FILENO, "standard output");
    struct arena *arena = arena_new(ARENA_BYTES);
    if (rc >= 0)
        rc = arena == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory to begin")
                           : run(&convert, arena, argv, (size_t)count, &err);
    int status = finish(&convert, rc, &err);
    arena_free(arena);
    output_close(&convert.out);
    output_close(&convert.rejects);
    return status;
}
