/* probe.h: what becomes of a process that tries something behind walls?
 *
 * Each attempt is a process of its own, which enters the walls first and is then refused, killed,
 * or goes on.
 */
#ifndef COMITY_TESTS_PROBE_H
#define COMITY_TESTS_PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum outcome { WENT_ON, REFUSED, KILLED, FAILED, NO_WALLS };
static const char *const outcome_names[] = {
    "went on", "was refused", "was killed", "failed otherwise", "got no walls"};

struct probe {
    const char *name;
    int (*what)(void);
};

/* One row of a table of probes: what is tried is an expression that is 0 when it went on. */
#define PROBE(name, expression)                                                                    \
    static int name(void)                                                                          \
    {                                                                                              \
        return (expression);                                                                       \
    }
#define NAMED(name)                                                                                \
    {                                                                                              \
#name, name                                                                                \
    }

static int
open_close(const char *path, int flags)
{
    int fd = open(path, flags, 0600);

    return fd < 0 ? -1 : close(fd);
}

static enum outcome
attempt(int (*enter)(void), int (*what)(void))
{
    const struct rlimit no_core = {0, 0};
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &no_core);
        if (enter() != 0)
            _exit(NO_WALLS);
        errno = 0;
        if (what() == 0)
            _exit(WENT_ON);
        _exit(errno == EACCES || errno == EPERM || errno == EXDEV ? REFUSED : FAILED);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? KILLED : FAILED;
    return (enum outcome)WEXITSTATUS(status);
}

static void
expect_behind(int (*enter)(void), const struct probe *probes, size_t count, enum outcome wanted)
{
    for (size_t i = 0; i < count; i++) {
        enum outcome got = attempt(enter, probes[i].what);
        if (got != wanted)
            fail_msg("%s: %s, should have: %s", probes[i].name, outcome_names[got],
                outcome_names[wanted]);
    }
}

#endif
