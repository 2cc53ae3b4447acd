#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

int
cli_version(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--json") == 0)
        (void)printf("{\"name\":\"comity\",\"version\":\"%s\",\"compiler\":\"%s\"}\n",
            COMITY_VERSION, __VERSION__);
    else
        (void)printf("comity %s\n", COMITY_VERSION);
    return EXIT_DONE;
}
