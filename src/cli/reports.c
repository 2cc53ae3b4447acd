/* comity reports: which reports are stored here, and under which ids? */
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/setup.h"

#include <stdio.h>
#include <string.h>

enum {
    PATH_BYTES = 16 * 1024,
    PAGE = 1000,
    NEXT_BYTES = 256,
    LIMIT_DEFAULT = 100,
    LIMIT_MOST = 1000000,
};

/* What the node is asked for; the names are those of inputs.def. */
enum { SINCE, UNTIL, FILTERS = 12 };
static const char *const filters[FILTERS] = {[SINCE] = "since",
    [UNTIL] = "until",
    "address",
    "name",
    "asn",
    "economy",
    "classification",
    "provider",
    "sender",
    "team",
    "effect",
    "delivery"};

struct reports {
    struct node node;
    const char *values[FILTERS];
    bool unattributed;
    const char *limit;
    const char *from; /* --next */
    uint64_t left;    /* of the limit */
    char next[NEXT_BYTES];
};

static const char usage[] =
    "usage: comity reports [FILTER]... [--limit N] [--next NEXT] [--json] [--home DIR]\n\n"
    "Reports that the running node has stored, newest first: id, when it came, classification,\n"
    "source, and for each recipient the team and what was decided. The id is what `comity "
    "recall`,\n"
    "`explain`, `feedback` and `ledger prove` want. Filters are joined by and.\n\n"
    "  --address ADDRESS    of source or destination; a prefix finds all inside\n"
    "  --name NAME          a domain name, and all names below it\n"
    "  --asn ASN            the network of source or destination\n"
    "  --economy CC         the economy that answers for source or destination\n"
    "  --classification TYPE\n"
    "                       the report's classification, as infected-system\n"
    "  --provider NAME      who reported it\n"
    "  --sender TEAM        the team that gave it\n"
    "  --team TEAM          the team that it is for\n"
    "  --effect EFFECT      what was decided: release, hold or withhold; for --team, if that is\n"
    "                       given too\n"
    "  --unattributed       only what nobody answers for\n"
    "  --delivery BATCH     what one delivery brought (comity receipts)\n"
    "  --since TIME         what came at that time or later\n"
    "  --until TIME         what came before that time\n"
    "  --limit N            at most so many, 1 to 1000000 (default: 100)\n"
    "  --next NEXT          go on where it ended the last time, with the same filters; when there "
    "may\n"
    "                       be more, the word stands in the last line on standard error\n"
    "  --home DIR           the node's data folder (default: $COMITY_HOME, else where serve keeps "
    "it)\n"
    "  --json               one object a line, as the node answers; when there may be more, a "
    "last\n"
    "                       one with `next` alone\n";

/* ---- the command line ---- */

static int
take_option(struct reports *r, int argc, char **argv, int *i, struct err *err)
{
    int rc = 0;

    for (size_t f = 0; rc == 0 && f < FILTERS; f++)
        rc = setup_option(argc, argv, i, filters[f], &r->values[f], err);
    if (rc == 0)
        rc = setup_option(argc, argv, i, "limit", &r->limit, err);
    if (rc == 0)
        rc = setup_option(argc, argv, i, "next", &r->from, err);
    if (rc == 0 && strcmp(argv[*i], "--unattributed") == 0)
        rc = r->unattributed = true;
    return rc == 0 ? node_option(&r->node, argc, argv, i, err) : rc;
}

/* The node checks the rest, and names what is wrong. An empty filter would find everything. */
static int
check(struct reports *r, struct err *err)
{
    int64_t time_us; /* the node reads it again */

    for (size_t f = 0; f < FILTERS; f++)
        if (r->values[f] != NULL && r->values[f][0] == '\0')
            return err_set(err, ERR_USAGE, "--%s: it is empty", filters[f]);
    if (r->from != NULL
        && (r->from[0] == '\0'
            || snprintf(r->next, sizeof r->next, "%s", r->from) >= (int)sizeof r->next))
        return err_set(err, ERR_USAGE, "--next: it is what an earlier answer said");
    r->left = LIMIT_DEFAULT;
    if (r->limit != NULL
        && (!span_u64(span_of(r->limit), &r->left) || r->left < 1 || r->left > LIMIT_MOST))
        return err_set(
            err, ERR_USAGE, "--limit %s: it is a number from 1 to %d", r->limit, (int)LIMIT_MOST);
    int rc = setup_time("since", r->values[SINCE], &time_us, err);
    return rc == 0 ? setup_time("until", r->values[UNTIL], &time_us, err) : rc;
}

static int
parse(struct reports *r, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = take_option(r, argc, argv, &i, err);
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity reports --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    return check(r, err);
}

/* ---- one line each ---- */

static void
add_source(struct buf *out, struct json_value item)
{
    struct span where = node_text_in(item, "source", "address");

    if (where.n == 0)
        where = node_text_in(item, "source", "name");
    node_column(out, where.n > 0 ? where : SPAN("-"), 24);
}

static void
add_outcomes(struct buf *out, struct json_value item)
{
    struct json_iter outcomes = node_list(item, "outcomes");
    struct json_value outcome;
    struct span key;
    bool any = false;

    while (json_next(&outcomes, &key, &outcome)) {
        struct span team = node_text(outcome, "team");
        if (any)
            buf_add_text(out, "| ");
        any = true;
        node_column(out, team.n > 0 ? team : SPAN("nobody"), 0);
        node_column(out, node_text(outcome, "effect"), 0);
    }
    if (!any)
        buf_add_text(out, "nobody ");
}

static void
add_row(struct buf *out, struct json_value item)
{
    struct json_value recalled;

    node_column(out, node_text(item, "id"), 36);
    node_column(out, node_text(item, "received"), 27);
    struct span class = node_text(item, "classification");
    node_column(out, class.n > 0 ? class : SPAN("unknown"), 20);
    add_source(out, item);
    add_outcomes(out, item);
    if (json_get(item, "recalled", &recalled) && json_type(recalled) == JSON_OBJECT)
        buf_add_text(out, "| recalled ");
    node_end_line(out);
}

static int
add_item(void *ctx, struct json_value item, struct buf *out, struct err *err)
{
    struct reports *r = ctx;

    (void)err;
    if (r->left == 0)
        return 0;
    r->left--;
    if (r->node.json)
        node_json_line(out, item);
    else
        add_row(out, item);
    return 0;
}

/* ---- asking ---- */

/* A node that has looked for long answers with what it found, be it nothing, and where to go on. */
static int
page(struct reports *r, struct err *err)
{
    struct buf path = buf_new(PATH_BYTES);

    buf_format(&path, "/api/v1/reports?limit=%d", r->left < PAGE ? (int)r->left : (int)PAGE);
    for (size_t f = 0; f < FILTERS; f++)
        node_parameter(&path, filters[f], r->values[f]);
    node_parameter(&path, "unattributed", r->unattributed ? "true" : NULL);
    node_parameter(&path, "next", r->next);
    return node_page(&r->node, &path, add_item, r, r->next, sizeof r->next, err);
}

/* Where to go on: on standard error for people, in the answer for programs. */
static int
tell_next(const struct reports *r, struct err *err)
{
    struct buf out = buf_new(PATH_BYTES);

    if (!r->node.json) {
        (void)fprintf(stderr, "comity: there may be more: --next %s\n", r->next);
        return 0;
    }
    buf_add_text(&out, "{\"next\":");
    json_add_string(&out, span_of(r->next));
    buf_add_text(&out, "}\n");
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

static int
list(struct reports *r, struct err *err)
{
    int rc = 0;

    do
        rc = page(r, err);
    while (rc == 0 && r->left > 0 && r->next[0] != '\0');
    return rc == 0 && r->next[0] != '\0' ? tell_next(r, err) : rc;
}

int
cli_reports(int argc, char **argv)
{
    struct reports r = {.limit = NULL};
    struct err err = {0};

    if (setup_asks_help(argc, argv)) {
        (void)fputs(usage, stdout);
        return EXIT_DONE;
    }
    int rc = parse(&r, argc, argv, &err);
    if (rc == 0)
        rc = node_open(&r.node, &err);
    if (rc == 0)
        rc = list(&r, &err);
    node_close(&r.node);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
