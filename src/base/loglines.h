/* loglines.h: which lines of the log are the newest, and how do roles hand them on?
 *
 * A role hands its lines on in batches: u8 important (warnings and errors), then each line as u8
 * level, i64 Unix microseconds, text event, text pairs (base/log.h). The parent gives each batch
 * the role's row of sys/role_hand.h and a number; line I of batch N has the number N + I. Both the
 * parent and core keep the newest of each role, important ones apart: whoever writes much pushes
 * out what it wrote itself, and requests push out no warning.
 */
#ifndef COMITY_BASE_LOGLINES_H
#define COMITY_BASE_LOGLINES_H

#include "base/log.h"
#include "base/wire.h"

enum {
    LOGLINES_ROLES = 8,               /* at most */
    LOGLINES_KEPT_BYTES = 64 * 1024,  /* of each role, important and others each */
    LOGLINES_BATCH_BYTES = 24 * 1024, /* of one batch */
    LOGLINES_BATCH_LINES = 1024,      /* numbers of one batch */
};

struct logline {
    int64_t at_us;
    uint8_t level; /* enum log_level */
    struct span event;
    struct span pairs;
};

void logline_add(struct buf *batch, const struct logline *line);
/* The next line of IN, which stands behind `important`; borrows. false: there is none. */
bool logline_next(struct wire_in *in, struct logline *out);

struct loglines_batch {
    uint64_t number;
    unsigned row;     /* of sys/role_hand.h; behind them: the parent */
    struct span body; /* as it was handed on */
};

struct loglines;

/* NULL: no memory. */
struct loglines *loglines_new(void);
void loglines_free(struct loglines *kept);
/* Keep a copy of BATCH; the oldest of its kind go for it. Its number is above that of all before.
 * ERR_INTERNAL: it is no batch (only a broken role hands such on); ERR_NO_MEMORY. */
MUST_USE int loglines_add(
    struct loglines *kept, const struct loglines_batch *batch, struct err *err);
/* The first batch whose number is above AFTER; it lives until the next loglines_add. false: there
 * is none. */
bool loglines_next(const struct loglines *kept, uint64_t after, struct loglines_batch *out);

#endif
