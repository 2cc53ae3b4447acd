/* team.h: what do the parts of `comity team` share?
 *
 * team.c lists and shows, team_lint.c judges, team_import.c brings in other directories;
 * team_publish.c signs this team's own card, team_cards.c deals with those of others.
 */
#ifndef COMITY_CLI_TEAM_H
#define COMITY_CLI_TEAM_H

#include "flow/roster.h"

/* argv[0] is the word behind `team`. They return an exit status. */
int team_lint(int argc, char **argv);
int team_import(int argc, char **argv);
int team_publish(int argc, char **argv);
int team_rekey(int argc, char **argv);
int team_vouch(int argc, char **argv);
int team_accept(int argc, char **argv);
int team_refuse(int argc, char **argv);
int team_waiting(int argc, char **argv);

#endif
