/* Behind the walls of the node's roles, as role_wall enters them: a front that is made to misbehave
 * opens no file, reaches no network, starts no process, signals nobody; core has its folder and no
 * network; the courier connects and has no store. */
#include "sys/role.h"

#include "probe.h"

#include <linux/landlock.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* What a role holds: a listening socket with somebody waiting, a pair, a connection that is over,
 * and a file that was handed to it. */
static int listening = -1;
static int waiting = -1;
static int pair[2];
static int over = -1;
static int handed = -1;
static pid_t stranger;
static struct sockaddr_in there;

static int
enter(enum role_kind kind, const struct sandbox_paths *paths)
{
    const struct role_start start = {.kind = kind, .sandbox = true};
    struct err err = {0};

    return role_wall(&start, paths, &err);
}

static const char *const home[] = {"home"};
static const char *const share[] = {"share"};

static int
enter_front(void)
{
    /* Even who asks for files gets none. */
    const struct sandbox_paths paths = {
        .read = share, .read_count = 1, .write = home, .write_count = 1};

    return enter(ROLE_FRONT, &paths);
}

static int
enter_core(void)
{
    const struct sandbox_paths paths = {
        .read = share, .read_count = 1, .write = home, .write_count = 1};

    return enter(ROLE_CORE, &paths);
}

static int
enter_courier(void)
{
    const struct sandbox_paths paths = {.read = share, .read_count = 1};

    return enter(ROLE_COURIER, &paths);
}

static int
enter_mailer(void)
{
    static const char *const system[] = {"/usr", "/bin", "/lib", "/lib64", "/etc"};
    const struct sandbox_paths paths = {
        .read = system, .read_count = 5, .write = home, .write_count = 1};

    return enter(ROLE_MAILER, &paths);
}

#define COUNT(probes) (sizeof(probes) / sizeof((probes)[0]))

/* ---- what roles need ---- */

static int
send_fd(void)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof handed);
    memcpy(CMSG_DATA(c), &handed, sizeof handed);
    if (sendmsg(pair[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
        return -1;
    message.msg_controllen = sizeof control.bytes;
    return recvmsg(pair[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) == 1 ? 0 : -1;
}

static int
wait_for_events(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    return epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event) + (epoll_wait(epoll, &event, 1, 0) != 0)
        + close(epoll);
}

static int
serve_one(void)
{
    const int on = 1;
    char bytes[8];
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    return fd < 0 || setsockopt(fd, IPPROTO_TCP, 1, &on, sizeof on) != 0
        || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0
        || recv(fd, bytes, sizeof bytes, 0) != 5 || send(fd, "world", 5, MSG_NOSIGNAL) != 5
        || shutdown(fd, SHUT_WR) != 0 || close(fd) != 0;
}

static int
use_memory(void)
{
    char *bytes = calloc(1, 1 << 22);
    char *more = realloc(bytes, 1 << 24);
    int rc = more == NULL || more[1 << 21] != 0;

    free(more);
    return rc;
}

static int
read_handed(void)
{
    char bytes[4];

    return pread(handed, bytes, 4, 0) == 4 && memcmp(bytes, "text", 4) == 0 ? 0 : -1;
}

PROBE(wake_by_event, close(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)))
PROBE(tell_the_operator, write(STDERR_FILENO, "", 0) != 0)

static void
a_front_can_serve(void **state)
{
    static const struct probe probes[] = {NAMED(serve_one), NAMED(send_fd), NAMED(wait_for_events),
        NAMED(use_memory), NAMED(read_handed), NAMED(wake_by_event), NAMED(tell_the_operator)};

    (void)state;
    expect_behind(enter_front, probes, COUNT(probes), WENT_ON);
}

static int
keep_store(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int fd = open("home/node.db", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = fcntl(fd, F_SETLK, &lock) + (pwrite(fd, "page", 4, 0) != 4) + fdatasync(fd)
        + ftruncate(fd, 4096);
    char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    shared[0] = 'x';
    return rc + munmap(shared, 4096) + close(fd) + access("home/node.db", R_OK)
        + rename("home/node.db", "home/other.db") + unlink("home/other.db");
}

PROBE(read_share, open_close("share/table", O_RDONLY))
PROBE(make_folder_at_home, mkdir("home/done", 0700) + rmdir("home/done"))

static void
core_can_keep_its_store(void **state)
{
    static const struct probe probes[] = {NAMED(keep_store), NAMED(read_share),
        NAMED(make_folder_at_home), NAMED(send_fd), NAMED(wait_for_events), NAMED(use_memory)};

    (void)state;
    expect_behind(enter_core, probes, COUNT(probes), WENT_ON);
}

static int
connect_there(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return connect(fd, (const struct sockaddr *)&there, sizeof there) + close(fd);
}

static void
the_courier_can_connect(void **state)
{
    static const struct probe probes[] = {
        NAMED(connect_there), NAMED(read_share), NAMED(wait_for_events), NAMED(use_memory)};

    (void)state;
    expect_behind(enter_courier, probes, COUNT(probes), WENT_ON);
}

/* ---- what nobody may ---- */

static char *const no_words[] = {NULL};

PROBE(new_process, fork() < 0)
PROBE(new_process_too, (int)syscall(SYS_vfork) < 0)
PROBE(new_process_3, (int)syscall(SYS_clone3, NULL, 0) < 0)
PROBE(run_program, execve("/bin/true", no_words, no_words))
PROBE(run_descriptor, (int)syscall(SYS_execveat, handed, "", no_words, no_words, AT_EMPTY_PATH))
PROBE(signal_stranger, kill(stranger, SIGTERM))
PROBE(signal_stranger_0, kill(stranger, 0))
PROBE(signal_parent, kill(getppid(), 0))
PROBE(signal_all, kill(-1, 0))
PROBE(signal_thread, (int)syscall(SYS_tgkill, stranger, stranger, SIGTERM))
PROBE(signal_queued, (int)syscall(SYS_rt_sigqueueinfo, stranger, SIGTERM, NULL))
PROBE(signal_by_descriptor, (int)syscall(SYS_pidfd_open, stranger, 0) < 0)
PROBE(signal_by_owner, fcntl(pair[0], F_SETOWN, stranger))
PROBE(trace_stranger, (int)ptrace(PTRACE_ATTACH, stranger, NULL, NULL))
PROBE(read_stranger, (int)syscall(SYS_process_vm_readv, stranger, NULL, 0, NULL, 0, 0))
PROBE(write_stranger, (int)syscall(SYS_process_vm_writev, stranger, NULL, 0, NULL, 0, 0))
PROBE(take_descriptor, (int)syscall(SYS_pidfd_getfd, 3, 3, 0) < 0)
PROBE(limit_stranger, (int)syscall(SYS_prlimit64, stranger, RLIMIT_CPU, NULL, NULL))
PROBE(type_into_terminal, ioctl(STDERR_FILENO, TIOCSTI, "x"))
PROBE(code_from_nothing,
    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        == MAP_FAILED)
PROBE(code_from_data,
    mprotect(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096,
        PROT_READ | PROT_EXEC))
PROBE(memory_as_file, (int)syscall(SYS_memfd_create, "x", 0) < 0)
PROBE(other_ways_of_calls, (int)syscall(SYS_io_uring_setup, 1, NULL) < 0)
PROBE(program_in_kernel, (int)syscall(SYS_bpf, 0, NULL, 0) < 0)
PROBE(faults_to_self, (int)syscall(SYS_userfaultfd, 0) < 0)
PROBE(count_events, (int)syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) < 0)
PROBE(keys_of_kernel, (int)syscall(SYS_keyctl, 0, 0) < 0)
PROBE(mount_something, mount("none", "home", "tmpfs", 0, NULL))
PROBE(change_root, chroot("."))
PROBE(become_another, setuid(1))
PROBE(other_namespace, (int)syscall(SYS_unshare, 0x10000000))
PROBE(change_process, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
PROBE(listen_somewhere, listen(pair[0], 1))
PROBE(bind_somewhere, bind(pair[0], (const struct sockaddr *)&there, sizeof there))
PROBE(make_local_socket, socket(AF_UNIX, SOCK_STREAM, 0) < 0)
PROBE(make_raw_socket, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) < 0)
PROBE(make_packet_socket, socket(AF_PACKET, SOCK_RAW, 0) < 0)
PROBE(make_netlink_socket, socket(AF_NETLINK, SOCK_RAW, 0) < 0)
PROBE(empty_by_path, truncate("home/kept", 0))
PROBE(make_pipe, mknod("home/pipe", S_IFIFO | 0600, 0))
PROBE(make_link, symlink("../secret", "home/link"))
PROBE(make_hard_link, link("secret", "home/hard"))
PROBE(watch_files, (int)syscall(SYS_inotify_init1, 0) < 0)
PROBE(change_folder, chdir("/"))

static const struct probe forbidden[] = {NAMED(new_process), NAMED(new_process_too),
    NAMED(run_program), NAMED(run_descriptor), NAMED(signal_stranger), NAMED(signal_parent),
    NAMED(signal_all), NAMED(signal_thread), NAMED(signal_queued), NAMED(signal_by_descriptor),
    NAMED(signal_by_owner), NAMED(trace_stranger), NAMED(read_stranger), NAMED(write_stranger),
    NAMED(take_descriptor), NAMED(limit_stranger), NAMED(type_into_terminal),
    NAMED(code_from_nothing), NAMED(code_from_data), NAMED(memory_as_file),
    NAMED(other_ways_of_calls), NAMED(program_in_kernel), NAMED(faults_to_self),
    NAMED(count_events), NAMED(keys_of_kernel), NAMED(mount_something), NAMED(change_root),
    NAMED(become_another), NAMED(other_namespace), NAMED(change_process), NAMED(listen_somewhere),
    NAMED(bind_somewhere), NAMED(make_local_socket), NAMED(make_raw_socket),
    NAMED(make_packet_socket), NAMED(make_netlink_socket), NAMED(empty_by_path), NAMED(make_pipe),
    NAMED(make_link), NAMED(make_hard_link), NAMED(watch_files), NAMED(change_folder)};

static void
no_role_leaves_its_walls(void **state)
{
    /* Core's filter says that there is no such call, so that the C library takes the older one. */
    static const struct probe clone3[] = {NAMED(new_process_3)};

    (void)state;
    expect_behind(enter_front, clone3, 1, KILLED);
    expect_behind(enter_core, clone3, 1, FAILED);
    expect_behind(enter_courier, clone3, 1, KILLED);
    expect_behind(enter_front, forbidden, COUNT(forbidden), KILLED);
    expect_behind(enter_core, forbidden, COUNT(forbidden), KILLED);
    expect_behind(enter_courier, forbidden, COUNT(forbidden), KILLED);
}

/* ---- what a front may not ---- */

PROBE(read_secret, open_close("secret", O_RDONLY))
PROBE(read_home, open_close("home/kept", O_RDONLY))
PROBE(read_system, open_close("/etc/passwd", O_RDONLY))
PROBE(read_process, open_close("/proc/self/environ", O_RDONLY))
PROBE(list_root, open_close("/", O_RDONLY | O_DIRECTORY))
PROBE(path_only, open_close("secret", O_PATH))
PROBE(make_file, open_close("home/new", O_WRONLY | O_CREAT))
PROBE(open_otherwise, (int)syscall(SYS_openat2, AT_FDCWD, "secret", NULL, 0) < 0)
PROBE(open_as_before, (int)syscall(SYS_open, "secret", O_RDONLY) < 0)
PROBE(remove_file, unlink("home/kept"))
PROBE(move_file, rename("home/kept", "home/moved"))
PROBE(make_folder, mkdir("home/folder", 0700))
PROBE(look_for_file, access("secret", F_OK))
PROBE(change_mode, chmod("home/kept", 0666))
PROBE(change_mode_open, fchmod(handed, 0666))
PROBE(empty_handed, ftruncate(handed, 0))
PROBE(make_socket, socket(AF_INET, SOCK_STREAM, 0) < 0)
PROBE(make_socket_6, socket(AF_INET6, SOCK_DGRAM, 0) < 0)
PROBE(make_pair, socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
PROBE(connect_old, connect(over, (const struct sockaddr *)&there, sizeof there))
PROBE(send_to, (int)sendto(over, "x", 1, 0, (const struct sockaddr *)&there, sizeof there) < 0)
PROBE(send_fast,
    (int)sendto(over, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&there, sizeof there) < 0)

static int
send_message_fast(void)
{
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_name = &there, .msg_namelen = sizeof there, .msg_iov = &part, .msg_iovlen = 1};

    return sendmsg(over, &message, MSG_FASTOPEN) < 0;
}

static void
a_front_opens_and_reaches_nothing(void **state)
{
    static const struct probe probes[] = {NAMED(read_secret), NAMED(read_home), NAMED(read_share),
        NAMED(read_system), NAMED(read_process), NAMED(list_root), NAMED(path_only),
        NAMED(make_file), NAMED(open_otherwise), NAMED(open_as_before), NAMED(remove_file),
        NAMED(move_file), NAMED(make_folder), NAMED(look_for_file), NAMED(change_mode),
        NAMED(change_mode_open), NAMED(empty_handed), NAMED(make_socket), NAMED(make_socket_6),
        NAMED(make_pair), NAMED(connect_old), NAMED(send_to), NAMED(send_fast),
        NAMED(send_message_fast)};

    (void)state;
    expect_behind(enter_front, probes, COUNT(probes), KILLED);
}

/* ---- what core may not ---- */

PROBE(write_share, open_close("share/table", O_WRONLY))
PROBE(write_outside, open_close("outside", O_WRONLY | O_CREAT))
PROBE(folder_outside, mkdir("folder", 0700))
PROBE(secret_into_home, rename("secret", "home/secret"))
PROBE(out_of_home, rename("home/kept", "kept"))
PROBE(up_from_home, open_close("home/../secret", O_RDONLY))

static void
core_has_its_folder_and_no_network(void **state)
{
    static const struct probe refused[] = {NAMED(read_secret), NAMED(read_system),
        NAMED(read_process), NAMED(list_root), NAMED(write_share), NAMED(write_outside),
        NAMED(folder_outside), NAMED(secret_into_home), NAMED(out_of_home), NAMED(up_from_home)};
    static const struct probe killed[] = {NAMED(make_socket), NAMED(make_socket_6),
        NAMED(make_pair), NAMED(serve_one), NAMED(connect_old), NAMED(send_to), NAMED(send_fast),
        NAMED(send_message_fast), NAMED(change_mode), NAMED(open_otherwise)};

    (void)state;
    expect_behind(enter_core, refused, COUNT(refused), REFUSED);
    expect_behind(enter_core, killed, COUNT(killed), KILLED);
}

/* ---- what the courier may not ---- */

static void
the_courier_has_no_store(void **state)
{
    static const struct probe refused[] = {
        NAMED(read_secret), NAMED(read_home), NAMED(read_system), NAMED(list_root)};
    static const struct probe killed[] = {NAMED(make_file), NAMED(write_share), NAMED(remove_file),
        NAMED(move_file), NAMED(make_folder), NAMED(change_mode), NAMED(serve_one),
        NAMED(empty_handed), NAMED(open_otherwise), NAMED(make_pair)};

    (void)state;
    expect_behind(enter_courier, refused, COUNT(refused), REFUSED);
    expect_behind(enter_courier, killed, COUNT(killed), KILLED);
}

/* ---- the mailer ---- */

static int
run_another(void)
{
    char *const words[] = {"true", NULL};
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        (void)execv("/bin/true", words);
        _exit(1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

/* It may run programs, with keys and a local socket below its folder; they reach no network and
 * nothing else of this machine's. */
static void
the_mailer_runs_programs_and_has_no_network(void **state)
{
    static const struct probe allowed[] = {NAMED(run_another), NAMED(make_local_socket),
        NAMED(make_folder_at_home), NAMED(read_system), NAMED(wait_for_events), NAMED(use_memory),
        NAMED(signal_stranger_0)};
    static const struct probe refused[] = {NAMED(make_socket), NAMED(make_socket_6),
        NAMED(make_raw_socket), NAMED(make_packet_socket), NAMED(make_netlink_socket),
        NAMED(trace_stranger), NAMED(read_stranger), NAMED(signal_stranger), NAMED(signal_all),
        NAMED(mount_something), NAMED(change_root), NAMED(become_another), NAMED(memory_as_file),
        NAMED(program_in_kernel), NAMED(keys_of_kernel), NAMED(other_namespace), NAMED(read_secret),
        NAMED(read_share), NAMED(write_share), NAMED(write_outside), NAMED(folder_outside),
        NAMED(list_root), NAMED(secret_into_home), NAMED(up_from_home)};

    (void)state;
    expect_behind(enter_mailer, allowed, COUNT(allowed), WENT_ON);
    expect_behind(enter_mailer, refused, COUNT(refused), REFUSED);
}

static int
enter_none(void)
{
    const struct role_start start = {.kind = ROLE_FRONT, .sandbox = false};
    struct err err;

    return role_wall(&start, &(struct sandbox_paths){0}, &err);
}

/* What makes the tests above mean something. */
static void
without_walls_it_would_have_gone_on(void **state)
{
    static const struct probe probes[] = {NAMED(read_secret), NAMED(read_home), NAMED(read_system),
        NAMED(path_only), NAMED(make_socket), NAMED(make_local_socket), NAMED(signal_stranger_0),
        NAMED(memory_as_file), NAMED(connect_there)};

    (void)state;
    expect_behind(enter_none, probes, COUNT(probes), WENT_ON);
}

static void
nothing_was_changed(void **state)
{
    static const char *const names[] = {"secret", "share/table", "home/kept"};
    struct stat about;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(stat(names[i], &about), 0);
        assert_int_equal(about.st_size, 4);
        assert_int_equal(about.st_mode & 0777, 0600);
    }
    assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0);
}

/* ---- the stage ---- */

static char folder[] = "/tmp/comity-walls-XXXXXX";

static int
put(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, "text", 4), 4);
    return fd;
}

/* Enough wait at the door for all that are served here. */
static void
open_door(void)
{
    socklen_t n = sizeof there;

    there = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listening, (const struct sockaddr *)&there, n), 0);
    assert_int_equal(listen(listening, 16), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&there, &n), 0);
    waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(waiting, (const struct sockaddr *)&there, n), 0);
    assert_int_equal(send(waiting, "hello", 5, 0), 5);
    over = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* as one is after its end */
}

static int
set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("share", 0700) != 0
        || mkdir("home", 0700) != 0
        || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    (void)close(put("secret"));
    (void)close(put("share/table"));
    (void)close(put("home/kept"));
    handed = put("handed");
    open_door();
    stranger = fork();
    if (stranger == 0)
        for (;;)
            (void)pause();
    return stranger > 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
    static const char *const names[] = {
        "secret", "share/table", "share", "home/kept", "home", "handed"};

    (void)state;
    (void)kill(stranger, SIGKILL);
    (void)waitpid(stranger, NULL, 0);
    for (size_t i = 0; i < COUNT(names); i++)
        (void)remove(names[i]);
    return chdir("/") + rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_front_can_serve),
        cmocka_unit_test(core_can_keep_its_store),
        cmocka_unit_test(the_courier_can_connect),
        cmocka_unit_test(no_role_leaves_its_walls),
        cmocka_unit_test(a_front_opens_and_reaches_nothing),
        cmocka_unit_test(core_has_its_folder_and_no_network),
        cmocka_unit_test(the_courier_has_no_store),
        cmocka_unit_test(the_mailer_runs_programs_and_has_no_network),
        cmocka_unit_test(without_walls_it_would_have_gone_on),
        cmocka_unit_test(nothing_was_changed),
    };

    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
        (void)puts("SKIPPED: this kernel has no Landlock");
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
