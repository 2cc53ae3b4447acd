#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments;
    const char *text;
} commands[] = {
#define COMMAND(function, name, arguments, text) {name, cli_##function, arguments, text},
#include "tables/commands.def"
#undef COMMAND
};

/* What was said counts only if it arrived. */
static int
said(int status)
{
    if ((fflush(stdout) == 0 && ferror(stdout) == 0) || status > EXIT_REJECTED)
        return status;
    (void)fputs("comity: standard output cannot be written\n", stderr);
    return EXIT_FAILED;
}

static int
help(FILE *out)
{
    (void)fputs("comity: tell the right team, under the agreement in force, and prove it\n\n"
                "usage: comity COMMAND [ARGUMENTS]\n\n",
        out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].text);
    (void)fputs("\n`comity COMMAND --help` says more; `man comity` has it all.\n", out);
    return out == stderr ? EXIT_USAGE : EXIT_DONE;
}

int
main(int argc, char **argv)
{
    if (argc < 2)
        return help(stderr);
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0
        || strcmp(argv[1], "-h") == 0)
        return said(help(stdout));
    if (strcmp(argv[1], "--role") == 0)
        return cli_role(argc - 1, argv + 1);
    if (strcmp(argv[1], "--version") == 0)
        argv[1] += 2;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return said(commands[i].run(argc - 1, argv + 1));
    (void)fprintf(stderr, "comity: no command \"%s\"; `comity help` lists them\n", argv[1]);
    return EXIT_USAGE;
}
