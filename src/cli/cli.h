/* cli.h: which subcommand was meant, and what does its exit status say?
 *
 * argv[0] is the subcommand's name. Every command prints help on --help.
 */
#ifndef COMITY_CLI_CLI_H
#define COMITY_CLI_CLI_H

enum cli_exit {
    EXIT_DONE = 0, /* everything was done */
    EXIT_REJECTED =
        1, /* done, but some records were rejected, inputs failed or the node is not well */
    EXIT_USAGE = 2,  /* the command line was not understood */
    EXIT_FAILED = 3, /* it could not be done, or not to its end; the message says why */
};

#define COMMAND(function, name, arguments, text) int cli_##function(int argc, char **argv);
#include "tables/commands.def"
#undef COMMAND

/* comity --role NAME: one of the processes that `comity serve` starts. */
int cli_role(int argc, char **argv);

#endif
