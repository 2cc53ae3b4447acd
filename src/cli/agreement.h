/* agreement.h: which of an agreement's commands was meant?
 *
 * Each takes what stands behind `comity`, so that argv[0] is "agreement" and argv[1] its own
 * name, prints its help on --help, and gives the exit status.
 */
#ifndef COMITY_CLI_AGREEMENT_H
#define COMITY_CLI_AGREEMENT_H

#define AGREEMENT_COMMAND(function, name, text) int agreement_##function(int argc, char **argv);
#include "tables/agreement_commands.def"
#undef AGREEMENT_COMMAND

#endif
