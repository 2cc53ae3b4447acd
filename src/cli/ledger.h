/* ledger.h: which of a ledger's commands was meant, and on which copy of the log?
 *
 * Each command takes what stands behind `comity`, so that argv[1] is its own name.
 */
#ifndef COMITY_CLI_LEDGER_H
#define COMITY_CLI_LEDGER_H

#include "base/err.h"
#include "cli/vkeys.h"
#include "store/resources.h"
#include "store/store.h"

enum { LEDGER_AGAINST_MAX = 64 };

#define LEDGER_COMMAND(function, name, text) int ledger_##function(int argc, char **argv);
#include "tables/ledger_commands.def"
#undef LEDGER_COMMAND

/* Which options a command takes, besides --json, --no-sandbox and the folder. */
enum ledger_takes {
    LEDGER_TAKES_KEYS = 1 << 0,
    LEDGER_TAKES_AGAINST = 1 << 1,
    LEDGER_TAKES_RANGE = 1 << 2,
    LEDGER_TAKES_ITEM = 1 << 3,
    LEDGER_TAKES_REPORT = 1 << 4, /* which is named in the folder's place, if none is there */
    LEDGER_TAKES_USE = 1 << 5,
};
struct ledger_wanted {
    const char *folder; /* NULL: the node's own ledger */
    const char *home;   /* of that node; NULL: where it is by default */
    const char *report;
    const char *to;
    const char *use; /* of a key; NULL: the log's */
    struct vkeys keys;
    struct vkeys witnesses;
    const char *against[LEDGER_AGAINST_MAX];
    size_t against_count;
    uint64_t from;
    uint64_t count; /* UINT64_MAX: to the end */
    const char *items;
    const char *salt;
    uint64_t item;
    bool own; /* --home */
    bool print_item;
    bool recall;
    bool has_from; /* --from, --entry */
    bool has_item;
    bool json;
    bool sandbox;
};

/* 1: help was printed. ERR_USAGE. */
int ledger_options(int argc, char **argv, unsigned takes, const char *help,
    struct ledger_wanted *out, struct err *err);
/* The log that is meant: a copy in a folder, or the node's. */
struct ledger_copy {
    struct resources resources;
    struct resources_folder *folder;
    struct store *store; /* the node's, for reading */
};
/* A copy is read behind walls, from here on: the folder and what the options name can be read. The
 * node's own store is as it is for `comity store`. Owner: the caller, also after an error. */
MUST_USE int ledger_open_copy(
    const struct ledger_wanted *wanted, struct ledger_copy *out, struct err *err);
void ledger_close_copy(struct ledger_copy *copy);

#endif
