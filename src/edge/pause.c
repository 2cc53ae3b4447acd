#include "edge/pause.h"

#include "fmt/httpdate.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US (INT64_C(86400) * SECOND_US)

int64_t
pause_us(uint32_t failures, int64_t first_us, int64_t most_us, uint64_t chance)
{
    int64_t us = first_us < 1 ? 1 : first_us;

    for (uint32_t i = 1; i < failures && us < most_us; i++)
        us *= 2;
    if (us > most_us)
        us = most_us;
    return us - us / 4 + (int64_t)(chance % (uint64_t)(us / 2 + 1));
}

int64_t
pause_asked_us(struct span retry_after, int64_t now_us)
{
    uint64_t seconds;
    int64_t when_us;
    int64_t us = 0;

    if (span_u64(retry_after, &seconds))
        us = seconds > (uint64_t)(DAY_US / SECOND_US) ? DAY_US : (int64_t)seconds * SECOND_US;
    else if (httpdate_parse(retry_after, &when_us) && when_us > now_us)
        us = when_us - now_us;
    return us > DAY_US ? DAY_US : us;
}
