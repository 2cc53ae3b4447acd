/* intake_private.h: what do the files core/intake*.c share while reports come in? */
#ifndef COMITY_CORE_INTAKE_PRIVATE_H
#define COMITY_CORE_INTAKE_PRIVATE_H

#include "core/batch.h"
#include "core/check.h"
#include "core/intake.h"
#include "core/streams.h"
#include "flow/flow.h"

enum {
    INTAKE_BLOCK = 16, /* reports read ahead, so that tables they look into arrive meanwhile */
    INTAKE_FIELDS = 4 * REPORT_FIELDS_MAX, /* of one block */
};

struct intake {
    struct streams streams;
    struct seen *seen;
    struct flow *flow;
    uint32_t knowledge; /* what the flow was made for */
    struct check *check;
    struct batch *batch;
    struct loop_timer timer;
    bool ripe;          /* the timer has come */
    bool half_done;     /* a report failed on its way: the batch is not to be relied on */
    int64_t seen_us;    /* the latest time */
    uint64_t due;       /* entries of the outbox */
    struct err blind;   /* why window and due could not be read after a loss; code 0: they were */
    int64_t look_at_us; /* ticks: when that is tried again */

    /* the report that flows now */
    struct core *core;
    struct span record;
    struct batch_origin origin;

    struct report reports[INTAKE_BLOCK];
    struct span records[INTAKE_BLOCK];
    struct field fields[INTAKE_FIELDS];
};

/* intake_reports.c: all is ready to take reports of STREAM; COUNT of them off IN, to its end. */
MUST_USE int intake_prepare(
    struct core *core, struct intake *intake, const struct stream *stream, struct err *err);
MUST_USE int intake_records(struct core *core, struct intake *intake, struct stream *stream,
    struct wire_in *in, uint32_t count, struct err *err);

#endif
