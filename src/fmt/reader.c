#include "fmt/reader.h"

int
reader_pass_over(void *ctx, const struct err *why, struct span record, struct err *err)
{
    (void)ctx;
    (void)why;
    (void)record;
    (void)err;
    return 0;
}

int
reader_end_record(const struct reader_sink *sink, struct report *report, int rc, struct err *why,
    struct span record, struct err *err)
{
    if (rc == 0)
        rc = report_finish(report, why);
    if (rc == 0) {
        if (sink->prepare != NULL)
            sink->prepare(sink->ctx, report);
        return sink->report(sink->ctx, report, err);
    }
    if (!err_is_senders(rc)) {
        if (err != NULL)
            *err = *why;
        return rc;
    }
    why->line = report->line;
    return sink->reject(sink->ctx, why, record, err);
}
