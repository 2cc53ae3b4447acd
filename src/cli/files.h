/* files.h: which files do these arguments name?
 *
 * Files stand for themselves, folders for all regular files below them in the order of their
 * names (hidden ones aside), "-" for standard input.
 */
#ifndef COMITY_CLI_FILES_H
#define COMITY_CLI_FILES_H

#include "base/mem.h"

#include <stdint.h>

/* Errors: ERR_NOT_FOUND names the argument; ERR_LIMIT beyond JOB_FILES_MAX files. BYTES: of files
 * whose size is known. */
MUST_USE int files_expand(struct arena *arena, const char *const *arguments, size_t count,
    const char ***files, size_t *file_count, uint64_t *bytes, struct err *err);

#endif
