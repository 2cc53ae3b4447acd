#include "sys/clock.h"

#include <time.h>

static int64_t
read_clock(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
clock_now_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t
clock_ticks_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
