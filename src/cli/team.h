/* team.h: what do the parts of `comity team` share?
 *
 * team.c lists and shows, team_lint.c judges, team_import.c brings in other directories.
 */
#ifndef COMITY_CLI_TEAM_H
#define COMITY_CLI_TEAM_H

#include "flow/roster.h"

/* argv[0] is the word behind `team`. They return an exit status. */
int team_lint(int argc, char **argv);
int team_import(int argc, char **argv);

#endif
