/* serve_private.h: what does the parent know of its roles?
 *
 * For serve_parent.c, which starts, watches and ends them, and serve_told.c, which tells them what
 * they need, alone.
 */
#ifndef COMITY_CLI_SERVE_PRIVATE_H
#define COMITY_CLI_SERVE_PRIVATE_H

#include "cli/serve.h"
#include "cli/serve_log.h"
#include "sys/channel.h"
#include "sys/notify.h"
#include "sys/role_hand.h"

#include <sys/types.h>

struct parent;

struct child {
    struct parent *parent;
    const struct role_row *row;
    enum serve_state state;
    pid_t pid;               /* 0: none */
    struct channel *channel; /* NULL: none */
    unsigned stillborn;      /* deaths in a row before it was ready */
    unsigned short_lives;    /* deaths in a row after a short life */
    uint32_t deaths;         /* all of them */
    int64_t begun_us;        /* ticks, when it became ready */
    int64_t since_us;        /* Unix: its state is so since then */
    struct loop_timer
        timer; /* SERVE_DOWN: start it; else it takes too long to be ready, or to end */
};

struct parent {
    struct serve *serve;
    struct loop *loop;
    struct notify notify;
    int program;
    struct serve_doors doors;
    struct child children[ROLE_ROWS];
    struct loop_timer deadline; /* of stopping */
    struct loop_timer watchdog;
    struct serve_log log;
    bool served; /* all were ready once */
    bool stopping;
    bool core_told; /* to stop */
    struct err why; /* the node stops because of it; code 0: it was asked to */
};

static inline struct child *
serve_core(struct parent *parent)
{
    return &parent->children[ROLE_ROW_CORE];
}

static inline const struct conf *
serve_conf(const struct parent *parent)
{
    return parent->serve->conf;
}

/* ---- serve_told.c ---- */

/* TYPE (SAID) with BODY and FD (-1: none) to CHILD. ERR_IO: it is not there. */
MUST_USE int serve_say(
    struct child *child, uint16_t type, struct span body, int fd, struct err *err);
/* The settings, and the keys that CHILD needs. */
MUST_USE int serve_say_settings(struct child *child, struct err *err);
/* To core, if it is ready: how all roles are, and until when the certificate holds. */
void serve_say_roles(struct parent *parent);
/* All that CHILD needs, and that it may begin. */
MUST_USE int serve_hand_over(struct child *child, struct err *err);

#endif
