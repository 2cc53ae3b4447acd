/* late.h: which reports wait to be handed on?
 *
 * A sink's `prepare` asks for memory that takes a while to arrive, so a report is handed on when a
 * few more have been prepared. Order stays: before a rejection all that wait are handed on. What a
 * report borrows must stay where it is until then, or late_flush comes first.
 */
#ifndef COMITY_FMT_LATE_H
#define COMITY_FMT_LATE_H

#include "base/mem.h"
#include "fmt/reader.h"

enum { LATE_REPORTS = 4 };

struct late_slot {
    struct report report;
    struct arena *scratch; /* texts made for this report */
};

struct late {
    const struct reader_sink *sink;
    struct field *fields;
    struct late_slot slots[LATE_REPORTS];
    unsigned first; /* the oldest report that waits */
    unsigned waiting;
    int stopped; /* what the sink said when it wanted no more; then nothing is handed on */
};

/* SINK must outlive it. ERR_NO_MEMORY; close it in any case. */
MUST_USE int late_open(struct late *late, const struct reader_sink *sink, struct err *err);
void late_close(struct late *late);

/* An empty report for record LINE; which slot it is in tells late_place. */
struct late_slot *late_begin(struct late *late, uint64_t line);
static inline unsigned
late_place(const struct late *late)
{
    return (late->first + late->waiting) % LATE_REPORTS;
}
/* That record is read; RC and WHY are what reading it said. What reader_end_record does, but late.
 */
MUST_USE int late_end(
    struct late *late, int rc, struct err *why, struct span record, struct err *err);
/* Hand on all that wait. */
MUST_USE int late_flush(struct late *late, struct err *err);

#endif
