/* Keys are held as long as who began the agent lives, whatever an agent that was there before does
 * when it is told to go. */
#include "edge/mail_pgp.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum manner { GOES_WITHOUT_READING, GOES_AT_ONCE, SAYS_NOTHING };

static char folder[] = "/tmp/mail-agent-XXXXXX";
static struct sockaddr_un place = {.sun_family = AF_UNIX};

static int
socket_at_place(int (*how)(int, const struct sockaddr *, socklen_t))
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && how(fd, (const struct sockaddr *)&place, sizeof place) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* One connection, in a process of its own. */
static void
serve(int listener, enum manner manner)
{
    int fd = accept(listener, NULL, NULL);
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    (void)unlink(place.sun_path);
    (void)close(listener);
    if (manner != GOES_AT_ONCE && write(fd, "OK Pleased to meet you\n", 23) == 23)
        (void)poll(&wait, 1, -1);
    if (manner == SAYS_NOTHING)
        (void)pause();
    (void)close(fd);
    _exit(0);
}

static pid_t
stranger(enum manner manner)
{
    int listener = socket_at_place(bind);

    assert_true(listener >= 0);
    assert_int_equal(listen(listener, 1), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        serve(listener, manner);
    (void)close(listener);
    return pid;
}

static bool
is_there(void)
{
    int fd = socket_at_place(connect);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static void
begin_after(enum manner manner)
{
    pid_t pid = stranger(manner);
    struct mail_pgp *pgp;

    assert_int_equal(mail_pgp_new(folder, &pgp, NULL), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    for (int i = 0; i < 1000 && !is_there(); i++)
        (void)poll(NULL, 0, 10);
    assert_true(is_there());
    mail_pgp_free(pgp);
    assert_false(is_there());
}

static void
one_that_goes_before_it_has_read(void **state)
{
    (void)state;
    begin_after(GOES_WITHOUT_READING);
}

static void
one_that_goes_at_once(void **state)
{
    (void)state;
    begin_after(GOES_AT_ONCE);
}

static void
one_that_says_nothing(void **state)
{
    (void)state;
    begin_after(SAYS_NOTHING);
}

/* Where a user has a folder for sockets, the agent's lies there. */
static int
set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(setenv("GNUPGHOME", folder, 1), 0);
    FILE *said =
        popen("gpgconf --create-socketdir >/dev/null 2>&1; gpgconf --list-dirs agent-socket", "r");
    assert_non_null(said);
    assert_non_null(fgets(place.sun_path, sizeof place.sun_path, said));
    assert_int_equal(pclose(said), 0);
    place.sun_path[strcspn(place.sun_path, "\n")] = '\0';
    return 0;
}

static int
tear_down(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_goes_before_it_has_read),
        cmocka_unit_test(one_that_goes_at_once),
        cmocka_unit_test(one_that_says_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
