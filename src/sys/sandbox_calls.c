#include "sys/sandbox_calls.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* To whom a row is given. */
enum {
    COMMAND = 1 << SANDBOX_COMMAND,
    FRONT = 1 << SANDBOX_FRONT,
    CORE = 1 << SANDBOX_CORE,
    COURIER = 1 << SANDBOX_COURIER,
    MAILER = 1 << SANDBOX_MAILER,
    FILES = COMMAND | CORE | MAILER,
    ROLES = FRONT | CORE | COURIER | MAILER,
    ALL = COMMAND | ROLES,
};

#define CALL(name, kinds)                                                                          \
    {                                                                                              \
        SCMP_SYS(name), kinds                                                                      \
    }
static const struct {
    int call;
    int kinds;
} allowed[] = {
    /* Reading and writing what is open; memory, time, and ending. sysinfo is what qsort asks. */
    CALL(read, ALL), CALL(pread64, ALL), CALL(readv, ALL), CALL(write, ALL), CALL(writev, ALL),
    CALL(close, ALL), CALL(fstat, ALL), CALL(lseek, ALL), CALL(munmap, ALL), CALL(munlock, ALL),
    CALL(mremap, ALL), CALL(brk, ALL), CALL(madvise, ALL), CALL(getrandom, ALL),
    CALL(clock_gettime, ALL), CALL(ppoll, ALL), CALL(gettimeofday, ALL), CALL(getpid, ALL),
    CALL(gettid, ALL), CALL(futex, ALL), CALL(rt_sigaction, ALL), CALL(rt_sigprocmask, ALL),
    CALL(rt_sigreturn, ALL), CALL(restart_syscall, ALL), CALL(getrusage, ALL), CALL(uname, ALL),
    CALL(sysinfo, ALL), CALL(sched_yield, ALL), CALL(exit, ALL), CALL(exit_group, ALL),
    /* Files, where Landlock lets them be. */
    CALL(pwrite64, FILES), CALL(getdents64, FILES), CALL(fsync, FILES), CALL(fdatasync, FILES),
    CALL(renameat, FILES), CALL(renameat2, FILES), CALL(rename, FILES), CALL(unlink, FILES),
    CALL(unlinkat, FILES), CALL(ftruncate, FILES), CALL(newfstatat, FILES | COURIER),
    /* The store's ways with its files. */
    CALL(stat, CORE), CALL(lstat, CORE), CALL(access, CORE), CALL(faccessat, CORE),
    CALL(faccessat2, CORE), CALL(readlink, CORE), CALL(readlinkat, CORE), CALL(getcwd, CORE),
    CALL(geteuid, CORE), CALL(getuid, CORE), CALL(fallocate, CORE), CALL(pwritev, CORE),
    CALL(preadv, CORE), CALL(mkdir, CORE), CALL(mkdirat, CORE), CALL(rmdir, CORE),
    CALL(msync, CORE), CALL(mlock, CORE), CALL(nanosleep, CORE), CALL(clock_nanosleep, CORE),
    CALL(statfs, CORE), CALL(fstatfs, CORE), CALL(sync_file_range, CORE),
    /* The loop, and the channels. */
    CALL(epoll_wait, ROLES), CALL(epoll_pwait, ROLES), CALL(epoll_ctl, ROLES),
    CALL(epoll_create1, ROLES), CALL(recvmsg, ROLES), CALL(recvfrom, ROLES), CALL(shutdown, ROLES),
    CALL(getsockopt, ROLES), CALL(poll, ROLES),
    /* A door's connections. */
    CALL(accept4, FRONT), CALL(setsockopt, FRONT | COURIER), CALL(getsockname, FRONT | COURIER),
    CALL(getpeername, FRONT | COURIER), CALL(eventfd2, FRONT | CORE | COURIER),
    /* Core's one thread for passwords; clone itself is below. */
    CALL(set_robust_list, CORE), CALL(rseq, CORE),
    /* The courier's. */
    CALL(connect, COURIER), CALL(sendmmsg, COURIER), CALL(sendmsg, COURIER | MAILER),
    CALL(sendto, COURIER | MAILER),
    /* The mailer's, and gpg's and its agent's behind the same walls: processes, */
    CALL(clone, MAILER), CALL(clone3, MAILER), CALL(fork, MAILER), CALL(vfork, MAILER),
    CALL(execve, MAILER), CALL(wait4, MAILER), CALL(waitid, MAILER), CALL(arch_prctl, MAILER),
    CALL(set_tid_address, MAILER), CALL(set_robust_list, MAILER), CALL(rseq, MAILER),
    CALL(sigaltstack, MAILER), CALL(setsid, MAILER), CALL(setpgid, MAILER), CALL(getppid, MAILER),
    CALL(getpgrp, MAILER), CALL(prlimit64, MAILER), CALL(alarm, MAILER), CALL(umask, MAILER),
    CALL(sched_getaffinity, MAILER), CALL(setitimer, MAILER), CALL(timer_create, MAILER),
    CALL(timer_settime, MAILER), CALL(timer_delete, MAILER), CALL(times, MAILER),
    /* who they are, */
    CALL(getuid, MAILER), CALL(geteuid, MAILER), CALL(getgid, MAILER), CALL(getegid, MAILER),
    CALL(getresuid, MAILER), CALL(getresgid, MAILER), CALL(getgroups, MAILER),
    /* pipes, local sockets and files. */
    CALL(pipe, MAILER), CALL(pipe2, MAILER), CALL(dup, MAILER), CALL(dup2, MAILER),
    CALL(dup3, MAILER), CALL(select, MAILER), CALL(pselect6, MAILER), CALL(bind, MAILER),
    CALL(listen, MAILER), CALL(accept, MAILER), CALL(accept4, MAILER), CALL(connect, MAILER),
    CALL(setsockopt, MAILER), CALL(getsockname, MAILER), CALL(getpeername, MAILER),
    CALL(socketpair, MAILER), CALL(eventfd2, MAILER), CALL(inotify_init, MAILER),
    CALL(inotify_init1, MAILER), CALL(inotify_add_watch, MAILER), CALL(inotify_rm_watch, MAILER),
    CALL(stat, MAILER), CALL(lstat, MAILER), CALL(statx, MAILER), CALL(access, MAILER),
    CALL(faccessat, MAILER), CALL(faccessat2, MAILER), CALL(readlink, MAILER),
    CALL(readlinkat, MAILER), CALL(getcwd, MAILER), CALL(chdir, MAILER), CALL(link, MAILER),
    CALL(linkat, MAILER), CALL(mkdir, MAILER), CALL(mkdirat, MAILER), CALL(rmdir, MAILER),
    CALL(chmod, MAILER), CALL(fchmod, MAILER), CALL(fchmodat, MAILER), CALL(flock, MAILER),
    CALL(open, MAILER), CALL(openat, MAILER), CALL(mlock, MAILER), CALL(mmap, MAILER),
    CALL(mprotect, MAILER), CALL(fcntl, MAILER), CALL(fadvise64, MAILER), CALL(close_range, MAILER),
    CALL(nanosleep, MAILER), CALL(clock_nanosleep, MAILER), CALL(clock_getres, MAILER),
    CALL(statfs, MAILER), CALL(fstatfs, MAILER), CALL(fchdir, MAILER), CALL(getpgid, MAILER)};

/* Of a descriptor's flags: no signals to others by F_SETOWN. */
#define FCNTL(command, kinds)                                                                      \
    {                                                                                              \
        SCMP_SYS(fcntl), kinds, SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, command)                   \
    }

/* Calls that are allowed with such an argument only; several rows of one call are alternatives. */
static int
allow_some(scmp_filter_ctx filter, int kind)
{
    const struct {
        int call;
        int kinds;
        struct scmp_arg_cmp argument;
    } some[] = {/* Memory never becomes code. */
        {SCMP_SYS(mmap), ALL, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        {SCMP_SYS(mprotect), ALL, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        /* Emptying a file takes the right to write it, which Landlock's first versions forget. */
        {SCMP_SYS(openat), FILES, SCMP_A2(SCMP_CMP_MASKED_EQ, O_TRUNC, 0)},
        {SCMP_SYS(openat), FILES, SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_WRONLY)},
        {SCMP_SYS(openat), FILES, SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDWR)},
        {SCMP_SYS(openat), COURIER,
            SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_TRUNC | O_CREAT, O_RDONLY)},
        /* isatty; no typing into the operator's terminal. */
        {SCMP_SYS(ioctl), ALL, SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TCGETS)},
        {SCMP_SYS(ioctl), ALL, SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TCGETS2)},
        {SCMP_SYS(ioctl), ROLES, SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, FIONREAD)},
        {SCMP_SYS(ioctl), FRONT | COURIER, SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, FIONBIO)},
        FCNTL(F_GETFD, ALL), FCNTL(F_SETFD, ALL), FCNTL(F_GETFL, ALL), FCNTL(F_SETFL, ROLES),
        FCNTL(F_DUPFD_CLOEXEC, ROLES), FCNTL(F_GETLK, CORE), FCNTL(F_SETLK, CORE),
        FCNTL(F_SETLKW, CORE), FCNTL(F_OFD_GETLK, CORE), FCNTL(F_OFD_SETLK, CORE),
        FCNTL(F_OFD_SETLKW, CORE),
        /* Sending never begins a connection (TCP Fast Open), and goes nowhere but where the socket
         * leads already. */
        {SCMP_SYS(sendmsg), FRONT | CORE, SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0)},
        {SCMP_SYS(sendto), FRONT | CORE, SCMP_A4(SCMP_CMP_EQ, 0)},
        {SCMP_SYS(clone), CORE, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)},
        /* abort. */
        {SCMP_SYS(tgkill), ALL, SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)getpid())}};
    int rc = 0;

    if (kind == MAILER) /* has them whole: other programs run behind its walls */
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                   SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TCGETS))
            + seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0)
            /* The agent asks whether who started it is there still: one process, and no signal. */
            + seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 2,
                SCMP_A0(SCMP_CMP_MASKED_EQ, (scmp_datum_t)1 << 31, 0),
                SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, 0))
            + seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, PR_SET_NAME));
    for (size_t i = 0; rc == 0 && i < sizeof some / sizeof some[0]; i++)
        if ((some[i].kinds & kind) != 0)
            rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, some[i].call, 1, &some[i].argument);
    return rc;
}

/* TCP and UDP over IPv4 and IPv6: nothing raw, and no local sockets, behind which services of this
 * machine listen. The mailer the other way round. */
static int
allow_sockets(scmp_filter_ctx filter, int kind)
{
    static const scmp_datum_t families[] = {AF_INET, AF_INET6};
    static const scmp_datum_t types[] = {SOCK_STREAM, SOCK_DGRAM};
    int rc = 0;

    if (kind == MAILER) /* the agent's */
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
            SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, AF_UNIX));
    for (size_t i = 0; rc == 0 && kind == COURIER && i < 4; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
            SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, families[i / 2]),
            SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX & ~(scmp_datum_t)(SOCK_CLOEXEC | SOCK_NONBLOCK),
                types[i % 2]));
    return rc;
}

/* What a library tries and can do without: refused, but no crime. */
static int
refuse_some(scmp_filter_ctx filter, int kind)
{
    const struct {
        int call;
        int kinds;
        int error;
    } some[] = {/* GnuTLS and the resolver look for settings; SQLite, as root, gives files away. */
        {SCMP_SYS(newfstatat), FRONT, EACCES},
        /* Its flags lie in memory, where no filter sees them: the C library takes clone then. */
        {SCMP_SYS(clone3), CORE, ENOSYS}, {SCMP_SYS(fchown), CORE, EPERM},
        {SCMP_SYS(fchmod), CORE, EPERM}};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof some / sizeof some[0]; i++)
        if ((some[i].kinds & kind) != 0)
            rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)some[i].error), some[i].call, 0);
    return rc;
}

int
sandbox_calls(enum sandbox_kind kind, struct err *err)
{
    /* Another make of gpg may try what none is known to need: it can go on without, and must. */
    scmp_filter_ctx filter =
        seccomp_init(kind == SANDBOX_MAILER ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
    int rc = filter == NULL ? -ENOMEM : 0;

    for (size_t i = 0; rc == 0 && i < sizeof allowed / sizeof allowed[0]; i++)
        if ((allowed[i].kinds & 1 << kind) != 0)
            rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i].call, 0);
    if (rc == 0)
        rc = allow_some(filter, 1 << kind);
    if (rc == 0)
        rc = allow_sockets(filter, 1 << kind);
    if (rc == 0)
        rc = refuse_some(filter, 1 << kind);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? 0 : sandbox_refused("seccomp", -rc, err);
}
