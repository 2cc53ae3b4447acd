/* comity stats: what was counted, and does it balance? */
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/setup.h"

#include <stdio.h>
#include <string.h>

enum { OUT_BYTES = 64 * 1024 * 1024, PATH_BYTES = 1024 };

struct stats {
    struct node node;
    const char *since;
    const char *until;
    bool all;
};

static const char usage[] =
    "usage: comity stats [--since TIME] [--until TIME] [--all] [--json] [--home DIR]\n\n"
    "What the running node counted, and whether it balances:\n"
    "  received = stored + rejected + duplicate\n"
    "  outcomes = released + held + withheld + unattributed\n\n"
    "  --since TIME         from the day of this time (default: 30 days ago)\n"
    "  --until TIME         to the day of this time (default: today)\n"
    "  --all                one line a day, team, classification and count too\n" NODE_HELP
    "\nExit status 1 when it does not balance.\n";

static int
parse(struct stats *stats, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = setup_option(argc, argv, &i, "since", &stats->since, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "until", &stats->until, err);
        if (rc == 0 && strcmp(argv[i], "--all") == 0)
            rc = stats->all = true;
        if (rc == 0)
            rc = node_option(&stats->node, argc, argv, &i, err);
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity stats --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int
ask(struct stats *stats, struct json_value *root, struct err *err)
{
    struct buf path = buf_new(PATH_BYTES);

    buf_add_text(&path, "/api/v1/statistics");
    node_parameter(&path, "since", stats->since);
    node_parameter(&path, "until", stats->until);
    if (!stats->all && !stats->node.json)
        node_parameter(&path, "by", "day"); /* the totals are the same */
    return node_ask_built(&stats->node, "GET", &path, SPAN(""), root, err);
}

static void
add_items(struct buf *out, struct json_value root)
{
    struct json_iter it = node_list(root, "items");
    struct json_value item;
    struct span key;

    while (json_next(&it, &key, &item)) {
        node_column(out, node_text(item, "day"), 10);
        node_column(out, node_text(item, "team"), 28);
        node_column(out, node_text(item, "classification"), 28);
        node_column(out, node_text(item, "name"), 14);
        buf_format(out, "%10llu\n", (unsigned long long)node_number(item, "count"));
    }
    buf_add_char(out, '\n');
}

static bool
balances(struct json_value root)
{
    return node_flag(root, "balanced");
}

static int
show(struct stats *stats, struct json_value root, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);
    struct json_value totals;

    if (stats->node.json)
        return node_print_answer(&stats->node, err);
    if (stats->all)
        add_items(&out, root);
    if (json_get(root, "totals", &totals) && json_type(totals) == JSON_OBJECT) {
        struct json_iter it = json_iter(totals);
        struct json_value value;
        struct span key;
        while (json_next(&it, &key, &value)) {
            char name[64];
            (void)snprintf(name, sizeof name, "%.*s", SPAN_ARGS(key));
            node_column(&out, key, 16);
            buf_format(&out, "%12llu\n", (unsigned long long)node_number(totals, name));
        }
    }
    buf_add_text(&out, balances(root) ? "it balances\n" : "IT DOES NOT BALANCE\n");
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

int
cli_stats(int argc, char **argv)
{
    struct stats stats = {0};
    struct json_value root;
    struct err err = {0};
    int status = EXIT_DONE;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(usage, stdout);
        return EXIT_DONE;
    }
    int rc = parse(&stats, argc, argv, &err);
    if (rc == 0)
        rc = node_open(&stats.node, &err);
    if (rc == 0)
        rc = ask(&stats, &root, &err);
    if (rc == 0 && !balances(root))
        status = EXIT_REJECTED;
    if (rc == 0)
        rc = show(&stats, root, &err);
    node_close(&stats.node);
    return rc == 0 ? status : setup_fail(&err);
}
