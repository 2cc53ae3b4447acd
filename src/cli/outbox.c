/* comity outbox: what is on its way to whom, and what keeps it? */
#include "cli/cli.h"
#include "cli/linkway.h"
#include "cli/node.h"
#include "cli/setup.h"

#include <stdio.h>
#include <string.h>

enum { OUT_BYTES = 64 * 1024 * 1024 };

static const char usage[] =
    "usage: comity outbox [--json] [--home DIR]\n\n"
    "What the running node has for each team: decided and not yet written out (due), in its "
    "collection and\n"
    "not yet there (waiting), delivered, failed; and how sending to its node goes, if there is a "
    "link (comity\n"
    "peer). A team without a link fetches what is its own, or is mailed (comity mail); what is for "
    "this\n"
    "team itself waits here for its own people and their programs.\n\n" NODE_HELP;

static void
number(struct buf *out, struct json_value item, const char *name)
{
    buf_format(out, "%9llu ", (unsigned long long)node_number(item, name));
}

/* Where there is a link, what the courier's last attempts came to. */
static void
add_way(struct buf *out, struct json_value item)
{
    struct span way = node_text(item, "way");
    struct json_value link;

    if (span_equal(way, SPAN("node")) && json_get(item, "link", &link))
        linkway_add(out, link);
    else if (span_equal(way, SPAN("own")))
        buf_add_text(out, "is here, for its own people");
    else
        buf_add_text(out, span_equal(way, SPAN("mail")) ? "is mailed" : "fetches");
    node_end_line(out);
}

static void
add_item(struct buf *out, struct json_value item)
{
    struct span oldest = node_text(item, "oldest");

    node_column(out, node_text(item, "team"), 28);
    number(out, item, "due");
    number(out, item, "waiting");
    number(out, item, "delivered");
    number(out, item, "failed");
    node_column(out, oldest.n > 0 ? oldest : SPAN("-"), 27);
    add_way(out, item);
}

static int
show(const struct node *node, struct json_value root, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);
    struct json_value item;
    struct span key;

    if (node->json)
        return node_print_answer(node, err);
    buf_format(&out, "%-28s %9s %9s %9s %9s %-27s %s\n", "team", "due", "waiting", "delivered",
        "failed", "oldest", "its node");
    for (struct json_iter it = node_list(root, "items"); json_next(&it, &key, &item);)
        add_item(&out, item);
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

int
cli_outbox(int argc, char **argv)
{
    struct node node = {0};
    struct json_value root;
    struct err err = {0};

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(usage, stdout);
        return EXIT_DONE;
    }
    int rc = node_options(&node, argc, argv, "outbox", &err);
    if (rc == 0)
        rc = node_open(&node, &err);
    if (rc == 0)
        rc = node_ask(&node, "GET", "/api/v1/outbox", SPAN(""), &root, &err);
    if (rc == 0)
        rc = show(&node, root, &err);
    node_close(&node);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
