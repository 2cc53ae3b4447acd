/* group.h: which of a command's own commands was meant? */
#ifndef COMITY_CLI_GROUP_H
#define COMITY_CLI_GROUP_H

#include "base/err.h"

#include <stddef.h>

/* Commands with options and a help of their own each. */
struct group_command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0]: the group's name, argv[1]: its own */
    const char *text;
};
struct group {
    const char *name;
    const char *before; /* in its help, above the list of commands */
    const char *behind; /* and below */
    const struct group_command *commands;
    size_t count;
};
/* Run what ARGV names, or print the group's help; the exit status. */
int group_run(const struct group *group, int argc, char **argv);

/* Commands that share their options: the index of WORD (NULL: none was given) in COUNT NAMES.
 * ERR_USAGE says which COMMAND has. */
MUST_USE int group_find(
    const char *command, const char *const *names, size_t count, const char *word, struct err *err);

#endif
