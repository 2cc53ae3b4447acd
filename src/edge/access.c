#include "edge/front_private.h"

#include "base/log.h"
#include "sys/clock.h"

/* One line a request, with nothing of its query or its credentials. */
void
request_log(const struct request *request)
{
    const char *family = request->family == NULL ? "" : request->family->name;

    if (!log_wanted(LOG_LEVEL_INFO))
        return;
    log_info("request", log_word("id", request->id), log_word("peer", request->conn->peer),
        log_text("method", request_method(request)), log_text("path", request->path),
        log_word("family", family), log_number("status", request->status),
        log_number("bytes", (int64_t)request->sent_bytes),
        log_number("us", clock_ticks_us() - request->begun_us));
}
