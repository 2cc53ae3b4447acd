#include "edge/roles.h"

#include "base/log.h"

#include <stdlib.h>

int
courier_main(const struct role_start *start)
{
    static const struct sandbox_paths none = {0};
    struct err err = {0};
    int rc = role_wall(start, &none, &err);

    if (rc == 0)
        rc = role_ready(start->role, &err);
    if (rc == 0)
        rc = loop_run(start->loop, &err);
    if (rc == 0)
        return EXIT_SUCCESS;
    log_error_of("role failed", &err);
    return EXIT_FAILURE;
}
