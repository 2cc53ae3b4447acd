#include "core/core.h"

#include "base/log.h"

#include <stdlib.h>

int
core_main(const struct role_start *start)
{
    const struct sandbox_paths paths = {
        .write = (const char *const[]){start->home}, .write_count = 1};
    struct err err = {0};
    int rc = role_wall(start, &paths, &err);

    if (rc == 0)
        rc = role_ready(start->role, &err);
    if (rc == 0)
        rc = loop_run(start->loop, &err);
    if (rc == 0)
        return EXIT_SUCCESS;
    log_error_of("role failed", &err);
    return EXIT_FAILURE;
}
