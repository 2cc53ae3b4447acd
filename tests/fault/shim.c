/* shim.c: what if the machine fails a role just there?
 *
 * Preloaded into the program as it is shipped (LD_PRELOAD), told by a file that the test shares
 * with it (FAULT_CONTROL, struct control). It numbers what a role says to others and to the disk:
 * every sync, rename, unlink, truncation, message, and run of writes, each before and after. At the
 * number it is told the role dies by SIGKILL. It also lets syncs and writes fail, and moves the
 * clock.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WORD_BYTES = 32 };

/* tests/fault/control.py has the same. */
struct control {
    char role[WORD_BYTES]; /* who is meant, by its word */
    _Atomic uint64_t armed;
    _Atomic uint64_t count;  /* boundaries since it was armed */
    _Atomic uint64_t die_at; /* 0: never */
    _Atomic uint64_t died;
    char last[WORD_BYTES];        /* the boundary at which it died */
    _Atomic uint64_t sync_error;  /* errno of syncs; 0: they work */
    _Atomic uint64_t write_error; /* of writes to files */
    _Atomic uint64_t skip;        /* so many syncs and writes work before */
    _Atomic uint64_t failures;    /* so many fail; then they work again */
    _Atomic uint64_t failed;
    _Atomic uint64_t amid;    /* each so-manyth write of a run is a boundary, too */
    _Atomic int64_t clock_us; /* added to the time of day, for everybody */
};

static struct control *control;
static char role[WORD_BYTES];   /* this process's */
static _Atomic uint64_t writes; /* of this run */

static struct {
    int (*fsync)(int);
    int (*fdatasync)(int);
    ssize_t (*pwrite64)(int, const void *, size_t, off64_t);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*writev)(int, const struct iovec *, int);
    int (*ftruncate64)(int, off64_t);
    int (*rename)(const char *, const char *);
    int (*renameat)(int, const char *, int, const char *);
    int (*unlink)(const char *);
    ssize_t (*send)(int, const void *, size_t, int);
    ssize_t (*sendmsg)(int, const struct msghdr *, int);
    int (*clock_gettime)(clockid_t, struct timespec *);
} real;

static void
look_up(void *slot, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        abort();
    memcpy(slot, &found, sizeof found);
}

/* Roles are started as "comity: core" --role core; all else is the parent. */
static void
read_role(void)
{
    char line[256] = {0};
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 2 * WORD_BYTES);
    const char *option = line + strlen(line) + 1;
    bool is_role = n > 0 && strcmp(option, "--role") == 0;

    if (fd >= 0)
        (void)close(fd);
    (void)snprintf(
        role, sizeof role, "%.*s", WORD_BYTES - 1, is_role ? option + sizeof "--role" : "parent");
}

static bool
is_meant(void)
{
    return control != NULL && strncmp(control->role, role, WORD_BYTES) == 0;
}

/* Other libraries' beginnings may come before ours. */
static void
find_real(void)
{
    if (real.clock_gettime != NULL)
        return;
    look_up(&real.fsync, "fsync");
    look_up(&real.fdatasync, "fdatasync");
    look_up(&real.pwrite64, "pwrite64");
    look_up(&real.write, "write");
    look_up(&real.writev, "writev");
    look_up(&real.ftruncate64, "ftruncate64");
    look_up(&real.rename, "rename");
    look_up(&real.renameat, "renameat");
    look_up(&real.unlink, "unlink");
    look_up(&real.send, "send");
    look_up(&real.sendmsg, "sendmsg");
    look_up(&real.clock_gettime, "clock_gettime");
}

__attribute__((constructor)) static void
begin(void)
{
    const char *path = getenv("FAULT_CONTROL");

    find_real();
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (p == MAP_FAILED)
        return;
    read_role();
    control = p;
}

static bool
is_kind(int fd, mode_t kind)
{
    struct stat about;
    int kept = errno;
    bool is = fstat(fd, &about) == 0 && (about.st_mode & S_IFMT) == kind;

    errno = kept;
    return is;
}

static void
boundary(const char *when, const char *what)
{
    if (!is_meant() || control->armed == 0 || control->die_at == 0)
        return;
    if (atomic_fetch_add(&control->count, 1) + 1 != control->die_at)
        return;
    (void)snprintf(control->last, WORD_BYTES, "%s %s", when, what);
    control->armed = 0;
    control->died++;
    (void)raise(SIGKILL);
}

static void
boundary_of_write(void)
{
    uint64_t before = atomic_fetch_add(&writes, 1);

    if (before == 0)
        boundary("before", "write");
    else if (is_meant() && control->amid != 0 && before % control->amid == 0)
        boundary("amid", "write");
}

static void
other(const char *what)
{
    find_real();
    writes = 0;
    boundary("before", what);
}

static bool
fails(const _Atomic uint64_t *error)
{
    if (*error == 0 || control->failures == 0)
        return false;
    if (control->skip > 0) {
        control->skip--;
        return false;
    }
    control->failures--;
    control->failed++;
    errno = (int)*error;
    return true;
}

static int
sync_with(int (*const *how)(int), int fd)
{
    find_real();
    if (!is_kind(fd, S_IFREG) && !is_kind(fd, S_IFDIR))
        return (*how)(fd);
    other("sync");
    if (is_meant() && fails(&control->sync_error))
        return -1;
    int rc = (*how)(fd);
    boundary("after", "sync");
    return rc;
}

int
fsync(int fd)
{
    return sync_with(&real.fsync, fd);
}

int
fdatasync(int fd)
{
    return sync_with(&real.fdatasync, fd);
}

static bool
write_fails(int fd)
{
    find_real();
    if (!is_kind(fd, S_IFREG))
        return false;
    boundary_of_write();
    return is_meant() && fails(&control->write_error);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return write_fails(fd) ? -1 : real.pwrite64(fd, p, n, at);
}

ssize_t
write(int fd, const void *p, size_t n)
{
    if (is_kind(fd, S_IFSOCK)) {
        other("send");
        ssize_t sent = real.write(fd, p, n);
        boundary("after", "send");
        return sent;
    }
    return write_fails(fd) ? -1 : real.write(fd, p, n);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
    other("send");
    ssize_t n = real.writev(fd, parts, count);
    boundary("after", "send");
    return n;
}

int
ftruncate64(int fd, off64_t size)
{
    other("truncate");
    int rc = real.ftruncate64(fd, size);
    boundary("after", "truncate");
    return rc;
}

int
rename(const char *from, const char *to)
{
    other("rename");
    int rc = real.rename(from, to);
    boundary("after", "rename");
    return rc;
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    other("rename");
    int rc = real.renameat(from_fd, from, to_fd, to);
    boundary("after", "rename");
    return rc;
}

int
unlink(const char *path)
{
    other("unlink");
    int rc = real.unlink(path);
    boundary("after", "unlink");
    return rc;
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
    other("send");
    ssize_t sent = real.send(fd, p, n, flags);
    boundary("after", "send");
    return sent;
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
    other("send");
    ssize_t sent = real.sendmsg(fd, message, flags);
    boundary("after", "send");
    return sent;
}

int
clock_gettime(clockid_t id, struct timespec *out)
{
    find_real();
    int rc = real.clock_gettime(id, out);
    if (rc == 0 && id == CLOCK_REALTIME && control != NULL && control->clock_us != 0) {
        int64_t us = (int64_t)out->tv_sec * 1000000 + out->tv_nsec / 1000 + control->clock_us;
        out->tv_sec = us / 1000000;
        out->tv_nsec = us % 1000000 * 1000;
    }
    return rc;
}

time_t
time(time_t *out) // NOLINT(readability-inconsistent-declaration-parameter-name)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
