#include "core/retain.h"

#include "base/mem.h"
#include "store/receipt.h"

/* Some ten milliseconds of work at most, and more a second than comes in. */
enum { AT_ONCE = 256, BATCH_BYTES = 128 * 1024 * 1024 };

static const int64_t second_us = 1000000;
static const int64_t jump_us = (int64_t)3600 * 1000000;
static const int64_t day_us = (int64_t)24 * 3600 * 1000000;
static const int64_t quiet_us = (int64_t)7 * 24 * 3600 * 1000000;

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

/* When the newest report came in; 0: there is none. */
static int
newest(struct store *store, int64_t *us, struct err *err)
{
    const struct store_search all = {.since_us = INT64_MIN, .until_us = INT64_MAX};
    struct arena *arena = arena_new(BATCH_BYTES);
    struct store_batch batch = {.received_us = 0};
    uint64_t number = 0;
    int rc = arena == NULL ? err_set(err, ERR_NO_MEMORY, "no memory to look at the newest batch")
                           : store_batch_search(store, &all, 0, &number, err);

    if (rc == 0 && number != 0)
        rc = store_batch_get(store, arena, number, &batch, err);
    *us = batch.received_us;
    arena_free(arena);
    return rc;
}

/* At the beginning nothing says how the clock ran before, but what came in last does. (If that is
 * damaged, `comity store check` says so; nothing is removed meanwhile.) */
static int
look_back(struct retain *retain, struct store *store, const struct retain_now *now, struct err *err)
{
    int64_t last_us;

    if (retain->begun)
        return 0;
    int rc = newest(store, &last_us, err);
    if (rc == 0 && last_us != 0 && now->clock_us - last_us > quiet_us) {
        retain->begun = true;
        retain->offset_us = last_us - now->ticks_us;
    }
    return rc;
}

static int64_t
before(int64_t clock_us, int64_t kept_us)
{
    return kept_us == 0 ? INT64_MIN : clock_us - kept_us;
}

int
retain_step(struct retain *retain, struct store *store, const struct retain_now *now,
    struct retain_done *done, struct err *err)
{
    *done = (struct retain_done){0};
    int rc = look_back(retain, store, now, err);
    retain->waits = rc == ERR_BAD_STORE || (rc == 0 && jumped(retain, now));
    if (retain->waits) {
        retain->next_us = now->ticks_us + day_us;
        return 0;
    }
    if (rc != 0)
        return rc;
    rc = store_expire(store, before(now->clock_us, now->reports_us),
        before(now->clock_us, now->pieces_us), now->clock_us, AT_ONCE, &done->pieces, err);
    if (rc == 0)
        rc = store_receipts_expire(
            store, before(now->clock_us, now->receipts_us), AT_ONCE, &done->receipts, err);
    bool more = done->pieces + done->receipts > 0;
    retain->next_us = now->ticks_us + (more ? second_us : 60 * second_us);
    return rc;
}
