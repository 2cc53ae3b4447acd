/* comity log: what do the running node's processes say? */
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OUT_BYTES = 64 * 1024 * 1024, PATH_BYTES = 4096, LINES_MAX = 1000 };

struct log_asked {
    struct node node;
    const char *level;
    const char *role;
    const char *text;
    const char *lines;
    bool follow;
    uint64_t newest; /* line that was printed */
};

static const char usage[] =
    "usage: comity log [--level LEVEL] [--role ROLE] [--text TEXT] [--lines N] [--follow] [--json] "
    "[--home DIR]\n\n"
    "The newest lines of the running node's log, all processes together, oldest first. The node "
    "keeps so\n"
    "many as fit into 64 KiB for each process, and as much again of warnings and errors; standard "
    "error\n"
    "(journalctl -u comity) has all of them.\n\n"
    "  --level LEVEL        debug, info, warning or error: lines of it and graver ones\n"
    "  --role ROLE          one process: parent, core, courier, mailer, 'front local',\n"
    "                       'front operators', 'front partners'\n"
    "  --text TEXT          lines with this in them; small and capital letters are the same\n"
    "  --lines N            the newest N, 1 to 1000 (default: 100)\n"
    "  --follow             go on, as lines come, until it is interrupted\n"
    "  --home DIR           the node's data folder (default: $COMITY_HOME, else where serve keeps "
    "it)\n"
    "  --json               one object a line, as the node answers\n";

static int
take_option(struct log_asked *l, int argc, char **argv, int *i, struct err *err)
{
    const struct setup_valued known[] = {{"level", 0, &l->level}, {"role", 0, &l->role},
        {"text", 0, &l->text}, {"lines", 0, &l->lines}};
    int rc = setup_valued(argc, argv, i, 0, known, sizeof known / sizeof known[0], err);

    if (rc == 0 && strcmp(argv[*i], "--follow") == 0)
        rc = l->follow = true;
    return rc == 0 ? node_option(&l->node, argc, argv, i, err) : rc;
}

static int
parse(struct log_asked *l, int argc, char **argv, struct err *err)
{
    uint64_t lines = 0;

    for (int i = 1; i < argc; i++) {
        int rc = take_option(l, argc, argv, &i, err);
        if (rc == 0)
            return err_set(err, ERR_USAGE, "no option %s; `comity log --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    if (l->lines == NULL)
        l->lines = "100";
    if (!span_u64(span_of(l->lines), &lines) || lines < 1 || lines > LINES_MAX)
        return err_set(
            err, ERR_USAGE, "--lines %s: it is a number from 1 to %d", l->lines, (int)LINES_MAX);
    return 0;
}

static int
ask(struct log_asked *l, struct json_value *root, struct err *err)
{
    struct buf path = buf_new(PATH_BYTES);

    buf_format(&path, "/api/v1/log?limit=%s", l->lines);
    if (l->newest > 0)
        buf_format(&path, "&after=%llu", (unsigned long long)l->newest);
    node_parameter(&path, "level", l->level);
    node_parameter(&path, "role", l->role);
    node_parameter(&path, "text", l->text);
    return node_ask_built(&l->node, "GET", &path, SPAN(""), root, err);
}

/* ---- lines, which come newest first, printed oldest first ---- */

static void
add_line(const struct log_asked *l, struct json_value item, struct buf *out)
{
    if (l->node.json) {
        node_json_line(out, item);
        return;
    }
    node_column(out, node_text(item, "time"), 27);
    node_column(out, node_text(item, "level"), 7);
    node_column(out, node_text(item, "role"), 15);
    node_column(out, node_text(item, "event"), 0);
    node_column(out, node_text(item, "text"), 0);
    node_end_line(out);
}

static int
print_backwards(struct buf *lines, size_t *ends, size_t count, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);

    for (size_t i = count; i-- > 0;) {
        size_t from = i == 0 ? 0 : ends[i - 1];
        buf_add(&out, lines->p + from, ends[i] - from);
    }
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

/* The newest lines behind those that were printed; what came faster than it is asked for is left
 * to the log itself. */
static int
page(struct log_asked *l, struct err *err)
{
    struct buf lines = buf_new(OUT_BYTES);
    size_t ends[LINES_MAX];
    size_t count = 0;
    uint64_t newest = l->newest;
    struct json_value root;
    struct json_value item;
    struct span key;
    int rc = ask(l, &root, err);

    for (struct json_iter it = rc == 0 ? node_list(root, "items") : (struct json_iter){0};
         rc == 0 && count < LINES_MAX && json_next(&it, &key, &item);) {
        newest = count == 0 ? node_number(item, "number") : newest;
        add_line(l, item, &lines);
        ends[count++] = lines.n;
    }
    l->newest = newest;
    if (rc == 0)
        rc = buf_check(&lines, "the log", err);
    if (rc == 0)
        rc = print_backwards(&lines, ends, count, err);
    buf_free(&lines);
    return rc;
}

static int
follow(struct log_asked *l, struct err *err)
{
    const struct timespec second = {.tv_sec = 1};
    int rc = 0;

    l->lines = "1000";
    while (rc == 0) {
        if (fflush(stdout) != 0)
            return err_set(err, ERR_IO, "nobody reads any more");
        (void)nanosleep(&second, NULL);
        rc = page(l, err);
    }
    return rc;
}

int
cli_log(int argc, char **argv)
{
    struct log_asked l = {.level = NULL};
    struct err err = {0};

    if (setup_asks_help(argc, argv)) {
        (void)fputs(usage, stdout);
        return EXIT_DONE;
    }
    int rc = parse(&l, argc, argv, &err);
    if (rc == 0)
        rc = node_open(&l.node, &err);
    if (rc == 0)
        rc = page(&l, &err);
    if (rc == 0 && l.follow)
        rc = follow(&l, &err);
    node_close(&l.node);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
