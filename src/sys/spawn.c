#include "sys/spawn.h"

#include "sys/role_hand.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HIGH_FD = 10, NOT_RUN = 127 };

int
spawn_self(int *fd, struct err *err)
{
    *fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    return *fd >= 0
        ? 0
        : err_set(err, ERR_IO, "this program's own file cannot be opened: %s", strerror(errno));
}

/* Out of the way of the numbers that are given, and then there; not closed by exec. */
static int
place(int *parent_fd, int *lock_fd)
{
    *parent_fd = fcntl(*parent_fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (*lock_fd >= 0)
        *lock_fd = fcntl(*lock_fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (*parent_fd < 0 || dup2(*parent_fd, ROLE_PARENT_FD) < 0)
        return -1;
    return *lock_fd < 0 || dup2(*lock_fd, ROLE_LOCK_FD) >= 0 ? 0 : -1;
}

/* Nothing else of the parent's may be left open, and the operator's terminal is not read. */
static int
leave_the_rest(int lock_fd)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
        return -1;
    return close_range(
        lock_fd < 0 ? ROLE_LOCK_FD : ROLE_LOCK_FD + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}

static _Noreturn void
become(int program, const char *role, int parent_fd, int lock_fd)
{
    extern char **environ;
    char shown[64];
    char option[] = "--role";
    char name[64];
    char *const words[] = {shown, option, name, NULL};
    sigset_t none;

    (void)snprintf(shown, sizeof shown, "comity: %s", role);
    (void)snprintf(name, sizeof name, "%s", role);
    program = fcntl(program, F_DUPFD_CLOEXEC, HIGH_FD);
    (void)sigemptyset(&none);
    if (program >= 0 && place(&parent_fd, &lock_fd) == 0 && leave_the_rest(lock_fd) == 0
        && sigprocmask(SIG_SETMASK, &none, NULL) == 0)
        (void)fexecve(program, words, environ);
    _exit(NOT_RUN);
}

int
spawn_role(int program, const char *role, int parent_fd, int lock_fd, pid_t *pid, struct err *err)
{
    *pid = fork();
    if (*pid == 0)
        become(program, role, parent_fd, lock_fd);
    return *pid > 0
        ? 0
        : err_set(err, ERR_IO, "a process for %s cannot be started: %s", role, strerror(errno));
}

void
spawn_ended(int status, char out[SPAWN_ENDED_BYTES])
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        (void)snprintf(out, SPAWN_ENDED_BYTES, "was killed, as it tried what its walls forbid");
    else if (WIFSIGNALED(status))
        (void)snprintf(out, SPAWN_ENDED_BYTES, "was killed by signal %d (%s)", WTERMSIG(status),
            strsignal(WTERMSIG(status)));
    else if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_RUN)
        (void)snprintf(out, SPAWN_ENDED_BYTES, "could not be run");
    else
        (void)snprintf(out, SPAWN_ENDED_BYTES, "ended with status %d", WEXITSTATUS(status));
}
