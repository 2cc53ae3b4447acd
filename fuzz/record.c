/* Records, as a broken front may send them: what is read can be written and is the same again. */
#include "fuzz.h"

#include "model/record.h"

#include <string.h>

enum { ROOM = 64 };

static void
again(const struct report *report, struct span bytes)
{
    struct field fields[ROOM];
    struct report back;
    struct buf out = buf_new((size_t)1 << 24);
    struct buf more = buf_new((size_t)1 << 24);

    record_add(&out, report);
    MUST(!out.full);
    struct wire_in in = wire_in(buf_span(&out));
    MUST(record_next(&in, &back, fields, ROOM, NULL) == 0);
    MUST(in.n == 0 && back.count == report->count && back.line == report->line);
    MUST(report_digest(&back) == report_digest(report));
    record_add(&more, &back);
    MUST(span_equal(buf_span(&out), buf_span(&more)));
    /* A text that is short may have been written long; nothing else may differ. */
    MUST(out.n <= bytes.n + (size_t)report->count * 8);
    buf_free(&out);
    buf_free(&more);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_in in = wire_in((struct span){size == 0 ? "" : (const char *)data, size});
    struct field fields[ROOM];
    struct report report;

    while (in.n > 0 && !in.bad) {
        struct wire_in ahead = in;
        struct span bytes = record_bytes(&ahead);
        int rc = record_next(&in, &report, fields, ROOM, NULL);
        MUST(rc != ERR_INTERNAL || in.bad);
        MUST(in.bad || in.p == ahead.p);
        if (rc == 0)
            again(&report, bytes);
    }
    return 0;
}
