#include "cli/ledger.h"

#include "cli/cli.h"
#include "cli/home.h"
#include "cli/reportid.h"
#include "cli/setup.h"
#include "cli/walls.h"

#include <stdio.h>
#include <string.h>

static const struct ledger_command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *text;
} commands[] = {
#define LEDGER_COMMAND(function, name, text) {name, ledger_##function, text},
#include "tables/ledger_commands.def"
#undef LEDGER_COMMAND
};

enum { COMMANDS = sizeof commands / sizeof commands[0], WALLS_FILES = LEDGER_AGAINST_MAX + 3 };

static int
help(FILE *out)
{
    (void)fputs(
        "usage: comity ledger COMMAND [OPTIONS] FOLDER\n"
        "       comity ledger COMMAND [OPTIONS] --home DIR\n\n"
        "A node's ledger, from a copy of its static files (doc/ledger-format.md): checkpoint,\n"
        "tiles, entries; or with --home that of the node whose data folder it is, also while it\n"
        "runs. Nothing is written, nothing is fetched.\n\n",
        out);
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].text);
    (void)fputs("\n`comity ledger COMMAND --help` says more; `comity verify` checks what `prove` "
                "makes.\n",
        out);
    return out == stderr ? EXIT_USAGE : EXIT_DONE;
}

int
cli_ledger(int argc, char **argv)
{
    if (argc < 2)
        return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return help(stdout);
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    (void)fprintf(stderr,
        "comity: ledger has no command \"%s\"; `comity ledger --help` lists them\n", argv[1]);
    return EXIT_USAGE;
}

/* ---- options that they share ---- */

static int
number_option(int argc, char **argv, int *i, const char *name, uint64_t *out, struct err *err)
{
    const char *text;
    int rc = setup_option(argc, argv, i, name, &text, err);

    if (rc > 0 && !span_u64(span_of(text), out))
        return err_set(err, ERR_USAGE, "--%s: \"%s\" is no number", name, text);
    return rc;
}

static int
key_options(struct ledger_wanted *w, int argc, char **argv, int *i, struct err *err)
{
    int rc = vkeys_option(&w->keys, argc, argv, i, "key", NOTE_ED25519, err);

    return rc != 0 ? rc
                   : vkeys_option(&w->witnesses, argc, argv, i, "witness", NOTE_COSIGNATURE, err);
}

static int
against_option(struct ledger_wanted *w, int argc, char **argv, int *i, struct err *err)
{
    const char *path;
    int rc = setup_option(argc, argv, i, "against", &path, err);

    if (rc <= 0)
        return rc;
    if (w->against_count == LEDGER_AGAINST_MAX)
        return err_set(err, ERR_USAGE, "at most %d checkpoints by --against", LEDGER_AGAINST_MAX);
    w->against[w->against_count++] = path;
    return rc;
}

static int
range_options(struct ledger_wanted *w, int argc, char **argv, int *i, struct err *err)
{
    int rc = number_option(argc, argv, i, "from", &w->from, err);

    return rc != 0 ? rc : number_option(argc, argv, i, "count", &w->count, err);
}

static int
item_options(struct ledger_wanted *w, int argc, char **argv, int *i, struct err *err)
{
    int rc = number_option(argc, argv, i, "entry", &w->from, err);

    if (rc != 0) {
        w->has_from = rc > 0;
        return rc;
    }
    rc = number_option(argc, argv, i, "item", &w->item, err);
    if (rc != 0) {
        w->has_item = rc > 0;
        return rc;
    }
    rc = setup_option(argc, argv, i, "items", &w->items, err);
    return rc != 0 ? rc : setup_option(argc, argv, i, "salt", &w->salt, err);
}

static int
report_options(struct ledger_wanted *w, int argc, char **argv, int *i, struct err *err)
{
    if (strcmp(argv[*i], "--print-item") == 0) {
        w->print_item = true;
        return 1;
    }
    return setup_option(argc, argv, i, "to", &w->to, err);
}

static int
home_option(struct ledger_wanted *w, int argc, char **argv, int *i, struct err *err)
{
    int rc = setup_option(argc, argv, i, "home", &w->home, err);

    w->own = w->own || rc > 0;
    return rc;
}

static int
one_option(struct ledger_wanted *w, unsigned takes, int argc, char **argv, int *i, struct err *err)
{
    const char *word = argv[*i];
    int rc = 0;

    if (strcmp(word, "--json") == 0)
        w->json = true;
    else if (strcmp(word, "--no-sandbox") == 0)
        w->sandbox = false;
    else if (word[0] != '-' && w->folder == NULL)
        w->folder = word;
    else {
        rc = home_option(w, argc, argv, i, err);
        if (rc == 0 && (takes & LEDGER_TAKES_REPORT) != 0)
            rc = report_options(w, argc, argv, i, err);
        if (rc == 0 && (takes & LEDGER_TAKES_KEYS) != 0)
            rc = key_options(w, argc, argv, i, err);
        if (rc == 0 && (takes & LEDGER_TAKES_AGAINST) != 0)
            rc = against_option(w, argc, argv, i, err);
        if (rc == 0 && (takes & LEDGER_TAKES_RANGE) != 0)
            rc = range_options(w, argc, argv, i, err);
        if (rc == 0 && (takes & LEDGER_TAKES_ITEM) != 0)
            rc = item_options(w, argc, argv, i, err);
        if (rc == 0)
            return err_set(err, ERR_USAGE,
                "%s: no argument \"%s\"; `comity ledger %s --help` says more", argv[0], word,
                argv[0]);
    }
    return rc < 0 ? rc : 0;
}

int
ledger_options(int argc, char **argv, unsigned takes, const char *text, struct ledger_wanted *out,
    struct err *err)
{
    int rc = 0;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(text, stdout);
        return 1;
    }
    *out = (struct ledger_wanted){.sandbox = true, .count = UINT64_MAX};
    for (int i = 1; rc == 0 && i < argc; i++)
        rc = one_option(out, takes, argc, argv, &i, err);
    if (rc == 0 && out->folder != NULL && (takes & LEDGER_TAKES_REPORT) != 0
        && reportid_is(out->folder)) {
        out->report = out->folder; /* of the node's own */
        out->folder = NULL;
        out->own = true;
    }
    if (rc == 0 && (out->folder != NULL) == out->own)
        rc = err_set(err, ERR_USAGE,
            "%s: name the folder of the log's files, or the node's data folder with --home",
            argv[0]);
    return rc;
}

static int
open_own(const struct ledger_wanted *wanted, struct ledger_copy *out, struct err *err)
{
    char home[SETUP_PATH_BYTES];
    int rc = home_path(wanted->home, home, err);

    if (rc == 0)
        rc = store_open(home, STORE_READ, &out->store, err);
    if (rc == 0)
        out->resources = resources_store_view(out->store);
    return rc;
}

int
ledger_open_copy(const struct ledger_wanted *wanted, struct ledger_copy *out, struct err *err)
{
    const char *files[WALLS_FILES] = {wanted->folder};
    struct walls walls = {.wanted = wanted->sandbox, .files = files, .file_count = 1};

    *out = (struct ledger_copy){.store = NULL};
    if (wanted->own)
        return open_own(wanted, out, err);
    for (size_t i = 0; i < wanted->against_count; i++)
        files[walls.file_count++] = wanted->against[i];
    if (wanted->items != NULL)
        files[walls.file_count++] = wanted->items;
    if (wanted->salt != NULL)
        files[walls.file_count++] = wanted->salt;
    int rc = walls_enter(&walls, err);
    if (rc == 0)
        rc = resources_folder_open(wanted->folder, &out->folder, err);
    if (rc == 0)
        out->resources = resources_folder_view(out->folder);
    return rc;
}

void
ledger_close_copy(struct ledger_copy *copy)
{
    resources_folder_close(copy->folder);
    if (copy->store != NULL)
        store_close(copy->store);
}
