#include "cli/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int
cli_version(int argc, char **argv)
{
    static const char usage[] = "usage: comity version [--json]\n";
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
    if (argc > 1 && !json) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (json)
        (void)printf("{\"name\":\"comity\",\"version\":\"%s\",\"compiler\":\"%s\"}\n",
            COMITY_VERSION, __VERSION__);
    else
        (void)printf("comity %s\n", COMITY_VERSION);
    return EXIT_DONE;
}
