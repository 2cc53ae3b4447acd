#include "sys/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked;
static bool listening;
static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

static void
on_signal(int number)
{
    (void)number;
    asked = 1;
}

void
stop_listen(void)
{
    const struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &action, NULL);
    listening = true;
}

bool
stop_asked(void)
{
    return asked != 0;
}

/* The signals come through only inside ppoll: one that came between the question and the wait would
 * otherwise be slept over. */
bool
stop_wait_readable(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    sigset_t ours;
    sigset_t before;

    if (!listening)
        return true;
    (void)sigemptyset(&ours);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        (void)sigaddset(&ours, numbers[i]);
    (void)sigprocmask(SIG_BLOCK, &ours, &before);
    while (asked == 0 && ppoll(&wait, 1, NULL, &before) < 0 && errno == EINTR)
        ;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return asked == 0;
}
