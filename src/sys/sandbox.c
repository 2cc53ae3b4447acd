#include "sys/sandbox.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights of Landlock's first version, which every kernel with Landlock has. */
#define READ_FOLDER (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FOLDER                                                                               \
    (READ_FOLDER | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG                     \
        | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define ALL_RIGHTS                                                                                 \
    (WRITE_FOLDER | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR                     \
        | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR                               \
        | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO                              \
        | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static int
refused(const char *what, int error, struct err *err)
{
    return err_set(err, ERR_SANDBOX,
        "the kernel refuses the sandbox (%s: %s), so nothing is read; "
        "--no-sandbox works without it, at your own risk",
        what, strerror(error));
}

static int
allow_path(int ruleset, const char *path, uint64_t rights, struct err *err)
{
    struct stat about;
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "%s cannot be opened: %s", path, strerror(errno));
    if (fstat(fd, &about) == 0 && !S_ISDIR(about.st_mode))
        rights &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int error = errno;
    (void)close(fd);
    /* An anonymous pipe, as of `<(command)`, lies in no folder, and needs no leave (landlock(7)).
     */
    if (rc != 0 && error == EBADFD && S_ISFIFO(about.st_mode))
        return 0;
    return rc == 0 ? 0 : refused("landlock rule", error, err);
}

static int
limit_files(const struct sandbox_paths *paths, struct err *err)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_RIGHTS};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    int rc = 0;

    if (ruleset < 0)
        return refused("landlock", errno, err);
    for (size_t i = 0; rc == 0 && i < paths->read_count; i++)
        rc = allow_path(ruleset, paths->read[i], READ_FOLDER, err);
    for (size_t i = 0; rc == 0 && i < paths->write_count; i++)
        rc = allow_path(ruleset, paths->write[i], WRITE_FOLDER, err);
    if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        rc = refused("landlock", errno, err);
    (void)close(ruleset);
    return rc;
}

/* Reading, writing, memory, time, and ending; nothing else. sysinfo is what qsort asks. */
static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
    SCMP_SYS(lseek), SCMP_SYS(getdents64), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(rename), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
    SCMP_SYS(ftruncate), SCMP_SYS(munmap), SCMP_SYS(munlock), SCMP_SYS(mremap), SCMP_SYS(brk),
    SCMP_SYS(madvise), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(ppoll),
    SCMP_SYS(gettimeofday), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(futex),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(restart_syscall), SCMP_SYS(getrusage), SCMP_SYS(uname), SCMP_SYS(sysinfo),
    SCMP_SYS(sched_yield), SCMP_SYS(exit), SCMP_SYS(exit_group)};

/* Calls that are allowed with such an argument only; several rows of one call are alternatives. */
static int
allow_some(scmp_filter_ctx filter)
{
    const struct {
        int call;
        struct scmp_arg_cmp argument;
    } some[] = {/* Memory never becomes code. */
        {SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        {SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        /* Emptying a file takes the right to write it, which Landlock's first versions forget. */
        {SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, O_TRUNC, 0)},
        {SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_WRONLY)},
        {SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDWR)},
        /* isatty; no typing into the operator's terminal. */
        {SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TCGETS)},
        {SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TCGETS2)},
        /* No signals to others by F_SETOWN. */
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, F_GETFD)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, F_SETFD)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, F_GETFL)},
        /* abort. */
        {SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)getpid())}};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof some / sizeof some[0]; i++)
        rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, some[i].call, 1, &some[i].argument);
    return rc;
}

static int
limit_calls(struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int rc = filter == NULL ? -ENOMEM : 0;

    for (size_t i = 0; rc == 0 && i < sizeof allowed / sizeof allowed[0]; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    if (rc == 0)
        rc = allow_some(filter);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? 0 : refused("seccomp", -rc, err);
}

int
sandbox_enter(const struct sandbox_paths *paths, struct err *err)
{
    int rc;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refused("no_new_privs", errno, err);
    rc = limit_files(paths, err);
    return rc == 0 ? limit_calls(err) : rc;
}
