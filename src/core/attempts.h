/* attempts.h: may somebody try to sign in again already?
 *
 * For each account and each address: so many wrong attempts a minute are free, then each further
 * one costs a pause, twice as long each time, up to some minutes. Bounded: of many thousand who
 * try, those whose last attempt is longest ago are forgotten.
 */
#ifndef COMITY_CORE_ATTEMPTS_H
#define COMITY_CORE_ATTEMPTS_H

#include "base/str.h"

enum { ATTEMPTS_PAUSE_MOST_S = 300, ATTEMPTS_WAYS = 4, ATTEMPTS_SETS = 1024 };

struct attempts {
    uint64_t secret; /* nobody can choose who shares their place */
    struct attempt {
        uint64_t key; /* 0: free */
        int64_t last_us;
        int64_t until_us;
        uint32_t failures;
    } sets[ATTEMPTS_SETS][ATTEMPTS_WAYS];
};

void attempts_start(struct attempts *attempts);
/* ERR_TOO_MANY says how long to wait (wait_s). KIND tells accounts and addresses apart; n 0: fine.
 */
MUST_USE int attempts_check(
    const struct attempts *attempts, char kind, struct span who, int64_t now_us, struct err *err);
void attempts_failed(
    struct attempts *attempts, char kind, struct span who, uint32_t rate, int64_t now_us);
/* It was right: forget the others. */
void attempts_right(struct attempts *attempts, char kind, struct span who);

#endif
