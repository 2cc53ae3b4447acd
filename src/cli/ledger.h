/* ledger.h: which of a ledger's commands was meant, and on which copy of the log? */
#ifndef COMITY_CLI_LEDGER_H
#define COMITY_CLI_LEDGER_H

#include "base/err.h"
#include "cli/vkeys.h"
#include "store/resources.h"

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
};
struct ledger_wanted {
    const char *folder;
    struct vkeys keys;
    struct vkeys witnesses;
    const char *against[LEDGER_AGAINST_MAX];
    size_t against_count;
    bool has_from; /* --from, --entry */
    uint64_t from;
    uint64_t count; /* UINT64_MAX: to the end */
    const char *items;
    const char *salt;
    bool has_item;
    uint64_t item;
    bool json;
    bool sandbox;
};

/* 1: help was printed. ERR_USAGE. */
int ledger_options(int argc, char **argv, unsigned takes, const char *help,
    struct ledger_wanted *out, struct err *err);
/* Behind walls, from here on: the folder and what the options name can be read. */
MUST_USE int ledger_open_copy(
    const struct ledger_wanted *wanted, struct resources_folder **out, struct err *err);

#endif
