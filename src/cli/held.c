/* comity held: what waits for a person, and what do they say to it? */
#include "base/url.h"
#include "cli/cli.h"
#include "cli/group.h"
#include "cli/node.h"
#include "cli/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_BYTES = 64 * 1024 * 1024, PATH_BYTES = 2048, QUESTION_BYTES = 64 * 1024, MOST = 1000 };

enum { LIST, RELEASE, REFUSE, COMMANDS };
static const char *const commands[COMMANDS] = {
    [LIST] = "list", [RELEASE] = "release", [REFUSE] = "refuse"};

struct held {
    struct node node;
    int command;
    const char *state;
    const char *team;
    const char *reason;
    const char **numbers;
    size_t count;
};

static const char usage[] =
    "usage: comity held list [--state STATE] [--team TEAM] [--json] [--home DIR]\n"
    "       comity held release --reason TEXT [--json] [--home DIR] NUMBER...\n"
    "       comity held refuse --reason TEXT [--json] [--home DIR] NUMBER...\n\n"
    "What the agreements let go only after a person has looked.\n"
    "  list     the items that wait, oldest first\n"
    "  release  let them go; what leaves is redacted as the agreement says (comity explain)\n"
    "  refuse   keep them back for good\n\n"
    "  --state STATE        waiting (the default), released or refused\n"
    "  --team TEAM          only those for this team\n"
    "  --reason TEXT        why; it is kept with the decision\n" NODE_HELP
    "\nExit status 1 when some could not be decided: somebody was faster, or there is none.\n";

static int
check(const struct held *held, struct err *err)
{
    if (held->command == LIST)
        return 0;
    if (held->reason == NULL)
        return err_set(err, ERR_USAGE, "say why: --reason TEXT");
    return held->count > 0 && held->count <= MOST
        ? 0
        : err_set(err, ERR_USAGE, "name one NUMBER at least, and at most %d", MOST);
}

static int
parse(struct held *held, int argc, char **argv, struct err *err)
{
    held->command = group_find("held", commands, COMMANDS, argv[1], err);
    if (held->command < 0)
        return held->command;
    for (int i = 2; i < argc; i++) {
        int rc = setup_option(argc, argv, &i, "state", &held->state, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "team", &held->team, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "reason", &held->reason, err);
        if (rc == 0)
            rc = node_option(&held->node, argc, argv, &i, err);
        if (rc == 0 && argv[i][0] != '-') {
            held->numbers[held->count++] = argv[i];
            rc = 1;
        }
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option %s; `comity held --help` lists them", argv[i]);
        if (rc < 0)
            return rc;
    }
    return check(held, err);
}

/* ---- list ---- */

static void
add_item(struct buf *out, struct json_value item)
{
    struct span where = node_text_in(item, "source", "address");

    buf_format(out, "%8llu  ", (unsigned long long)node_number(item, "number"));
    node_column(out, node_text(item, "report"), 36);
    node_column(out, node_text(item, "team"), 24);
    node_column(out, node_text(item, "classification"), 20);
    node_column(out, where.n > 0 ? where : node_text_in(item, "source", "name"), 24);
    node_column(out, node_text(item, "reason_text"), 0);
    if (node_text(item, "by").n > 0) {
        buf_add_text(out, "| ");
        node_column(out, node_text(item, "by"), 0);
        node_column(out, node_text(item, "why"), 0);
    }
    buf_add_char(out, '\n');
}

static int
build_path(const struct held *held, struct span next, struct buf *path, struct err *err)
{
    path->n = 0;
    buf_add_text(path, "/api/v1/held?limit=1000");
    if (held->state != NULL) {
        buf_add_text(path, "&state=");
        url_add(path, span_of(held->state));
    }
    if (held->team != NULL) {
        buf_add_text(path, "&team=");
        url_add(path, span_of(held->team));
    }
    if (next.n > 0) {
        buf_add_text(path, "&next=");
        url_add(path, next);
    }
    buf_add_char(path, '\0');
    return buf_check(path, "the question", err);
}

/* One page; *NEXT is put into PATH before its memory goes. */
static int
list_page(struct held *held, struct buf *path, struct buf *out, bool *more, struct err *err)
{
    struct json_value root;
    struct json_value item;
    struct span key;

    int rc = node_ask(&held->node, "GET", path->p, SPAN(""), &root, err);
    if (rc != 0)
        return rc;
    if (held->node.json)
        rc = node_print_answer(&held->node, err);
    else
        for (struct json_iter it = node_list(root, "items"); json_next(&it, &key, &item);)
            add_item(out, item);
    struct span next = node_text(root, "next");
    *more = next.n > 0;
    return rc == 0 ? build_path(held, next, path, err) : rc;
}

static int
list(struct held *held, struct err *err)
{
    struct buf path = buf_new(PATH_BYTES);
    struct buf out = buf_new(OUT_BYTES);
    bool more = true;

    int rc = build_path(held, SPAN(""), &path, err);
    while (rc == 0 && more) {
        out.n = 0;
        rc = list_page(held, &path, &out, &more, err);
        if (rc == 0)
            rc = setup_print(&out, "the answer", err);
    }
    buf_free(&path);
    buf_free(&out);
    return rc;
}

/* ---- decide ---- */

static int
add_numbers(const struct held *held, struct buf *out, struct err *err)
{
    uint64_t number;

    buf_add_text(out, "{\"numbers\":[");
    for (size_t i = 0; i < held->count; i++) {
        if (!span_u64(span_of(held->numbers[i]), &number) || number == 0)
            return err_set(err, ERR_USAGE, "\"%s\" is no item's number", held->numbers[i]);
        buf_format(out, "%s%llu", i > 0 ? "," : "", (unsigned long long)number);
    }
    buf_add_text(out, "],\"reason\":");
    json_add_string(out, span_of(held->reason));
    buf_add_char(out, '}');
    return buf_check(out, "the question", err);
}

/* How many there are; TEXT is said of each, unless it is NULL. */
static size_t
show_list(struct json_value root, const char *name, const char *text)
{
    struct json_iter it = node_list(root, name);
    struct json_value item;
    struct span key;
    size_t n = 0;

    for (; json_next(&it, &key, &item); n++)
        if (text != NULL && json_type(item) == JSON_INT)
            (void)printf("%lld %s\n", (long long)json_int(item), text);
    return n;
}

static int
decide(struct held *held, bool *all, struct err *err)
{
    bool release = held->command == RELEASE;
    struct buf question = buf_new(QUESTION_BYTES);
    struct json_value root;

    int rc = add_numbers(held, &question, err);
    if (rc == 0)
        rc = node_ask(&held->node, "POST", release ? "/api/v1/held/release" : "/api/v1/held/refuse",
            buf_span(&question), &root, err);
    buf_free(&question);
    if (rc != 0)
        return rc;
    bool json = held->node.json;
    (void)show_list(root, "decided", json ? NULL : release ? "was released" : "was refused");
    *all =
        show_list(root, "conflicts", json ? NULL : "was decided already: somebody was faster") == 0;
    *all = show_list(root, "missing", json ? NULL : "is not there") == 0 && *all;
    return json ? node_print_answer(&held->node, err) : 0;
}

int
cli_held(int argc, char **argv)
{
    struct held held = {.numbers = calloc((size_t)argc, sizeof *held.numbers)};
    struct err err = {0};
    bool all = true;
    int rc;

    if (argc < 2 || setup_asks_help(argc, argv)) {
        free(held.numbers);
        (void)fputs(usage, argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    rc = held.numbers == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory")
                              : parse(&held, argc, argv, &err);
    if (rc == 0)
        rc = node_open(&held.node, &err);
    if (rc == 0)
        rc = held.command == LIST ? list(&held, &err) : decide(&held, &all, &err);
    node_close(&held.node);
    free(held.numbers);
    return rc != 0 ? setup_fail(&err) : all ? EXIT_DONE : EXIT_REJECTED;
}
