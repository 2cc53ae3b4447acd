/* role_log.h: how do a role's lines of the log get to its parent, too?
 *
 * Standard error has them all. To the parent, who hands them to core (base/loglines.h), go some a
 * second: what is more is left out there and counted, so that a busy door is not slowed down by
 * what nobody could read. Warnings and errors have room of their own.
 */
#ifndef COMITY_SYS_ROLE_LOG_H
#define COMITY_SYS_ROLE_LOG_H

#include "base/str.h"
#include "sys/channel.h"
#include "sys/loop.h"

enum { ROLE_LOG_KINDS = 2 };

struct role_log {
    struct loop *loop;
    struct channel *parent;
    struct buf batches[ROLE_LOG_KINDS]; /* 1: what is important */
    unsigned lines[ROLE_LOG_KINDS];
    unsigned left_out[ROLE_LOG_KINDS];
    struct loop_timer timer;
    bool waits;      /* the timer runs */
    int64_t sent_us; /* ticks */
};

/* Listens to the log from now on; one a process, used by the loop's thread only. LOOP and PARENT
 * outlive it. */
void role_log_begin(struct role_log *log, struct loop *loop, struct channel *parent);
/* What waits is sent now; nobody listens any more. */
void role_log_end(struct role_log *log);

#endif
