/* walls.h: behind which walls does a command read hostile bytes?
 *
 * The sandbox as the commands that read reports, queries and other people's cards need it: the
 * files named, the share folder and the mapping may be read, the output folders written, nothing
 * else. What is open already stays usable.
 */
#ifndef COMITY_CLI_WALLS_H
#define COMITY_CLI_WALLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct walls {
    bool wanted;              /* false: --no-sandbox, told on stderr */
    const char *const *files; /* "-" is standard input, open already */
    size_t file_count;
    const char *share_dir;    /* NULL: none */
    const char *mapping_path; /* NULL: none */
    const char *const *write; /* folders */
    size_t write_count;
};

/* Enter for good, once everything trusted is open. Files that are not there are left out: opening
 * them fails later, with their name. Errors: ERR_SANDBOX. */
MUST_USE int walls_enter(const struct walls *walls, struct err *err);

#endif
