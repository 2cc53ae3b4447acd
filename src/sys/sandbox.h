/* sandbox.h: what can this process still do once it reads hostile bytes?
 *
 * Landlock takes away every file but those named, seccomp every system call that the process's work
 * does not need: of a command that is reading and writing files; of the node's roles what
 * doc/node.md allows them. No new process, no debugging, no signals to others. Nothing is given
 * back. If the kernel refuses any of it, the work is refused too.
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

enum sandbox_kind {
    SANDBOX_COMMAND, /* files as PATHS say, no sockets */
    SANDBOX_FRONT, /* what is open: accept, receive and send there; it opens nothing, whatever PATHS
                      say */
    SANDBOX_CORE, /* files as PATHS say, folders and locks below those it may write; it receives and
                     sends on what is open */
    SANDBOX_COURIER, /* connects by IPv4 and IPv6; files are read as PATHS say */
    SANDBOX_MAILER,  /* runs the programs of this machine (gpg), which inherit the walls; files as
                        PATHS say, read ones may be run; local sockets only */
    SANDBOX_KINDS
};

/* Enter it for good. Errors: ERR_SANDBOX says which part the kernel refused. */
MUST_USE int sandbox_enter(const struct sandbox_paths *paths, struct err *err);
MUST_USE int sandbox_enter_as(
    enum sandbox_kind kind, const struct sandbox_paths *paths, struct err *err);

/* For the node's parent, whose walls all roles inherit: it may read and run everything, but write
 * below PATHS' folders only (and make sockets there), and gains no rights by running something. */
MUST_USE int sandbox_enter_parent(const struct sandbox_paths *paths, struct err *err);

#endif
