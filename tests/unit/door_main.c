/* A front with the test routes for tests/system/http.py: prints its port, and stops at the end of
 * its input. */
#include "door_host.h"

#include <stdio.h>
#include <unistd.h>

int
main(void)
{
    struct host host = {0};
    char c;

    host_start(&host, -1, &guard_usual, NULL);
    (void)printf("%d\n", host.port);
    (void)fflush(stdout);
    while (read(0, &c, 1) > 0)
        ;
    host_stop(&host);
    return 0;
}
