/* comity recall: take a report back from all who got it, or put another in its place. */
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/reportid.h"
#include "cli/sending.h"
#include "cli/setup.h"

#include "base/url.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 8192, QUESTION_BYTES = 64 * 1024, OUT_BYTES = 1024 * 1024 };

struct recall {
    struct sending in; /* its node is asked, too */
    const char *id;
    const char *reason;
    const char *correct; /* a file; NULL: nothing takes its place */
    bool yes;
};

static const char usage[] =
    "usage: comity recall --reason TEXT [--correct FILE] [--yes] [--json] [--home DIR] "
    "REPORT-ID\n\n"
    "Take a report back: exactly those who got it are told, in their collections, as a later "
    "version\n"
    "of what they have that is revoked; what waits for a person, or was on its way, does not "
    "go.\n\n"
    "  REPORT-ID            as the node has it, or as other nodes know it\n"
    "  --reason TEXT        why; it is kept, and told to those who got the report\n"
    "  --correct FILE       one report in any format that is read: it goes its way as a new one, "
    "and\n"
    "                       those who get it are told that it takes the old one's place\n"
    "  --yes                do not ask whether that is meant\n" NODE_HELP;

static int
parse(struct recall *recall, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = setup_option(argc, argv, &i, "reason", &recall->reason, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "correct", &recall->correct, err);
        if (rc == 0)
            rc = node_option(&recall->in.node, argc, argv, &i, err);
        if (rc == 0 && strcmp(argv[i], "--yes") == 0) {
            recall->yes = true;
            rc = 1;
        }
        if (rc == 0 && argv[i][0] != '-' && recall->id == NULL) {
            recall->id = argv[i];
            rc = 1;
        }
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity recall --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    if (recall->id == NULL || !reportid_is(recall->id))
        return err_set(err, ERR_USAGE, "name the report by its id, a UUID");
    return recall->reason != NULL ? 0 : err_set(err, ERR_USAGE, "say why: --reason TEXT");
}

/* ---- is it meant? ---- */

/* Who was to get it. */
static void
put_recipients(struct buf *out, struct json_value report)
{
    struct json_iter outcomes = node_list(report, "outcomes");
    struct json_value outcome;
    struct span key;
    bool any = false;

    while (json_next(&outcomes, &key, &outcome)) {
        if (node_text(outcome, "team").n == 0
            || span_equal(node_text(outcome, "effect"), SPAN("withhold")))
            continue;
        buf_add_text(out, any ? ", " : "for ");
        any = true;
        node_column(out, node_text(outcome, "team"), 0);
        out->n--;
    }
    buf_add_text(out, any ? "" : "for nobody");
}

static int
ask_person(struct recall *recall, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);
    struct json_value root;
    char path[PATH_BYTES];
    char line[16] = "";

    if (recall->yes)
        return 0;
    if (isatty(STDIN_FILENO) != 1)
        return err_set(err, ERR_USAGE, "nobody can be asked here: say --yes if it is meant");
    (void)snprintf(path, sizeof path, "/api/v1/reports/%s", recall->id);
    int rc = node_ask(&recall->in.node, "GET", path, SPAN(""), &root, err);
    if (rc != 0)
        return rc;
    node_column(&out, node_text(root, "classification"), 0);
    node_column(&out, node_text_in(root, "source", "address"), 0);
    put_recipients(&out, root);
    buf_add_text(&out, recall->correct != NULL ? ": correct it? [y/N] " : ": recall it? [y/N] ");
    rc = setup_print(&out, "the question", err);
    buf_free(&out);
    (void)fflush(stdout);
    if (rc == 0 && (fgets(line, sizeof line, stdin) == NULL || (line[0] != 'y' && line[0] != 'Y')))
        return err_set(err, ERR_STOPPED, "nothing was recalled");
    return rc;
}

/* ---- doing it ---- */

static void
put_list(struct buf *out, struct json_value root, const char *name, const char *what)
{
    struct json_iter items = node_list(root, name);
    struct json_value item;
    struct span key;

    while (json_next(&items, &key, &item)) {
        if (json_type(item) == JSON_STRING)
            node_column(out, json_string(item), 0);
        else
            buf_format(out, "held item %lld ", (long long)json_int(item));
        buf_add_text(out, what);
        buf_add_char(out, '\n');
    }
}

static int
show(struct recall *recall, struct json_value root, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);

    if (recall->in.node.json)
        return node_print_answer(&recall->in.node, err);
    put_list(&out, root, "told", "had it, and is told");
    put_list(&out, root, "dropped", "had not got it, and does not");
    put_list(&out, root, "refused", "was refused");
    if (out.n == 0)
        buf_add_text(&out, "nobody had it\n");
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

static int
take_back(struct recall *recall, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    struct json_value root;
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof path, "/api/v1/reports/%s/recall", recall->id);
    buf_add_text(&question, "{\"reason\":");
    json_add_string(&question, span_of(recall->reason));
    buf_add_char(&question, '}');
    int rc = buf_check(&question, "the question", err);
    if (rc == 0)
        rc = node_ask(&recall->in.node, "POST", path, buf_span(&question), &root, err);
    buf_free(&question);
    return rc == 0 ? show(recall, root, err) : rc;
}

/* The first of what was wrong with it. */
static int
not_taken(const char *file, struct json_value root, struct err *err)
{
    struct json_iter rejections = node_list(root, "rejections");
    struct json_value rejection;
    struct span key;

    if (!json_next(&rejections, &key, &rejection))
        return err_set(err, ERR_BAD_VALUE,
            "nothing was corrected: %s holds no report that is not here already", file);
    struct span field = node_text(rejection, "field");
    return err_set(err, ERR_BAD_VALUE, "nothing was corrected: %s:%llu: %.*s%s%.*s", file,
        (unsigned long long)node_number(rejection, "line"), SPAN_ARGS(field),
        field.n > 0 ? ": " : "", SPAN_ARGS(span_trim(node_text(rejection, "reason"))));
}

static int
send_correction(struct recall *recall, struct json_value *root, struct err *err)
{
    int rc = sending_file(&recall->in, recall->correct, root, err);

    if (rc == 0 && node_number(*root, "stored") != 1)
        return not_taken(recall->correct, *root, err);
    if (rc == 0 || !recall->in.unread)
        return rc;
    const struct err why = *err;
    return err_set(err, why.code, "%s %s", recall->correct, why.msg);
}

static int
correct(struct recall *recall, struct err *err)
{
    struct json_value root;
    struct json_value recalled;
    char path[PATH_BYTES];
    int rc = send_correction(recall, &root, err);

    (void)snprintf(path, sizeof path, "/api/v1/reports/%s", recall->id);
    if (rc == 0)
        rc = node_ask(&recall->in.node, "GET", path, SPAN(""), &root, err);
    if (rc != 0 || recall->in.node.json)
        return rc != 0 ? rc : node_print_answer(&recall->in.node, err);
    struct span new = json_get(root, "recalled", &recalled) && json_type(recalled) == JSON_OBJECT
        ? node_text(recalled, "corrected_by")
        : SPAN("");
    struct buf out = buf_new(OUT_BYTES);
    node_column(&out, new, 0);
    buf_add_text(&out, "takes its place\n");
    rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

static int
prepare(struct recall *recall, char path[PATH_BYTES], struct err *err)
{
    struct buf reason = buf_new(PATH_BYTES);
    int rc = sending_prepare(&recall->in, err);

    url_add(&reason, span_of(recall->reason));
    if (rc == 0)
        rc = buf_check(&reason, "the reason", err);
    (void)snprintf(path, PATH_BYTES, "/api/v1/reports/%s/correction?reason=%.*s", recall->id,
        (int)reason.n, reason.p);
    recall->in.path = path;
    buf_free(&reason);
    return rc;
}

int
cli_recall(int argc, char **argv)
{
    struct recall recall = {0};
    struct err err = {0};
    char path[PATH_BYTES];

    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        (void)fputs(usage, argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    int rc = parse(&recall, argc, argv, &err);
    if (rc == 0)
        rc = prepare(&recall, path, &err);
    if (rc == 0)
        rc = node_open(&recall.in.node, &err);
    if (rc == 0)
        rc = ask_person(&recall, &err);
    if (rc == 0)
        rc = recall.correct != NULL ? correct(&recall, &err) : take_back(&recall, &err);
    sending_free(&recall.in);
    return rc != 0 ? setup_fail(&err) : EXIT_DONE;
}
