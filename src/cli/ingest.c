/* comity ingest: hand reports to the running node. */
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/job.h"
#include "cli/node.h"
#include "cli/sending.h"
#include "cli/setup.h"
#include "cli/shown.h"
#include "sys/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ARENA_BYTES = 64 * 1024 * 1024,
    PATH_BYTES = 256 * 1024,
    SHOWN_FAILURES = 20,
    REJECTION_COLUMNS = 4096
};

static const char usage[] =
    "usage: comity ingest [OPTIONS] FILE|FOLDER|- ...\n\n"
    "Hand reports to the running node, in any format that is read; gzip and zstd pass as they "
    "are.\n"
    "Returns when all of it is durable. When the node is behind, it waits. Sending a file again "
    "is\n"
    "safe: what is there already counts as a duplicate.\n\n"
    "  --format FORMAT      idf, shadowserver, stix or csv (default: by content)\n"
    "  --provider NAME      for reports that name none\n"
    "  --mapping FILE       what the columns of a generic CSV mean\n"
    "  --name NAME          the file's name, where a Shadowserver report is told by it (for -)\n"
    "  --quiet              no progress\n" NODE_HELP
    "\nExit status 1 when records were rejected or files failed, 3 when the node could not be "
    "asked.\n";

static int
take_option(struct sending *in, int argc, char **argv, int *i, struct err *err)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {{"provider", &in->provider}, {"mapping", &in->mapping}, {"name", &in->name}};
    const char *format;
    int rc = setup_option(argc, argv, i, "format", &format, err);

    if (rc > 0 && job_format(format, &in->format, err) != 0)
        rc = ERR_USAGE;
    for (size_t k = 0; rc == 0 && k < sizeof options / sizeof options[0]; k++)
        rc = setup_option(argc, argv, i, options[k].name, options[k].value, err);
    if (rc == 0 && strcmp(argv[*i], "--quiet") == 0) {
        in->progress = false;
        rc = 1;
    }
    return rc == 0 ? node_option(&in->node, argc, argv, i, err) : rc;
}

static int
parse(struct sending *in, int argc, char **argv, const char **files, size_t *count, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = take_option(in, argc, argv, &i, err);
        if (rc == 0 && (argv[i][0] != '-' || argv[i][1] == '\0')) {
            files[(*count)++] = argv[i];
            rc = 1;
        }
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity ingest --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    return *count > 0 ? 0 : err_set(err, ERR_USAGE, "name a FILE, a FOLDER or -");
}

/* ---- the counts ---- */

static void
add_totals(struct sending *in, struct json_value root)
{
#define ADD(name) in->totals.name += node_number(root, #name);
    TOTALS_EACH(ADD)
#undef ADD
}

static void
show_rejections(struct json_value root, const char *file)
{
    struct json_iter it = node_list(root, "rejections");
    struct json_value item;
    struct span key;

    while (json_next(&it, &key, &item)) {
        struct buf text = buf_new(8192);
        struct span field = node_text(item, "field");
        shown_add(&text, field, REJECTION_COLUMNS);
        buf_add_text(&text, field.n > 0 ? ": " : "");
        shown_add(&text, span_trim(node_text(item, "reason")), REJECTION_COLUMNS);
        (void)fprintf(stderr, "comity: %s:%llu: %.*s\n", file,
            (unsigned long long)node_number(item, "line"), (int)text.n, text.p);
        buf_free(&text);
    }
}

static int
print_totals(const struct sending *in, struct err *err)
{
    const struct totals *t = &in->totals;
    struct buf out = buf_new(4096);

#define N(name) (unsigned long long)t->name
    if (in->node.json)
        buf_format(&out,
            "{\"files\":%zu,\"failed_files\":%zu,\"received\":%llu,\"stored\":%llu,\"rejected\":%"
            "llu,\"duplicate\":%llu,\"outcomes\":%llu,\"released\":%llu,\"held\":%llu,"
            "\"withheld\":%llu,\"unattributed\":%llu}\n",
            in->files, in->failed, N(received), N(stored), N(rejected), N(duplicate), N(outcomes),
            N(released), N(held), N(withheld), N(unattributed));
    else
        buf_format(&out,
            "received %llu = stored %llu + rejected %llu + duplicate %llu\n"
            "outcomes %llu = released %llu + held %llu + withheld %llu + unattributed %llu\n",
            N(received), N(stored), N(rejected), N(duplicate), N(outcomes), N(released), N(held),
            N(withheld), N(unattributed));
#undef N
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

/* ---- files ---- */

/* A file that cannot be read or is refused does not stop the others; a node that is gone does. */
static int
one_file(struct sending *in, const char *file, struct err *err)
{
    struct json_value root;
    int rc = sending_file(in, file, &root, err);

    in->files++;
    if (rc == 0) {
        add_totals(in, root);
        show_rejections(root, file);
        return 0;
    }
    if (rc == ERR_STOPPED || in->node_gone)
        return rc;
    if (in->failed++ < SHOWN_FAILURES)
        (void)fprintf(stderr, "comity: %s: %s%s%s\n", file, err->field,
            err->field[0] == '\0' ? "" : ": ", err->msg);
    return 0;
}

static int
run(struct sending *in, struct arena *arena, const char *const *arguments, size_t count,
    struct err *err)
{
    const char **files;
    size_t n;
    int rc = files_expand(arena, arguments, count, &files, &n, &in->bytes_total, err);

    if (rc == 0)
        rc = node_open(&in->node, err);
    if (rc == 0)
        rc = sending_prepare(in, err);
    stop_listen();
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = one_file(in, files[i], err);
    if (in->progress)
        (void)fputs("\r\033[K", stderr);
    if (in->node.client == NULL)
        return rc;
    struct err ignored;
    int printed = print_totals(in, rc == 0 ? err : &ignored);
    return rc != 0 ? rc : printed;
}

int
cli_ingest(int argc, char **argv)
{
    struct sending in = {.progress = isatty(STDERR_FILENO) == 1};
    struct err err = {0};
    const char **files = calloc((size_t)argc, sizeof *files);
    struct arena *arena = arena_new(ARENA_BYTES);
    size_t count = 0;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(usage, stdout);
        arena_free(arena);
        free(files);
        return EXIT_DONE;
    }
    int rc = files == NULL || arena == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory")
                                            : parse(&in, argc, argv, files, &count, &err);
    if (rc == 0)
        rc = run(&in, arena, files, count, &err);
    sending_free(&in);
    arena_free(arena);
    free(files);
    if (rc != 0)
        return setup_fail(&err);
    return in.totals.rejected > 0 || in.failed > 0 ? EXIT_REJECTED : EXIT_DONE;
}
