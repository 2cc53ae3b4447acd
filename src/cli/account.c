/* comity account: who may sign in to the node, and as what? */
#include "base/url.h"
#include "cli/cli.h"
#include "cli/group.h"
#include "cli/node.h"
#include "cli/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OUT_BYTES = 4 * 1024 * 1024,
    PATH_BYTES = 2048,
    QUESTION_BYTES = 16 * 1024,
    LINE_BYTES = 1100
};

#define PRINCIPALS "/api/v1/principals/" /* and an account's name */

enum { LIST, ADD, DISABLE, ENABLE, PASSWORD, TOKEN, TOKENS, REVOKE, COMMANDS };
static const char *const commands[COMMANDS] = {[LIST] = "list",
    [ADD] = "add",
    [DISABLE] = "disable",
    [ENABLE] = "enable",
    [PASSWORD] = "password",
    [TOKEN] = "token",
    [TOKENS] = "tokens",
    [REVOKE] = "revoke"};

struct account {
    struct node node;
    int command;
    const char *kind;
    const char *team;
    const char *certificate;
    const char *label;
    const char *expires;
    bool read_password; /* --stdin */
    const char *name;   /* NULL: none was given */
};

static const char usage[] =
    "usage: comity account list [--json] [--home DIR]\n"
    "       comity account add NAME --kind KIND [--team TEAM] [--certificate SHA256]\n"
    "       comity account disable|enable NAME\n"
    "       comity account password NAME [--stdin]\n"
    "       comity account token NAME --label TEXT [--expires TIME]\n"
    "       comity account tokens NAME [--json]\n"
    "       comity account revoke NUMBER\n\n"
    "Who may sign in to the running node. Passwords and tokens are shown once, and never again.\n"
    "  list      the accounts\n"
    "  add       a new one, with a password for the first time\n"
    "  disable   it may not sign in any more; what it has open ends\n"
    "  enable    it may again\n"
    "  password  a new one, made by the node or read from standard input\n"
    "  token     for programs: sent as Authorization: Bearer\n"
    "  tokens    those of an account, by number\n"
    "  revoke    the token of this number works no longer\n\n"
    "  --kind KIND          operator, officer, analyst, reader or partner\n"
    "  --team TEAM          a partner's team\n"
    "  --certificate SHA256 of a partner's client certificate, in hexadecimal\n"
    "  --label TEXT         what the token is for\n"
    "  --expires TIME       when it ends; without: never\n"
    "  --stdin              read the new password from standard input, one line\n" NODE_HELP;

static int
take_option(struct account *a, int argc, char **argv, int *i, struct err *err)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {{"kind", &a->kind}, {"team", &a->team}, {"certificate", &a->certificate},
        {"label", &a->label}, {"expires", &a->expires}};
    int rc = 0;

    for (size_t k = 0; rc == 0 && k < sizeof options / sizeof options[0]; k++)
        rc = setup_option(argc, argv, i, options[k].name, options[k].value, err);
    if (rc == 0 && strcmp(argv[*i], "--stdin") == 0)
        rc = a->read_password = true;
    return rc == 0 ? node_option(&a->node, argc, argv, i, err) : rc;
}

static int
check(const struct account *a, struct err *err)
{
    bool named = a->name != NULL;

    if (a->command == ADD && (!named || a->kind == NULL))
        return err_set(err, ERR_USAGE, "name the account and its --kind");
    if (a->command == TOKEN && (!named || a->label == NULL))
        return err_set(err, ERR_USAGE, "name the account, and say what the token is for: --label");
    if (a->command == REVOKE && !named)
        return err_set(err, ERR_USAGE, "say which: its NUMBER");
    return a->command == LIST || named ? 0 : err_set(err, ERR_USAGE, "name the account");
}

static int
parse(struct account *a, int argc, char **argv, struct err *err)
{
    a->command = group_find("account", commands, COMMANDS, argv[1], err);
    if (a->command < 0)
        return a->command;
    for (int i = 2; i < argc; i++) {
        int rc = take_option(a, argc, argv, &i, err);
        if (rc == 0 && argv[i][0] != '-' && a->name == NULL) {
            a->name = argv[i];
            rc = 1;
        }
        if (rc == 0)
            return err_set(err, ERR_USAGE, "\"%s\" is too much; `comity account --help`", argv[i]);
        if (rc < 0)
            return rc;
    }
    return check(a, err);
}

static void
member(struct buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_format(out, "%s\"%s\":", out->p[out->n - 1] == '{' ? "" : ",", name);
    json_add_string(out, span_of(value));
}

/* METHOD on BEFORE, the name that was given, and BEHIND. */
static int
ask(struct account *a, const char *method, const char *before, const char *behind,
    struct span question, struct json_value *root, struct err *err)
{
    struct buf path = buf_new(PATH_BYTES);

    buf_add_text(&path, before);
    url_add(&path, span_of(a->name));
    buf_add_text(&path, behind);
    return node_ask_built(&a->node, method, &path, question, root, err);
}

/* ---- what is done ---- */

static void
add_account(struct buf *out, struct json_value item)
{
    bool off = node_flag(item, "disabled");

    node_column(out, node_text(item, "name"), 24);
    node_column(out, node_text(item, "kind"), 10);
    node_column(out, off ? SPAN("DISABLED") : SPAN(""), 8);
    node_column(out, node_text(item, "team"), 28);
    node_column(
        out, node_text(item, "seen").n > 0 ? node_text(item, "seen") : SPAN("never seen"), 0);
    buf_add_char(out, '\n');
}

static void
add_token(struct buf *out, struct json_value item)
{
    struct span expires = node_text(item, "expires");
    struct span seen = node_text(item, "seen");

    buf_format(out, "%8llu ", (unsigned long long)node_number(item, "number"));
    node_column(out, node_text(item, "label"), 32);
    buf_add_text(out, expires.n > 0 ? "until " : "");
    node_column(out, expires.n > 0 ? expires : SPAN("without end"), expires.n > 0 ? 27 : 33);
    node_column(out, seen.n > 0 ? seen : SPAN("never seen"), 0);
    buf_add_char(out, '\n');
}

/* What the answer lists, a line each. */
static int
list(const struct account *a, struct json_value root,
    void (*add_row)(struct buf *, struct json_value), struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);
    struct json_value item;
    struct span key;

    if (a->node.json)
        return node_print_answer(&a->node, err);
    for (struct json_iter it = node_list(root, "items"); json_next(&it, &key, &item);)
        add_row(&out, item);
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

/* Say the one SECRET of the answer, alone on its line, so that a script can take it. */
static int
show_secret(struct account *a, struct json_value root, const char *name, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);

    if (a->node.json)
        return node_print_answer(&a->node, err);
    node_column(&out, node_text(root, name), 0);
    if (out.n > 1) {
        out.p[out.n - 1] = '\n';
        (void)fprintf(stderr, "comity: this %s is shown once\n", name);
    } else {
        out.n = 0;
    }
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

static int
add(struct account *a, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    struct json_value root;

    buf_add_char(&question, '{');
    member(&question, "name", a->name);
    member(&question, "kind", a->kind);
    member(&question, "team", a->team);
    member(&question, "certificate", a->certificate);
    buf_add_char(&question, '}');
    int rc = buf_check(&question, "the question", err);
    if (rc == 0)
        rc = node_ask(&a->node, "POST", "/api/v1/principals", buf_span(&question), &root, err);
    buf_free(&question);
    return rc == 0 ? show_secret(a, root, "password", err) : rc;
}

static int
disable(struct account *a, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    struct json_value root;

    buf_format(&question, "{\"disabled\":%s}", a->command == DISABLE ? "true" : "false");
    int rc = ask(a, "PATCH", PRINCIPALS, "", buf_span(&question), &root, err);
    buf_free(&question);
    return rc == 0 && a->node.json ? node_print_answer(&a->node, err) : rc;
}

static int
read_line(char line[LINE_BYTES], struct err *err)
{
    if (fgets(line, LINE_BYTES, stdin) == NULL)
        return err_set(err, ERR_IO, "no password came on standard input");
    line[strcspn(line, "\r\n")] = '\0';
    return line[0] != '\0' ? 0 : err_set(err, ERR_USAGE, "the password is empty");
}

static int
password(struct account *a, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    char line[LINE_BYTES];
    struct json_value root;
    int rc = a->read_password ? read_line(line, err) : 0;

    buf_add_char(&question, '{');
    member(&question, "password", a->read_password && rc == 0 ? line : NULL);
    buf_add_char(&question, '}');
    if (rc == 0)
        rc = ask(a, "PUT", PRINCIPALS, "/password", buf_span(&question), &root, err);
    buf_free(&question);
    return rc == 0 && !a->read_password ? show_secret(a, root, "password", err) : rc;
}

static int
token(struct account *a, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    struct json_value root;

    buf_add_char(&question, '{');
    member(&question, "label", a->label);
    member(&question, "expires", a->expires);
    member(&question, "name", a->name);
    buf_add_char(&question, '}');
    int rc = node_ask(&a->node, "POST", "/api/v1/tokens", buf_span(&question), &root, err);
    buf_free(&question);
    return rc == 0 ? show_secret(a, root, "token", err) : rc;
}

static int
run(struct account *a, struct err *err)
{
    struct json_value root;
    int rc;

    switch (a->command) {
    case ADD:
        return add(a, err);
    case DISABLE:
    case ENABLE:
        return disable(a, err);
    case PASSWORD:
        return password(a, err);
    case TOKEN:
        return token(a, err);
    case TOKENS:
        rc = ask(a, "GET", "/api/v1/tokens?name=", "", SPAN(""), &root, err);
        return rc == 0 ? list(a, root, add_token, err) : rc;
    case REVOKE:
        return ask(a, "DELETE", "/api/v1/tokens/", "", SPAN(""), &root, err);
    default:
        rc = node_ask(&a->node, "GET", "/api/v1/principals", SPAN(""), &root, err);
        return rc == 0 ? list(a, root, add_account, err) : rc;
    }
}

int
cli_account(int argc, char **argv)
{
    struct account a = {0};
    struct err err = {0};

    if (argc < 2 || setup_asks_help(argc, argv)) {
        (void)fputs(usage, argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    int rc = parse(&a, argc, argv, &err);
    if (rc == 0)
        rc = node_open(&a.node, &err);
    if (rc == 0)
        rc = run(&a, &err);
    node_close(&a.node);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
