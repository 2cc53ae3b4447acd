#include "cli/agreement.h"

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const struct agreement_command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *text;
} commands[] = {
#define AGREEMENT_COMMAND(function, name, text) {name, agreement_##function, text},
#include "tables/agreement_commands.def"
#undef AGREEMENT_COMMAND
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int
help(FILE *out)
{
    (void)fputs("usage: comity agreement COMMAND [ARGUMENTS]\n\n"
                "Agreements: documents that people sign and Comity executes\n"
                "(comity-agreement(5), doc/agreement-language.md).\n\n",
        out);
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].text);
    (void)fputs("\n`comity agreement COMMAND --help` says more.\n", out);
    return out == stderr ? EXIT_USAGE : EXIT_DONE;
}

int
cli_agreement(int argc, char **argv)
{
    if (argc < 2)
        return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return help(stdout);
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc, argv);
    (void)fprintf(stderr,
        "comity: agreement has no command \"%s\"; `comity agreement --help` lists them\n", argv[1]);
    return EXIT_USAGE;
}
