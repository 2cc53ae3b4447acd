#include "core/attempts.h"

#include "base/hash.h"

static const int64_t SECOND_US = 1000000;
static const int64_t MINUTE_US = 60 * INT64_C(1000000);

void
attempts_start(struct attempts *attempts)
{
    memset(attempts, 0, sizeof *attempts);
    hash_random(&attempts->secret, sizeof attempts->secret);
}

static uint64_t
key_of(const struct attempts *attempts, char kind, struct span who)
{
    uint64_t key = hash_bytes(who.p, who.n, attempts->secret + (unsigned char)kind);

    return key + (key == 0);
}

static const struct attempt *
find(const struct attempts *attempts, uint64_t key)
{
    const struct attempt *set = attempts->sets[key % ATTEMPTS_SETS];

    for (int i = 0; i < ATTEMPTS_WAYS; i++)
        if (set[i].key == key)
            return &set[i];
    return NULL;
}

int
attempts_check(
    const struct attempts *attempts, char kind, struct span who, int64_t now_us, struct err *err)
{
    const struct attempt *a = who.n == 0 ? NULL : find(attempts, key_of(attempts, kind, who));

    /* A clock that was set back does not lock anybody out for longer than any pause. */
    if (a == NULL || now_us >= a->until_us
        || a->until_us - now_us > ATTEMPTS_PAUSE_MOST_S * SECOND_US)
        return 0;
    uint32_t wait_s = (uint32_t)((a->until_us - now_us + SECOND_US - 1) / SECOND_US);
    (void)err_set(err, ERR_TOO_MANY, "too many wrong attempts; wait %u seconds", wait_s);
    err->wait_s = wait_s;
    return ERR_TOO_MANY;
}

/* The place of KEY, or of whose last attempt is longest ago. */
static struct attempt *
place_of(struct attempts *attempts, uint64_t key)
{
    struct attempt *set = attempts->sets[key % ATTEMPTS_SETS];
    struct attempt *oldest = &set[0];

    for (int i = 0; i < ATTEMPTS_WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].last_us < oldest->last_us)
            oldest = &set[i];
    }
    *oldest = (struct attempt){.key = key};
    return oldest;
}

void
attempts_failed(
    struct attempts *attempts, char kind, struct span who, uint32_t rate, int64_t now_us)
{
    if (who.n == 0)
        return;
    struct attempt *a = place_of(attempts, key_of(attempts, kind, who));
    int64_t passed = now_us > a->last_us ? now_us - a->last_us : 0;
    int64_t forgiven = a->failures == 0 ? 0 : passed / (MINUTE_US / rate);

    a->failures -= forgiven < a->failures ? (uint32_t)forgiven : a->failures;
    a->failures++;
    a->last_us = now_us;
    if (a->failures < rate)
        return;
    uint32_t doubled = a->failures - rate < 9 ? a->failures - rate : 9;
    int64_t pause_s = INT64_C(1) << doubled;
    a->until_us =
        now_us + (pause_s < ATTEMPTS_PAUSE_MOST_S ? pause_s : ATTEMPTS_PAUSE_MOST_S) * SECOND_US;
}

void
attempts_right(struct attempts *attempts, char kind, struct span who)
{
    if (who.n == 0)
        return;
    struct attempt *a = (struct attempt *)find(attempts, key_of(attempts, kind, who));
    if (a != NULL)
        *a = (struct attempt){0};
}
