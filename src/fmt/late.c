#include "fmt/late.h"

#include <stdlib.h>

/* Slots must not lie a multiple of 4 KiB apart: they would displace each other in the first cache.
 */
enum { SCRATCH_BYTES = 16 * 1024 * 1024, SLOT_FIELDS = REPORT_FIELDS_MAX + 24 };

int
late_open(struct late *late, const struct reader_sink *sink, struct err *err)
{
    bool good = true;

    *late = (struct late){.sink = sink};
    late->fields = calloc((size_t)LATE_REPORTS * SLOT_FIELDS, sizeof *late->fields);
    for (unsigned i = 0; i < LATE_REPORTS; i++) {
        late->slots[i].scratch = arena_new(SCRATCH_BYTES);
        good = good && late->slots[i].scratch != NULL;
    }
    return good && late->fields != NULL ? 0
                                        : err_set(err, ERR_NO_MEMORY, "no memory to read reports");
}

void
late_close(struct late *late)
{
    for (unsigned i = 0; i < LATE_REPORTS; i++)
        arena_free(late->slots[i].scratch);
    free(late->fields);
}

struct late_slot *
late_begin(struct late *late, uint64_t line)
{
    unsigned place = late_place(late);
    struct late_slot *slot = &late->slots[place];

    report_reset(&slot->report, late->fields + (size_t)place * SLOT_FIELDS, REPORT_FIELDS_MAX);
    arena_reset(slot->scratch);
    slot->report.line = line;
    return slot;
}

static int
hand_on(struct late *late, struct err *err)
{
    const struct report *report = &late->slots[late->first].report;

    if (late->stopped == 0)
        late->stopped = late->sink->report(late->sink->ctx, report, err);
    late->first = (late->first + 1) % LATE_REPORTS;
    late->waiting--;
    return late->stopped;
}

int
late_flush(struct late *late, struct err *err)
{
    while (late->waiting > 0)
        (void)hand_on(late, err);
    return late->stopped;
}

int
late_end(struct late *late, int rc, struct err *why, struct span record, struct err *err)
{
    struct report *report = &late->slots[late_place(late)].report;

    if (rc == 0)
        rc = report_finish(report, why);
    if (rc != 0) {
        if (late_flush(late, err) == 0)
            late->stopped = reader_end_record(late->sink, report, rc, why, record, err);
        return late->stopped;
    }
    if (late->sink->prepare != NULL)
        late->sink->prepare(late->sink->ctx, report);
    late->waiting++;
    return late->waiting == LATE_REPORTS ? hand_on(late, err) : 0;
}
