#include "cli/agreement.h"

#include "cli/cli.h"
#include "cli/group.h"

static const struct group_command commands[] = {
#define AGREEMENT_COMMAND(function, name, text) {name, agreement_##function, text},
#include "tables/agreement_commands.def"
#undef AGREEMENT_COMMAND
};

int
cli_agreement(int argc, char **argv)
{
    static const struct group group = {
        .name = "agreement",
        .before = "usage: comity agreement COMMAND [ARGUMENTS]\n\n"
                  "Agreements: documents that people sign and Comity executes\n"
                  "(comity-agreement(5), doc/agreement-language.md).\n\n",
        .behind = "\n`comity agreement COMMAND --help` says more.\n",
        .commands = commands,
        .count = sizeof commands / sizeof commands[0],
    };

    return group_run(&group, argc, argv);
}
