/* comity peer: with which other teams' nodes does this one exchange, and how does it go? */
#include "base/url.h"
#include "cli/cli.h"
#include "cli/group.h"
#include "cli/linkway.h"
#include "cli/node.h"
#include "cli/setup.h"
#include "sys/file.h"

#include <stdio.h>
#include <string.h>

enum {
    OUT_BYTES = 64 * 1024 * 1024,
    PATH_BYTES = 2048,
    CARD_BYTES = 256 * 1024,
    QUESTION_BYTES = 4 * CARD_BYTES,
    WITNESSED_BYTES = 512,
};

#define PEERS "/api/v1/peers"

enum { ADD, LIST, SHOW, REMOVE, EVIDENCE, COMMANDS };
static const char *const commands[COMMANDS] = {
    [ADD] = "add", [LIST] = "list", [SHOW] = "show", [REMOVE] = "remove", [EVIDENCE] = "evidence"};

enum { PUSH, POLL, WITNESS, WAYS };
static const char *const ways[WAYS] = {[PUSH] = "push", [POLL] = "poll", [WITNESS] = "witness"};

struct peer {
    struct node node;
    int command;
    const char *url;
    const char *pin;
    const char *ways[WAYS]; /* "true", "false"; NULL: not said */
    const char *name;       /* the card's file, or the team; NULL: none was given */
};

static const char usage[] =
    "usage: comity peer add CARD.json [--url URL] [--pin SHA256] [--push|--no-push] "
    "[--poll|--no-poll]\n"
    "                       [--witness|--no-witness] [--json] [--home DIR]\n"
    "       comity peer list [--json] [--home DIR]\n"
    "       comity peer show TEAM [--json] [--home DIR]\n"
    "       comity peer remove TEAM [--home DIR]\n"
    "       comity peer evidence TEAM [--json] [--home DIR] > FILE\n\n"
    "Other teams' nodes that the running node exchanges with. Both sides add each other; nothing "
    "goes out\n"
    "before the setting `courier` is on.\n"
    "  add     exchange with the node that the team's card names, or with new values; -: the card\n"
    "          comes on standard input\n"
    "  list    all of them: when they were reached last, what waits for them, who is lost\n"
    "  show    one of them, way by way\n"
    "  remove  no exchange any more; its account is disabled, what was released stays\n"
    "  evidence  of a ledger that has shown two histories: both signed checkpoints and the hashes\n"
    "          between them, for `comity verify`, and for whoever shall see it\n\n"
    "  --url URL            https://host:port of the node's partners' door, instead of the "
    "card's\n"
    "  --pin SHA256         of the node's certificate, in hexadecimal, instead of the card's\n"
    "  --push, --no-push    send it what waits for it, or do not (default: --push)\n"
    "  --poll, --no-poll    ask it for what it has for this team, or do not (default: --poll)\n"
    "  --witness, --no-witness\n"
    "                       witness each other's ledgers, or do not (default: "
    "--witness)\n" NODE_HELP;

/* ---- the command line ---- */

static bool
take_way(struct peer *p, const char *word)
{
    bool no = strncmp(word, "--no-", 5) == 0;

    if (strncmp(word, "--", 2) != 0)
        return false;
    for (size_t i = 0; i < WAYS; i++)
        if (strcmp(word + (no ? 5 : 2), ways[i]) == 0) {
            p->ways[i] = no ? "false" : "true";
            return true;
        }
    return false;
}

static int
take_option(struct peer *p, int argc, char **argv, int *i, struct err *err)
{
    int rc = setup_option(argc, argv, i, "url", &p->url, err);

    if (rc == 0)
        rc = setup_option(argc, argv, i, "pin", &p->pin, err);
    if (rc == 0)
        rc = take_way(p, argv[*i]);
    return rc == 0 ? node_option(&p->node, argc, argv, i, err) : rc;
}

static int
check(const struct peer *p, struct err *err)
{
    bool said = p->url != NULL || p->pin != NULL;

    for (size_t i = 0; i < WAYS; i++)
        said = said || p->ways[i] != NULL;
    if (p->command == ADD && p->name == NULL)
        return err_set(err, ERR_USAGE, "name the file of the team's card");
    if (p->command != ADD && said)
        return err_set(err, ERR_USAGE, "that is said with `comity peer add` only");
    if (p->command == LIST && p->name != NULL)
        return err_set(err, ERR_USAGE, "\"%s\" is too much; `comity peer show` shows one", p->name);
    return p->command == LIST || p->name != NULL ? 0 : err_set(err, ERR_USAGE, "name the team");
}

static int
parse(struct peer *p, int argc, char **argv, struct err *err)
{
    p->command = group_find("peer", commands, COMMANDS, argv[1], err);
    if (p->command < 0)
        return p->command;
    for (int i = 2; i < argc; i++) {
        int rc = take_option(p, argc, argv, &i, err);
        if (rc == 0 && (argv[i][0] != '-' || argv[i][1] == '\0') && p->name == NULL) {
            p->name = argv[i];
            rc = 1;
        }
        if (rc == 0)
            return err_set(err, ERR_USAGE, "\"%s\" is too much; `comity peer --help`", argv[i]);
        if (rc < 0)
            return rc;
    }
    return check(p, err);
}

/* ---- what is shown ---- */

static struct span
or_dash(struct span text)
{
    return text.n > 0 ? text : SPAN("-");
}

static void
add_row(struct buf *out, struct json_value item)
{
    uint64_t waiting = node_number(item, "due") + node_number(item, "waiting");
    bool lost = node_flag(item, "lost");

    node_column(out, node_text(item, "team"), 28);
    node_column(out, node_text(item, "url"), 36);
    buf_format(out, "%9llu ", (unsigned long long)waiting);
    node_column(out, or_dash(node_text(item, "contact")), lost ? 27 : 0);
    buf_add_text(out, lost ? "LOST" : "");
    node_end_line(out);
}

static int
list(struct peer *p, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);
    struct json_value root;
    struct json_value item;
    struct span key;
    int rc = node_ask(&p->node, "GET", PEERS, SPAN(""), &root, err);

    if (rc != 0 || p->node.json)
        return rc == 0 ? node_print_answer(&p->node, err) : rc;
    buf_format(&out, "%-28s %-36s %9s %s\n", "team", "node", "waiting", "reached last");
    for (struct json_iter it = node_list(root, "items"); json_next(&it, &key, &item);)
        add_row(&out, item);
    rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

static void
line(struct buf *out, const char *name, struct span text)
{
    node_column(out, span_of(name), 12);
    node_column(out, or_dash(text), 0);
    node_end_line(out);
}

static void
count_line(struct buf *out, const char *name, struct json_value object)
{
    node_column(out, span_of(name), 12);
    buf_format(out, "%llu\n", (unsigned long long)node_number(object, name));
}

static void
add_way(struct buf *out, struct json_value way)
{
    node_column(out, node_text(way, "way"), 12);
    if (node_flag(way, "on"))
        linkway_add(out, way);
    else
        buf_add_text(out, "off");
    node_end_line(out);
}

/* Whose log this node has seen how much of, and the other way round. */
static void
add_witnessed(struct buf *out, struct json_value root)
{
    struct buf text = buf_new(WITNESSED_BYTES);
    struct json_value w;

    if (!json_get(root, "witnessed", &w))
        return;
    buf_format(&text, "%s%llu entries of its ledger cosigned here, %llu of ours there",
        node_flag(w, "two_histories") ? "ITS LEDGER HAS TWO HISTORIES (comity peer evidence); "
            : node_flag(w, "doubted") ? "ITS LEDGER IS NOT PROVEN TO GO ON FROM WHAT IT WAS; "
                                      : "",
        (unsigned long long)node_number(w, "size"),
        (unsigned long long)node_number(w, "seen_of_ours"));
    line(out, "witness", buf_span(&text));
    buf_free(&text);
}

static int
show(const struct peer *p, struct json_value root, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);
    struct json_value way;
    struct span key;

    if (p->node.json)
        return node_print_answer(&p->node, err);
    line(&out, "team", node_text(root, "team"));
    line(&out, "name", node_text(root, "name"));
    line(&out, "node", node_text(root, "url"));
    line(&out, "certificate", node_text(root, "pin"));
    line(&out, node_flag(root, "account_disabled") ? "DISABLED" : "account",
        node_text(root, "account"));
    line(&out, "added", node_text(root, "added"));
    line(&out, "by", node_text(root, "by"));
    line(&out, "reached", node_text(root, "contact"));
    for (struct json_iter it = node_list(root, "ways"); json_next(&it, &key, &way);)
        add_way(&out, way);
    line(&out, "polled", node_text_in(root, "polled", "released"));
    add_witnessed(&out, root);
    count_line(&out, "due", root);
    count_line(&out, "waiting", root);
    count_line(&out, "delivered", root);
    count_line(&out, "failed", root);
    line(&out, "oldest", node_text(root, "oldest"));
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

/* ---- what is done ---- */

static void
member(struct buf *out, const char *name, const char *text)
{
    if (text == NULL)
        return;
    buf_format(out, ",\"%s\":", name);
    json_add_string(out, span_of(text));
}

/* The card as one line: strings have no line ends, and what stands between does not count. */
static int
add_card(const char *path, struct buf *out, struct err *err)
{
    struct buf text = buf_new(CARD_BYTES);
    struct buf compact = buf_new(CARD_BYTES);
    struct json *json = json_new(CARD_BYTES);
    struct json_value card;
    int rc = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text, err);

    if (rc == 0 && json == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory to read a card");
    if (rc == 0)
        rc = json_parse_copy(json, buf_span(&text), &card, err);
    if (rc == 0) {
        json_add_value(&compact, card);
        rc = buf_check(&compact, "a card", err);
    }
    buf_add_text(out, "{\"card\":");
    if (rc == 0)
        json_add_string(out, buf_span(&compact));
    json_free(json);
    buf_free(&compact);
    buf_free(&text);
    return rc;
}

static int
add(struct peer *p, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    struct json_value root;
    int rc = add_card(p->name, &question, err);

    member(&question, "url", p->url);
    member(&question, "pin", p->pin);
    for (size_t i = 0; i < WAYS; i++)
        if (p->ways[i] != NULL)
            buf_format(&question, ",\"%s\":%s", ways[i], p->ways[i]);
    buf_add_char(&question, '}');
    if (rc == 0)
        rc = buf_check(&question, "the question", err);
    if (rc == 0)
        rc = node_ask(&p->node, "POST", PEERS, buf_span(&question), &root, err);
    buf_free(&question);
    return rc == 0 ? show(p, root, err) : rc;
}

static int
ask_one(
    struct peer *p, const char *method, const char *below, struct json_value *root, struct err *err)
{
    struct buf path = buf_new(PATH_BYTES);

    buf_add_text(&path, PEERS "/");
    url_add(&path, span_of(p->name));
    buf_add_text(&path, below);
    return node_ask_built(&p->node, method, &path, SPAN(""), root, err);
}

static int
evidence(const struct peer *p, struct json_value root, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);

    if (p->node.json)
        return node_print_answer(&p->node, err);
    buf_add_span(&out, node_text(root, "evidence"));
    int rc = setup_print(&out, "the evidence", err);
    buf_free(&out);
    return rc;
}

static int
run(struct peer *p, struct err *err)
{
    struct json_value root;
    int rc;

    switch (p->command) {
    case ADD:
        return add(p, err);
    case SHOW:
        rc = ask_one(p, "GET", "", &root, err);
        return rc == 0 ? show(p, root, err) : rc;
    case REMOVE:
        return ask_one(p, "DELETE", "", &root, err);
    case EVIDENCE:
        rc = ask_one(p, "GET", "/evidence", &root, err);
        return rc == 0 ? evidence(p, root, err) : rc;
    default:
        return list(p, err);
    }
}

int
cli_peer(int argc, char **argv)
{
    struct peer p = {0};
    struct err err = {0};

    if (argc < 2 || setup_asks_help(argc, argv)) {
        (void)fputs(usage, argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    int rc = parse(&p, argc, argv, &err);
    if (rc == 0)
        rc = node_open(&p.node, &err);
    if (rc == 0)
        rc = run(&p, &err);
    node_close(&p.node);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
