#include "cli/ledger.h"

#include "cli/cli.h"
#include "cli/group.h"
#include "cli/home.h"
#include "cli/reportid.h"
#include "cli/setup.h"
#include "cli/walls.h"

#include <stdio.h>
#include <string.h>

static const struct group_command commands[] = {
#define LEDGER_COMMAND(function, name, text) {name, ledger_##function, text},
#include "tables/ledger_commands.def"
#undef LEDGER_COMMAND
};

enum { WALLS_FILES = LEDGER_AGAINST_MAX + 3 };

int
cli_ledger(int argc, char **argv)
{
    static const struct group group = {
        .name = "ledger",
        .before =
            "usage: comity ledger COMMAND [OPTIONS] FOLDER\n"
            "       comity ledger COMMAND [OPTIONS] --home DIR\n\n"
            "A node's ledger, from a copy of its static files (doc/ledger-format.md): checkpoint,\n"
            "tiles, entries; or with --home that of the node whose data folder it is, also while "
            "it\n"
            "runs. Nothing is written, nothing is fetched.\n\n",
        .behind = "\n`comity ledger COMMAND --help` says more; `comity verify` checks what `prove` "
                  "makes.\n",
        .commands = commands,
        .count = sizeof commands / sizeof commands[0],
    };

    return group_run(&group, argc, argv);
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
    if (strcmp(argv[*i], "--recall") == 0) {
        w->recall = true;
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
        if (rc == 0 && (takes & LEDGER_TAKES_USE) != 0)
            rc = setup_option(argc, argv, i, "use", &w->use, err);
        if (rc == 0 && (takes & LEDGER_TAKES_ITEM) != 0)
            rc = item_options(w, argc, argv, i, err);
        if (rc == 0)
            return err_set(err, ERR_USAGE,
                "%s: no argument \"%s\"; `comity ledger %s --help` says more", argv[1], word,
                argv[1]);
    }
    return rc < 0 ? rc : 0;
}

int
ledger_options(int argc, char **argv, unsigned takes, const char *text, struct ledger_wanted *out,
    struct err *err)
{
    int rc = 0;

    if (argc == 3 && strcmp(argv[2], "--help") == 0) {
        (void)fputs(text, stdout);
        return 1;
    }
    *out = (struct ledger_wanted){.sandbox = true, .count = UINT64_MAX};
    for (int i = 2; rc == 0 && i < argc; i++)
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
            argv[1]);
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
