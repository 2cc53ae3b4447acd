/* comity receipts: which deliveries have arrived, by whose word? */
#include "base/url.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/setup.h"
#include "sys/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    OUT_BYTES = 64 * 1024 * 1024,
    LIST_BYTES = 1024 * 1024 * 1024, /* of --out's receipts.jsonl */
    PATH_BYTES = 4096,
    PAGE = 1000,
    NEXT_BYTES = 64,
};

#define RECEIPTS "/api/v1/receipts"
#define URN "urn:uuid:"

struct receipts {
    struct node node;
    const char *batch; /* NULL: those that match */
    const char *team;
    const char *since;
    const char *out;
    bool open;
    bool note;
    struct buf list; /* for --out */
};

static const char usage[] =
    "usage: comity receipts [--team TEAM] [--since TIME] [--open] [--out FOLDER] [--json] "
    "[--home DIR]\n"
    "       comity receipts BATCH [--note] [--json] [--home DIR]\n\n"
    "What the running node delivered, newest first, and what the recipients' nodes said of it: a\n"
    "receipt is their signed word for which items came (doc/ledger-format.md). It is right, or it\n"
    "differs: then something else came than was delivered, and the delivery stays open.\n\n"
    "  BATCH                one of them, by the batch's id\n"
    "  --note               print its signed note alone, for `comity verify`\n"
    "  --team TEAM          what was delivered to that team\n"
    "  --since TIME         what was delivered at that time or later\n"
    "  --open               what still wants a receipt that is right\n"
    "  --out FOLDER         also write FOLDER/UUID.receipt, the note of each that has one, and\n"
    "                       FOLDER/receipts.jsonl, all that is listed: an auditor needs no more\n"
    "  --home DIR           the node's data folder (default: $COMITY_HOME, else where serve keeps "
    "it)\n"
    "  --json               one object a line, as the node answers\n";

/* ---- the command line ---- */

static int
take_option(struct receipts *r, int argc, char **argv, int *i, struct err *err)
{
    int rc = setup_option(argc, argv, i, "team", &r->team, err);

    if (rc == 0)
        rc = setup_option(argc, argv, i, "since", &r->since, err);
    if (rc == 0)
        rc = setup_option(argc, argv, i, "out", &r->out, err);
    if (rc == 0 && strcmp(argv[*i], "--open") == 0)
        rc = r->open = true;
    if (rc == 0 && strcmp(argv[*i], "--note") == 0)
        rc = r->note = true;
    if (rc == 0 && argv[*i][0] != '-' && r->batch == NULL) {
        r->batch = argv[*i];
        rc = 1;
    }
    return rc == 0 ? node_option(&r->node, argc, argv, i, err) : rc;
}

static int
parse(struct receipts *r, int argc, char **argv, struct err *err)
{
    int64_t since_us; /* the node reads it again */

    for (int i = 1; i < argc; i++) {
        int rc = take_option(r, argc, argv, &i, err);
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity receipts --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    if (r->batch != NULL && (r->team != NULL || r->since != NULL || r->open || r->out != NULL))
        return err_set(err, ERR_USAGE, "one batch is named: there is nothing to choose among");
    if (r->note && r->batch == NULL)
        return err_set(err, ERR_USAGE, "--note: name the batch; --out writes all notes");
    if (r->note && r->node.json)
        return err_set(err, ERR_USAGE, "--note and --json: one of them");
    return setup_time("since", r->since, &since_us, err);
}

/* ---- one line each ---- */

static void
add_row(struct buf *out, struct json_value item)
{
    node_column(out, node_text(item, "written_out"), 27);
    node_column(out, node_text(item, "team"), 28);
    buf_format(out, "%7llu ", (unsigned long long)node_number(item, "items"));
    node_column(out, node_text(item, "delivered"), 9);
    node_column(out, node_text(item, "state"), 9);
    node_column(out, node_text(item, "came").n > 0 ? node_text(item, "came") : SPAN("-"), 27);
    node_column(out, node_text(item, "batch"), 0);
    node_end_line(out);
}

static int
write_note(const struct receipts *r, struct json_value item, struct err *err)
{
    struct span batch = node_text(item, "batch");
    struct span note = node_text(item, "note");
    char path[PATH_BYTES];

    if (note.n == 0)
        return 0;
    if (span_starts(batch, SPAN(URN)))
        batch = (struct span){batch.p + sizeof URN - 1, batch.n - (sizeof URN - 1)};
    for (size_t i = 0; i < batch.n; i++) /* whatever the node says, it stays in the folder */
        if (batch.p[i] == '/')
            return err_set(err, ERR_BAD_NAME, "a batch has a name that is none");
    int n = snprintf(path, sizeof path, "%s/%.*s.receipt", r->out, SPAN_ARGS(batch));
    return n < 0 || (size_t)n >= sizeof path
        ? err_set(err, ERR_LIMIT, "the folder's path is too long")
        : file_write_atomic(path, &note, 1, 0644, err);
}

static int
tell(void *ctx, struct json_value item, struct buf *out, struct err *err)
{
    struct receipts *r = ctx;

    if (r->out != NULL) {
        node_json_line(&r->list, item);
        int rc = write_note(r, item, err);
        if (rc != 0)
            return rc;
    }
    if (r->node.json)
        node_json_line(out, item);
    else
        add_row(out, item);
    return 0;
}

/* ---- asking ---- */

static int
page(struct receipts *r, char next[NEXT_BYTES], struct err *err)
{
    struct buf path = buf_new(PATH_BYTES);

    buf_format(&path, RECEIPTS "?limit=%d", PAGE);
    node_parameter(&path, "team", r->team);
    node_parameter(&path, "since", r->since);
    node_parameter(&path, "open", r->open ? "true" : NULL);
    node_parameter(&path, "next", next);
    return node_page(&r->node, &path, tell, r, next, NEXT_BYTES, err);
}

static int
list(struct receipts *r, struct err *err)
{
    char path[PATH_BYTES];
    char next[NEXT_BYTES] = "";
    int rc = 0;

    if (r->out != NULL && mkdir(r->out, 0755) != 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "%s cannot be made: %s", r->out, strerror(errno));
    r->list = buf_new(LIST_BYTES);
    do
        rc = page(r, next, err);
    while (rc == 0 && next[0] != '\0');
    if (rc == 0 && r->out != NULL)
        rc = buf_check(&r->list, "the list of receipts", err);
    if (rc == 0 && r->out != NULL) {
        struct span text = buf_span(&r->list);
        int n = snprintf(path, sizeof path, "%s/receipts.jsonl", r->out);
        rc = n < 0 || (size_t)n >= sizeof path
            ? err_set(err, ERR_LIMIT, "the folder's path is too long")
            : file_write_atomic(path, &text, 1, 0644, err);
    }
    buf_free(&r->list);
    return rc;
}

/* ---- one ---- */

static void
add_line(struct buf *out, const char *name, struct span text)
{
    node_column(out, span_of(name), 14);
    node_column(out, text.n > 0 ? text : SPAN("-"), 0);
    node_end_line(out);
}

static void
add_one(struct buf *out, struct json_value root)
{
    static const char *const numbers[] = {"items", "failed", "stored", "duplicate", "rejected"};
    static const char *const texts[][2] = {{"batch", "batch"}, {"team", "team"},
        {"written out", "written_out"}, {"delivered", "delivered"}, {"receipt", "state"},
        {"came", "came"}, {"signed by", "signed_by"}};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        add_line(out, texts[i][0], node_text(root, texts[i][1]));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        node_column(out, span_of(numbers[i]), 14);
        buf_format(out, "%llu\n", (unsigned long long)node_number(root, numbers[i]));
    }
}

static int
one(struct receipts *r, struct err *err)
{
    struct buf path = buf_new(PATH_BYTES);
    struct buf out = buf_new(OUT_BYTES);
    struct json_value root;

    buf_add_text(&path, RECEIPTS "/");
    url_add(&path, span_of(r->batch));
    int rc = node_ask_built(&r->node, "GET", &path, SPAN(""), &root, err);
    if (rc == 0 && r->note && node_text(root, "note").n == 0)
        rc = err_set(err, ERR_NOT_FOUND, "no receipt has come for %s", r->batch);
    else if (rc == 0 && r->note)
        buf_add_span(&out, node_text(root, "note"));
    else if (rc == 0 && !r->node.json)
        add_one(&out, root);
    if (rc == 0)
        rc = r->node.json ? node_print_answer(&r->node, err) : setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

int
cli_receipts(int argc, char **argv)
{
    struct receipts r = {.batch = NULL};
    struct err err = {0};

    if (setup_asks_help(argc, argv)) {
        (void)fputs(usage, stdout);
        return EXIT_DONE;
    }
    int rc = parse(&r, argc, argv, &err);
    if (rc == 0)
        rc = node_open(&r.node, &err);
    if (rc == 0)
        rc = r.batch == NULL ? list(&r, &err) : one(&r, &err);
    node_close(&r.node);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
