#include "core/pace.h"

#include "base/log.h"
#include "sys/clock.h"

enum { MOST = 10 };
static const int64_t minute_us = INT64_C(60000000);

bool
pace_may(struct pace *pace, const char *more)
{
    int64_t now = clock_ticks_us();

    if (pace->since_us == 0 || now - pace->since_us >= minute_us) {
        if (pace->count > MOST)
            log_warning(more, log_number("count", pace->count - MOST));
        pace->since_us = now;
        pace->count = 0;
    }
    return ++pace->count <= MOST;
}
