#include "edge/front_private.h"

#include "base/log.h"
#include "edge/health.h"
#include "sys/clock.h"

/* One line a request, with nothing of its query or its credentials. Who asks every second whether
 * the node is well is not worth a line, nor is who looks at the lines. */
static bool
is_worth_a_line(const struct request *request)
{
    return request->family != &health_family && !span_equal(request->path, SPAN("/api/v1/log"));
}

void
request_log(const struct request *request)
{
    const char *family = request->family == NULL ? "" : request->family->name;

    enum log_level level = is_worth_a_line(request) ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;

    if (!log_wanted(level))
        return;
    const struct log_pair pairs[] = {log_word("id", request->id),
        log_word("peer", request->conn->peer), log_text("method", request_method(request)),
        log_text("path", request->path), log_word("family", family),
        log_number("status", request->status), log_number("bytes", (int64_t)request->sent_bytes),
        log_number("us", clock_ticks_us() - request->begun_us)};
    log_write(level, "request", pairs, sizeof pairs / sizeof pairs[0]);
}
