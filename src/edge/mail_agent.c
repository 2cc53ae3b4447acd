#include "edge/mail_agent.h"

#include <fcntl.h>
#include <gpgme.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROGRAM_BYTES = 1024, ANSWER_S = 1, END_TRIES = 100 /* times 10 ms */ };

/* -1: there is none. */
static int
connect_agent(void)
{
    const char *path = gpgme_get_dirinfo("agent-socket");
    const struct timeval most = {.tv_sec = ANSWER_S};
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (path == NULL || strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most) == 0
        && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* Assuan, the agent's protocol, is spoken here and not by gpgme, whose 1.18 runs past its buffer
 * where a read fails, as it does when the agent goes before it has answered. What it says does not
 * matter: it is looked for until it is gone. */
static void
say_end(int fd)
{
    static const char bye[] = "KILLAGENT\n";
    char answer[256];

    if (send(fd, bye, sizeof bye - 1, MSG_NOSIGNAL) < 0)
        return;
    while (recv(fd, answer, sizeof answer, 0) > 0)
        continue;
}

static void
end_any(void)
{
    const struct timespec pause = {0, 10000000};
    int fd = connect_agent();

    if (fd >= 0)
        say_end(fd);
    for (int i = 0; fd >= 0 && i < END_TRIES; i++) {
        (void)close(fd);
        (void)nanosleep(&pause, NULL);
        fd = connect_agent();
    }
    if (fd >= 0)
        (void)close(fd);
}

static int
spawn(const char *program, const char *folder, int in, pid_t *pid)
{
    const char *const words[] = {program, "--homedir", folder, "--daemon", "--", "cat", NULL};
    posix_spawn_file_actions_t actions;
    extern char **environ;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    int rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    for (int fd = STDOUT_FILENO; rc == 0 && fd <= STDERR_FILENO; fd++)
        rc = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    if (rc == 0)
        rc = posix_spawn(pid, program, &actions, NULL, (char *const *)(uintptr_t)words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* gpg-agent, started with a program to run, becomes that program, and its child, the agent, looks
 * every few seconds whether it is there still. cat is, until the pipe's other end is closed: also
 * when this process is killed. */
void
mail_agent_begin(struct mail_agent *agent, const char *folder)
{
    const char *programs = gpgme_get_dirinfo("bindir");
    char program[PROGRAM_BYTES];
    int n =
        snprintf(program, sizeof program, "%s/gpg-agent", programs == NULL ? "/usr/bin" : programs);
    int ends[2];

    *agent = (struct mail_agent){.hold = -1};
    end_any();
    if (n < 0 || (size_t)n >= sizeof program || pipe2(ends, O_CLOEXEC) != 0)
        return;
    if (spawn(program, folder, ends[0], &agent->holder) != 0)
        agent->holder = 0;
    (void)close(ends[0]);
    agent->hold = ends[1];
}

void
mail_agent_end(struct mail_agent *agent)
{
    end_any();
    if (agent->hold >= 0)
        (void)close(agent->hold);
    if (agent->holder > 0)
        (void)waitpid(agent->holder, NULL, 0);
    *agent = (struct mail_agent){.hold = -1};
}
