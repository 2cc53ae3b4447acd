/* comity mail: which teams without a node get mail, and what became of it? */
#include "model/mail.h"
#include "base/base64.h"
#include "base/url.h"
#include "cli/cli.h"
#include "cli/group.h"
#include "cli/node.h"
#include "cli/setup.h"
#include "sys/file.h"

#include <stdio.h>
#include <string.h>

enum { OUT_BYTES = 4 * 1024 * 1024, PATH_BYTES = 2048, QUESTION_BYTES = 512 * 1024 };

#define MAILS "/api/v1/mail"

enum { LIST, SHOW, ADD, REMOVE, TEST, COMMANDS };
static const char *const commands[COMMANDS] = {
    [LIST] = "list", [SHOW] = "show", [ADD] = "add", [REMOVE] = "remove", [TEST] = "test"};

struct mail {
    struct node node;
    int command;
    const char *to;
    const char *when;
    const char *key;
    const char *out;
    const char *team; /* NULL: none was given */
};

static const char usage[] =
    "usage: comity mail list [--json] [--home DIR]\n"
    "       comity mail show TEAM [--json]\n"
    "       comity mail add TEAM --to ADDRESS [--when daily|at-once] [--key FILE]\n"
    "       comity mail remove TEAM\n"
    "       comity mail test TEAM [--out FILE]\n\n"
    "E-mail for teams without a node: what is released to them is mailed, signed, and encrypted "
    "where\n"
    "their OpenPGP key is known. Nobody gets mail who was not added, nor unless `mail` is on "
    "(see\n"
    "comity.conf(5)).\n"
    "  list    who gets mail, and whether it goes\n"
    "  show    one team, and the newest of its mails\n"
    "  add     this team gets mail, or other mail than before; what was made and not sent is made "
    "anew\n"
    "  remove  it gets none any more; what was not sent stays in its collection\n"
    "  test    make the mail that it would get next, and send nothing\n\n"
    "  --to ADDRESS         where its mail goes\n"
    "  --when daily|at-once one mail a day at mail.daily-at (the default), or whenever there is "
    "something\n"
    "  --key FILE           its OpenPGP key; without: the key that it has stays\n"
    "  --out FILE           write the mail there, instead of to standard output\n" NODE_HELP;

/* ---- the command line ---- */

static int
take_option(struct mail *m, int argc, char **argv, int *i, struct err *err)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {{"to", &m->to}, {"when", &m->when}, {"key", &m->key}, {"out", &m->out}};
    int rc = 0;

    for (size_t k = 0; rc == 0 && k < sizeof options / sizeof options[0]; k++)
        rc = setup_option(argc, argv, i, options[k].name, options[k].value, err);
    return rc == 0 ? node_option(&m->node, argc, argv, i, err) : rc;
}

static int
check(struct mail *m, struct err *err)
{
    if (m->command != LIST && m->team == NULL)
        return err_set(err, ERR_USAGE, "name the team, by its id in the directory");
    if (m->command == ADD && m->to == NULL)
        return err_set(err, ERR_USAGE, "say where its mail goes: --to ADDRESS");
    if (m->command != ADD && (m->to != NULL || m->when != NULL || m->key != NULL))
        return err_set(err, ERR_USAGE, "--to, --when and --key are for `comity mail add`");
    if (m->command != TEST && m->out != NULL)
        return err_set(err, ERR_USAGE, "--out is for `comity mail test`");
    m->when = m->when == NULL ? "daily" : m->when;
    return 0;
}

static int
parse(struct mail *m, int argc, char **argv, struct err *err)
{
    m->command = group_find("mail", commands, COMMANDS, argv[1], err);
    if (m->command < 0)
        return m->command;
    for (int i = 2; i < argc; i++) {
        int rc = take_option(m, argc, argv, &i, err);
        if (rc == 0 && argv[i][0] != '-' && m->team == NULL && m->command != LIST) {
            m->team = argv[i];
            rc = 1;
        }
        if (rc == 0)
            return err_set(err, ERR_USAGE, "\"%s\" is too much; `comity mail --help`", argv[i]);
        if (rc < 0)
            return rc;
    }
    return check(m, err);
}

/* METHOD on BEFORE, the team, and BEHIND. */
static int
ask(struct mail *m, const char *method, const char *before, const char *behind,
    struct span question, struct json_value *root, struct err *err)
{
    struct buf path = buf_new(PATH_BYTES);

    buf_add_text(&path, before);
    url_add(&path, span_of(m->team));
    buf_add_text(&path, behind);
    return node_ask_built(&m->node, method, &path, question, root, err);
}

/* ---- looking ---- */

static void
add_row(struct buf *out, struct json_value item)
{
    struct span stopped = node_text(item, "stopped");

    node_column(out, node_text(item, "team"), 20);
    node_column(out, node_text(item, "address"), 28);
    node_column(out, node_text(item, "when"), 8);
    node_column(
        out, node_text(item, "fingerprint").n > 0 ? SPAN("encrypted") : SPAN("signed only"), 12);
    if (stopped.n > 0) {
        buf_add_text(out, "STOPPED: ");
        node_column(out, stopped, 0);
    } else if (node_text(item, "unsent").n > 0) {
        buf_add_text(out, "one is to be sent ");
    } else if (node_text(item, "next").n > 0) {
        buf_add_text(out, "next ");
        node_column(out, node_text(item, "next"), 0);
    }
    node_end_line(out);
}

static void
add_mail(struct buf *out, struct json_value item)
{
    struct span accepted = node_text(item, "accepted");

    buf_add_text(out, "  ");
    node_column(out, node_text(item, "batch"), 36);
    node_column(out, node_text(item, "state"), 8);
    buf_format(out, "%llu reports, made ", (unsigned long long)node_number(item, "reports"));
    node_column(out, node_text(item, "made"), 27);
    if (accepted.n > 0) {
        buf_add_text(out, "accepted ");
        node_column(out, accepted, 27);
    }
    if (node_number(item, "tries") > 0)
        buf_format(out, "tried %llu times ", (unsigned long long)node_number(item, "tries"));
    if (node_text(item, "said").n > 0) {
        buf_add_text(out, "the server: ");
        node_column(out, node_text(item, "said"), 0);
    }
    node_end_line(out);
}

static int
list(const struct mail *m, struct json_value root, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);
    struct json_value item;
    struct json_value mail;
    struct span key;

    if (m->node.json)
        return node_print_answer(&m->node, err);
    if (!node_flag(root, "on"))
        (void)fputs("comity: mail is off: nothing is sent (comity.conf(5), mail)\n", stderr);
    for (struct json_iter it = node_list(root, "items"); json_next(&it, &key, &item);) {
        add_row(&out, item);
        for (struct json_iter of = node_list(item, "mails"); json_next(&of, &key, &mail);)
            add_mail(&out, mail);
    }
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

/* ---- changing ---- */

static int
add_key(const char *path, struct buf *question, struct err *err)
{
    struct buf key = buf_new(MAIL_KEY_BYTES);
    int rc = file_read(path, &key, err);

    if (rc == 0 && key.n == 0)
        rc = err_set(err, ERR_BAD_VALUE, "%s is empty: no key is in it", path);
    if (rc == 0) {
        buf_add_text(question, ",\"key\":\"");
        base64_add(question, key.p, key.n);
        buf_add_char(question, '"');
    }
    buf_free(&key);
    return rc;
}

static int
add(struct mail *m, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    struct json_value root;

    buf_add_text(&question, "{\"address\":");
    json_add_string(&question, span_of(m->to));
    buf_add_text(&question, ",\"when\":");
    json_add_string(&question, span_of(m->when));
    int rc = m->key != NULL ? add_key(m->key, &question, err) : 0;
    buf_add_char(&question, '}');
    if (rc == 0)
        rc = buf_check(&question, "the question", err);
    if (rc == 0)
        rc = ask(m, "PUT", MAILS "/", "", buf_span(&question), &root, err);
    buf_free(&question);
    if (rc != 0 || m->node.json)
        return rc != 0 ? rc : node_print_answer(&m->node, err);
    struct buf out = buf_new(OUT_BYTES);
    add_row(&out, root);
    rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

static int
test(struct mail *m, struct err *err)
{
    struct json_value root;
    int rc = ask(m, "POST", MAILS "/", "/test", SPAN(""), &root, err);

    if (rc != 0 || m->node.json)
        return rc != 0 ? rc : node_print_answer(&m->node, err);
    struct span message = node_text(root, "message");
    if (m->out != NULL)
        return file_write_atomic(m->out, &message, 1, 0600, err);
    return fwrite(message.p, 1, message.n, stdout) == message.n
        ? 0
        : err_set(err, ERR_IO, "standard output cannot be written");
}

static int
run(struct mail *m, struct err *err)
{
    struct json_value root;
    int rc;

    switch (m->command) {
    case ADD:
        return add(m, err);
    case REMOVE:
        return ask(m, "DELETE", MAILS "/", "", SPAN(""), &root, err);
    case TEST:
        return test(m, err);
    case SHOW:
        rc = ask(m, "GET", MAILS "?team=", "", SPAN(""), &root, err);
        break;
    default:
        rc = node_ask(&m->node, "GET", MAILS, SPAN(""), &root, err);
    }
    return rc == 0 ? list(m, root, err) : rc;
}

int
cli_mail(int argc, char **argv)
{
    struct mail m = {0};
    struct err err = {0};

    if (argc < 2 || setup_asks_help(argc, argv)) {
        (void)fputs(usage, argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    int rc = parse(&m, argc, argv, &err);
    if (rc == 0)
        rc = node_open(&m.node, &err);
    if (rc == 0)
        rc = run(&m, &err);
    node_close(&m.node);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
