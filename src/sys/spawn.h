/* spawn.h: how does this program start itself again in another role?
 */
#ifndef COMITY_SYS_SPAWN_H
#define COMITY_SYS_SPAWN_H

#include "base/err.h"

#include <sys/types.h>

/* This very program, even if its file is replaced later: *FD is the caller's. ERR_IO. */
MUST_USE int spawn_self(int *fd, struct err *err);

/* A process that runs PROGRAM (of spawn_self) as "comity: ROLE --role ROLE", with standard output
 * and error as here, nothing to read, PARENT_FD as descriptor 3, LOCK_FD (-1: none) as 4, and no
 * other; signals are as they were at this program's start. ERR_IO. */
MUST_USE int spawn_role(
    int program, const char *role, int parent_fd, int lock_fd, pid_t *pid, struct err *err);

enum { SPAWN_ENDED_BYTES = 80 };
/* In words what waitpid's STATUS says: "was killed by signal 9 (Killed)". */
void spawn_ended(int status, char out[SPAWN_ENDED_BYTES]);

#endif
