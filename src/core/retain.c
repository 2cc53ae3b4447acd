#include "core/retain.h"

/* Some ten milliseconds of work at most, and more a second than comes in. */
enum { AT_ONCE = 256 };

static const int64_t second_us = 1000000;
static const int64_t jump_us = (int64_t)3600 * 1000000;
static const int64_t day_us = (int64_t)24 * 3600 * 1000000;

bool
retain_due(const struct retain *retain, int64_t ticks_us)
{
    return ticks_us >= retain->next_us;
}

static bool
jumped(struct retain *retain, const struct retain_now *now)
{
    int64_t offset_us = now->clock_us - now->ticks_us;
    int64_t by_us = offset_us - retain->offset_us;
    bool far = retain->begun && (by_us > jump_us || by_us < -jump_us);

    retain->begun = true;
    retain->offset_us = offset_us;
    return far;
}

static int64_t
before(int64_t clock_us, int64_t kept_us)
{
    return kept_us == 0 ? INT64_MIN : clock_us - kept_us;
}

int
retain_step(struct retain *retain, struct store *store, const struct retain_now *now,
    uint32_t *removed, struct err *err)
{
    *removed = 0;
    if (jumped(retain, now)) {
        retain->next_us = now->ticks_us + day_us;
        return 0;
    }
    int rc = store_expire(store, before(now->clock_us, now->reports_us),
        before(now->clock_us, now->pieces_us), now->clock_us, AT_ONCE, removed, err);
    retain->next_us = now->ticks_us + (*removed > 0 ? second_us : 60 * second_us);
    return rc;
}
