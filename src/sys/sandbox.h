/* sandbox.h: what can this process still do once it reads hostile bytes?
 *
 * Landlock takes away every file but those named, seccomp every system call that reading
 * and writing them does not need: no network, no new process, no debugging. Nothing is
 * given back. If the kernel refuses any of it, the work is refused too.
 */
#ifndef COMITY_SYS_SANDBOX_H
#define COMITY_SYS_SANDBOX_H

#include "base/err.h"

enum { SANDBOX_PATHS_MAX = 4096 };

struct sandbox_paths {
    const char *const *read; /* files and folders (with all below) that may be read */
    size_t read_count;
    const char *const *write; /* folders in which files may be made, replaced and removed */
    size_t write_count;
};

/* Enter it for good. Errors: ERR_SANDBOX says which part the kernel refused. */
MUST_USE int sandbox_enter(const struct sandbox_paths *paths, struct err *err);

#endif
