/* role.h: what was a role given when it was started, and how does it hear from its parent?
 *
 * The parent starts the binary again for each role and hands it settings and descriptors; then
 * the role's main runs: it makes what it needs, enters its walls, says that it is ready and runs
 * the loop. Its parent's channel is watched here: settings read anew, another socket pair because
 * the process behind a door (or core) was restarted, and the wish that it ends. A role whose parent
 * has gone ends at once.
 */
#ifndef COMITY_SYS_ROLE_H
#define COMITY_SYS_ROLE_H

#include "base/conf.h"
#include "base/messages.h"
#include "sys/loop.h"
#include "sys/sandbox.h"

enum role_kind { ROLE_CORE, ROLE_FRONT, ROLE_COURIER, ROLE_MAILER, ROLE_KINDS };

struct role;

struct role_start {
    enum role_kind kind;
    enum door door;   /* a front's, DOOR_COURIER, DOOR_MAILER; core: unused */
    const char *name; /* "core", "front partners": for the log */
    struct loop *loop;
    struct role *role;
    /* Settings; their memory stays, and what is in it is replaced before `settings` is called. */
    const struct conf *conf;
    const char *home; /* the data folder's path; core's working folder is another */
    /* A front: its listening socket, not blocking, which is the role's; else -1. */
    int listen_fd;
    /* Core: the socket pair of each door (-1: PARENT). Others: pairs[door] leads to core. Each is
     * the role's. */
    int pairs[DOOR_COUNT];
    bool sandbox; /* false: --no-sandbox */
    /* A front with TLS, and the courier, which shows the same certificate to other nodes: PEM
     * texts, replaced as the settings are; n 0: none. */
    struct span tls_certificate;
    struct span tls_key;
    struct span tls_client_ca;
    /* The courier: the secret of mail.password-file; n 0: none. Replaced likewise. */
    struct span mail_password;
    /* Core: SHA-256 of the certificate that the doors show, in lower-case hexadecimal; n 0: they
     * show none. Replaced likewise. */
    struct span tls_pin;
};

/* What the role wants to hear; a NULL is not told. All are called from the loop. */
struct role_events {
    void *ctx;
    /* Settings, and TLS texts, were replaced. Old texts live until it returns. */
    void (*settings)(void *ctx);
    /* FD, the role's, is the pair for DOOR from now on: the one before leads to nobody any more. */
    void (*pair)(void *ctx, enum door door, int fd);
    /* Core alone: LOGGED or ROLES of messages.def; BODY lives until it returns. */
    void (*said)(void *ctx, uint16_t type, struct span body);
    /* Finish what was begun, then loop_stop. NULL: the loop is stopped at once. */
    void (*stop)(void *ctx);
};
void role_listen(struct role *role, const struct role_events *events);

/* Give up capabilities and enter the role's walls (unless --no-sandbox): KIND's system calls, and
 * the files below PATHS. All that is to be opened once and for all has been opened. ERR_SANDBOX. */
MUST_USE int role_wall(
    const struct role_start *start, const struct sandbox_paths *paths, struct err *err);

/* Tell the parent that the role works: once, behind its walls. ERR_IO. */
MUST_USE int role_ready(struct role *role, struct err *err);

/* The parent's descriptor 3 in a process that was started as `comity --role NAME`: take what it
 * hands over, call MAIN, and give the process's exit status. */
int role_run(const char *name, int (*mains[ROLE_KINDS])(const struct role_start *start));

#endif
