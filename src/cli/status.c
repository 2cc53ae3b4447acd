/* comity status: how is the node? */
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/setup.h"

#include <stdio.h>
#include <string.h>

enum { OUT_BYTES = 64 * 1024 };

static const char usage[] =
    "usage: comity status [--json] [--home DIR]\n\n"
    "How is the running node: since when, with which directory and agreements, what "
    "waits.\n\n" NODE_HELP
    "\nExit status 0 when it is well, 1 when it takes no reports in, 3 when it does not "
    "answer.\n";

static void
line(struct buf *out, const char *name, struct span text)
{
    node_column(out, span_of(name), 14);
    node_column(out, text, 0);
    node_end_line(out);
}

static void
number(struct buf *out, struct json_value root, const char *name, const char *member)
{
    node_column(out, span_of(name), 14);
    buf_format(out, "%llu\n", (unsigned long long)node_number(root, member));
}

static void
if_any(struct buf *out, struct json_value root, const char *name, const char *member)
{
    if (node_number(root, member) > 0)
        number(out, root, name, member);
}

/* Does it take reports in, and why not? */
static void
show_ready(struct buf *out, struct json_value root)
{
    struct buf text = buf_new(OUT_BYTES);
    struct span why = node_text(root, "why");

    buf_add_text(&text, node_flag(root, "ok") ? "yes" : "NO");
    buf_add_text(&text, why.n > 0 ? ": " : "");
    buf_add_span(&text, why);
    line(out, "ready", buf_span(&text));
    buf_free(&text);
}

/* Nodes that mail nobody say nothing of it. */
static void
show_mail(struct buf *out, struct json_value root)
{
    if (node_number(root, "mailed_teams") == 0)
        return;
    number(out, root, "mailed teams", "mailed_teams");
    number(out, root, "mails waiting", "mails_waiting");
    if_any(out, root, "LATE", "mails_late");
    if_any(out, root, "STOPPED", "mails_stopped");
}

/* Processes that had to be started again. */
static void
show_died(struct buf *out, struct json_value root)
{
    struct json_value role;
    struct span key;

    for (struct json_iter it = node_list(root, "roles"); json_next(&it, &key, &role);) {
        if (node_number(role, "died") == 0)
            continue;
        node_column(out, SPAN("DIED"), 14);
        node_column(out, node_text(role, "role"), 0);
        buf_format(out, "%llu times\n", (unsigned long long)node_number(role, "died"));
    }
}

static int
show(const struct node *node, struct json_value root, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);

    if (node->json)
        return node_print_answer(node, err);
    show_ready(&out, root);
    line(&out, "version", node_text(root, "version"));
    line(&out, "started", node_text(root, "started"));
    line(&out, "team", node_text(root, "team").n > 0 ? node_text(root, "team") : SPAN("none"));
    line(&out, "sandbox",
        node_flag(root, "sandbox") ? SPAN("yes") : SPAN("NO: --no-sandbox was given"));
    line(&out, "clock", node_flag(root, "clock_trusted") ? SPAN("trusted") : SPAN("NOT TRUSTED"));
    if (node_text(root, "certificate_until").n > 0)
        line(&out, "certificate", node_text(root, "certificate_until"));
    show_died(&out, root);
    number(&out, root, "teams", "teams");
    number(&out, root, "agreements", "agreements");
    number(&out, root, "held", "held");
    number(&out, root, "due", "due");
    number(&out, root, "waiting", "waiting");
    number(&out, root, "delivered", "delivered");
    if_any(&out, root, "here for us", "own");
    number(&out, root, "receipts open", "receipts_open");
    if (node_text(root, "oldest").n > 0)
        line(&out, "oldest", node_text(root, "oldest"));
    number(&out, root, "links", "links");
    if_any(&out, root, "LOST", "links_lost");
    if_any(&out, root, "cards", "cards_waiting");
    show_mail(&out, root);
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

int
cli_status(int argc, char **argv)
{
    struct node node = {0};
    struct json_value root;
    struct err err = {0};
    bool well = false;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(usage, stdout);
        return EXIT_DONE;
    }
    int rc = node_options(&node, argc, argv, "status", &err);
    if (rc == 0)
        rc = node_open(&node, &err);
    if (rc == 0)
        rc = node_ask(&node, "GET", "/api/v1/status", SPAN(""), &root, &err);
    if (rc == 0)
        rc = show(&node, root, &err);
    well = rc == 0 && node_flag(root, "ok");
    node_close(&node);
    return well ? EXIT_DONE : rc == 0 ? EXIT_REJECTED : setup_fail(&err);
}
