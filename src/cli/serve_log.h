/* serve_log.h: how do the newest lines of all roles' logs get to core, and outlive it?
 *
 * The parent keeps them as roles hand them on (base/loglines.h), with its own, and tells core all
 * of them when it has started: so what a core said before it died, and how it died, is there in the
 * next one.
 */
#ifndef COMITY_CLI_SERVE_LOG_H
#define COMITY_CLI_SERVE_LOG_H

#include "base/loglines.h"
#include "sys/channel.h"

struct serve_log {
    struct loglines *kept;
    struct channel *core; /* NULL: it is not there */
    uint64_t number;      /* of the newest batch */
    uint64_t told;        /* up to this one core has them */
};

/* Listens to the parent's own log from now on. ERR_NO_MEMORY. */
MUST_USE int serve_log_begin(struct serve_log *log, struct err *err);
void serve_log_end(struct serve_log *log);
/* A new core's channel, which takes all from the beginning; NULL: it has gone. */
void serve_log_core(struct serve_log *log, struct channel *core);
/* What the role in ROW of sys/role_hand.h handed on; what is none is dropped. */
void serve_log_take(struct serve_log *log, unsigned row, struct span body);

#endif
