/* Behind the walls, as the commands that read reports enter them: a process for each attempt, which
 * is refused, killed, or goes on. The files are the test's own, in a folder of its own. */
#include "cli/walls.h"

#include "probe.h"

#include <linux/landlock.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int open_socket; /* opened before the walls */
static pid_t stranger;  /* another process of the same user */

static int
enter(void)
{
    const char *const files[] = {"input", "-", "missing"};
    const char *const write[] = {"out"};
    const struct walls walls = {.wanted = true,
        .files = files,
        .file_count = 3,
        .share_dir = "share",
        .mapping_path = "mapping",
        .write = write,
        .write_count = 1};
    struct err err = {0};

    return walls_enter(&walls, &err);
}

static void
expect(const struct probe *probes, size_t count, enum outcome wanted)
{
    expect_behind(enter, probes, count, wanted);
}

PROBE(read_input, open_close("input", O_RDONLY))
PROBE(read_mapping, open_close("mapping", O_RDONLY))
PROBE(read_share, open_close("share/table", O_RDONLY))
PROBE(list_share, open_close("share", O_RDONLY | O_DIRECTORY))
PROBE(make_file, open_close("out/new", O_WRONLY | O_CREAT | O_TRUNC))
PROBE(replace_file, open_close("out/a", O_WRONLY | O_CREAT) + rename("out/a", "out/b"))
PROBE(remove_file, open_close("out/c", O_RDWR | O_CREAT) + unlink("out/c"))
PROBE(look_at_terminal, isatty(STDERR_FILENO) < 0)

static int
publish_durably(void)
{
    int folder = open("out", O_RDONLY | O_DIRECTORY);
    int fd = openat(folder, "part", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);

    return (write(fd, "x", 1) != 1) + fsync(fd) + close(fd)
        + renameat(folder, "part", folder, "whole") + fsync(folder);
}

static int
by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Memory in small and large pieces, and a sort that takes some. */
static int
use_memory(void)
{
    int *numbers = calloc(1 << 22, sizeof *numbers);
    int *more = realloc(numbers, sizeof *numbers << 23);

    for (int i = 0; i < 1000; i++)
        more[i] = 1000 - i;
    qsort(more, 1000, sizeof *more, by_value);
    int first = more[0];
    free(more);
    return first - 1;
}

static void
what_is_needed_goes_on(void **state)
{
    static const struct probe probes[] = {NAMED(read_input), NAMED(read_mapping), NAMED(read_share),
        NAMED(list_share), NAMED(make_file), NAMED(replace_file), NAMED(remove_file),
        NAMED(look_at_terminal), NAMED(publish_durably), NAMED(use_memory)};

    (void)state;
    expect(probes, sizeof probes / sizeof probes[0], WENT_ON);
}

PROBE(read_secret, open_close("secret", O_RDONLY))
PROBE(read_by_way_round, open_close("share/../secret", O_RDONLY))
PROBE(read_by_link, open_close("out/link", O_RDONLY))
PROBE(read_system, open_close("/etc/passwd", O_RDONLY))
PROBE(read_memory_file, open_close("/proc/self/mem", O_RDWR))
PROBE(list_outside, open_close(".", O_RDONLY | O_DIRECTORY))
PROBE(write_secret, open_close("secret", O_WRONLY))
PROBE(empty_secret, open_close("secret", O_WRONLY | O_TRUNC))
PROBE(write_input, open_close("input", O_RDWR))
PROBE(append_to_share, open_close("share/table", O_WRONLY | O_APPEND))
PROBE(make_in_share, open_close("share/new", O_WRONLY | O_CREAT))
PROBE(make_outside, open_close("new", O_WRONLY | O_CREAT))
PROBE(unnamed_outside, open_close(".", O_WRONLY | O_TMPFILE))
PROBE(remove_secret, unlink("secret"))
PROBE(remove_input, unlink("input"))
PROBE(remove_folder, unlinkat(AT_FDCWD, "out/folder", AT_REMOVEDIR))
PROBE(move_secret_in, rename("secret", "out/secret"))
PROBE(move_out, rename("out/kept", "kept"))

static void
files_outside_are_refused(void **state)
{
    static const struct probe probes[] = {NAMED(read_secret), NAMED(read_by_way_round),
        NAMED(read_by_link), NAMED(read_system), NAMED(read_memory_file), NAMED(list_outside),
        NAMED(write_secret), NAMED(empty_secret), NAMED(write_input), NAMED(append_to_share),
        NAMED(make_in_share), NAMED(make_outside), NAMED(unnamed_outside), NAMED(remove_secret),
        NAMED(remove_input), NAMED(remove_folder), NAMED(move_secret_in), NAMED(move_out)};

    (void)state;
    expect(probes, sizeof probes / sizeof probes[0], REFUSED);
}

static const struct sockaddr_in somewhere = {
    .sin_family = AF_INET, .sin_port = 0x3500, .sin_addr = {0x0100007f}};
static char *const no_words[] = {NULL};

PROBE(make_socket, socket(AF_INET, SOCK_STREAM, 0) < 0)
PROBE(make_local_socket, socket(AF_UNIX, SOCK_DGRAM, 0) < 0)
PROBE(
    connect_socket, connect(open_socket, (const struct sockaddr *)&somewhere, sizeof somewhere) < 0)
PROBE(send_by_socket,
    (int)sendto(open_socket, "x", 1, 0, (const struct sockaddr *)&somewhere, sizeof somewhere) < 0)
PROBE(new_process, fork() < 0)
PROBE(run_program, execve("/bin/true", no_words, no_words))
PROBE(run_descriptor, (int)syscall(SYS_execveat, 0, "", no_words, no_words, AT_EMPTY_PATH))
PROBE(trace_stranger, (int)ptrace(PTRACE_ATTACH, stranger, NULL, NULL))
PROBE(be_traced, (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL))
PROBE(read_stranger, (int)syscall(SYS_process_vm_readv, stranger, NULL, 0, NULL, 0, 0))
PROBE(kill_stranger, kill(stranger, SIGTERM))
PROBE(kill_stranger_thread, (int)syscall(SYS_tgkill, stranger, stranger, SIGTERM))
PROBE(signals_to_stranger, fcntl(open_socket, F_SETOWN, stranger))
PROBE(type_into_terminal, ioctl(STDERR_FILENO, TIOCSTI, "x"))
PROBE(code_from_nothing,
    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        == MAP_FAILED)
PROBE(code_from_data,
    mprotect(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096,
        PROT_READ | PROT_EXEC))
PROBE(empty_input_by_reading, open_close("input", O_RDONLY | O_TRUNC))
PROBE(empty_secret_by_neither, open_close("secret", O_ACCMODE | O_TRUNC))
PROBE(empty_by_path, truncate("secret", 0))
PROBE(change_mode, chmod("secret", 0666))
PROBE(change_owner, chown("out/kept", 1, 1))
PROBE(make_folder, mkdir("out/sub", 0700))
PROBE(make_link, symlink("../secret", "out/other"))
PROBE(make_hard_link, link("secret", "out/hard"))
PROBE(make_pipe, mknod("out/pipe", S_IFIFO | 0600, 0))
PROBE(mount_something, mount("none", "out", "tmpfs", 0, NULL))
PROBE(change_root, chroot("."))
PROBE(change_folder, chdir("/"))
PROBE(become_another, setuid(1))
PROBE(memory_as_file, (int)syscall(SYS_memfd_create, "x", 0) < 0)
PROBE(other_ways_of_calls, (int)syscall(SYS_io_uring_setup, 1, NULL) < 0)
PROBE(program_in_kernel, (int)syscall(SYS_bpf, 0, NULL, 0) < 0)
PROBE(change_process, prctl(PR_SET_NAME, "x", 0, 0, 0))

static void
calls_beyond_reading_and_writing_kill(void **state)
{
    static const struct probe probes[] = {NAMED(make_socket), NAMED(make_local_socket),
        NAMED(connect_socket), NAMED(send_by_socket), NAMED(new_process), NAMED(run_program),
        NAMED(run_descriptor), NAMED(trace_stranger), NAMED(be_traced), NAMED(read_stranger),
        NAMED(kill_stranger), NAMED(kill_stranger_thread), NAMED(signals_to_stranger),
        NAMED(type_into_terminal), NAMED(code_from_nothing), NAMED(code_from_data),
        NAMED(empty_input_by_reading), NAMED(empty_secret_by_neither), NAMED(empty_by_path),
        NAMED(change_mode), NAMED(change_owner), NAMED(make_folder), NAMED(make_link),
        NAMED(make_hard_link), NAMED(make_pipe), NAMED(mount_something), NAMED(change_root),
        NAMED(change_folder), NAMED(become_another), NAMED(memory_as_file),
        NAMED(other_ways_of_calls), NAMED(program_in_kernel), NAMED(change_process)};

    (void)state;
    expect(probes, sizeof probes / sizeof probes[0], KILLED);
}

static void
aborting_still_works(void **state)
{
    int status = 0;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        if (enter() != 0)
            _exit(NO_WALLS);
        abort();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void
nothing_outside_was_changed(void **state)
{
    static const char *const names[] = {"secret", "input", "share/table", "out/kept"};
    struct stat about;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(stat(names[i], &about), 0);
        assert_int_equal(about.st_size, 4);
        assert_int_equal(about.st_mode & 0777, 0600);
    }
    assert_int_equal(kill(stranger, 0), 0);
    assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0);
}

static char folder[] = "/tmp/comity-sandbox-XXXXXX";

static void
put(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(write(fd, "text", 4), 4);
    assert_int_equal(close(fd), 0);
}

static int
set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("share", 0700) != 0
        || mkdir("out", 0700) != 0 || mkdir("out/folder", 0700) != 0
        || symlink("../secret", "out/link") != 0)
        return -1;
    put("input");
    put("mapping");
    put("secret");
    put("share/table");
    put("out/kept");
    open_socket = socket(AF_INET, SOCK_DGRAM, 0);
    stranger = fork();
    if (stranger == 0)
        for (;;)
            (void)pause();
    return open_socket >= 0 && stranger > 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
    static const char *const names[] = {"input", "mapping", "secret", "share/table", "share",
        "out/kept", "out/new", "out/b", "out/whole", "out/link", "out/folder", "out"};

    (void)state;
    (void)kill(stranger, SIGKILL);
    (void)waitpid(stranger, NULL, 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)remove(names[i]);
    return chdir("/") + rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_goes_on),
        cmocka_unit_test(files_outside_are_refused),
        cmocka_unit_test(calls_beyond_reading_and_writing_kill),
        cmocka_unit_test(aborting_still_works),
        cmocka_unit_test(nothing_outside_was_changed),
    };

    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
        (void)puts("SKIPPED: this kernel has no Landlock");
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
