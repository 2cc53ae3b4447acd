/* hash.h: which number stands for these bytes, and which index for this name?
 *
 * hash_bytes is XXH3, for tables and digests inside one process; it is not a
 * cryptographic hash. A table maps names to indexes: built once, read often.
 */
#ifndef COMITY_BASE_HASH_H
#define COMITY_BASE_HASH_H

#include "base/mem.h"
#include "base/str.h"

#include <stdint.h>

struct hash128 {
    uint64_t low;
    uint64_t high;
};

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);
struct hash128 hash_bytes128(const void *p, size_t n, uint64_t seed);

/* Two words folded by a 64 x 64 multiplication. */
static inline uint64_t
hash_fold(uint64_t a, uint64_t b, uint64_t seed)
{
    __uint128_t product =
        (__uint128_t)(a ^ seed) * (b ^ (seed >> 32 | seed << 32) ^ 0x9e3779b97f4a7c15u);

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* For texts that are short as a rule: up to 32 bytes without a call. Another function than
 * hash_bytes. */
static inline uint64_t
hash_short(const char *p, size_t n, uint64_t seed)
{
    if (n > 32)
        return hash_bytes(p, n, seed);
    if (n >= 4) {
        struct two_words words = two_words(p, n < 16 ? n : 16);
        uint64_t h = hash_fold(words.head + n, words.tail, seed);
        if (n <= 16)
            return h;
        words = two_words(p + n - 16, 16);
        return hash_fold(words.head, words.tail, seed ^ h);
    }
    uint64_t few = n == 0 ? 0
                          : (uint64_t)(unsigned char)p[0] << 16
            | (uint64_t)(unsigned char)p[n / 2] << 8 | (unsigned char)p[n - 1];
    return hash_fold(few + n, 0, seed);
}

/* N random bytes from the kernel; refuses loudly (abort) if it has none. */
void hash_random(void *p, size_t n);

/* A seed nobody outside this process knows; the same all its life. */
extern uint64_t hash_secret_seed;
static inline uint64_t
hash_secret(void)
{
    return hash_secret_seed;
}

/* Names -> indexes 0, 1, 2 ... in order of insertion. Keys are borrowed: they must
 * outlive the table. Seeded at random, so hostile keys cannot pile up. */
struct table;

struct table *table_new(size_t max_keys);
void table_free(struct table *table);
/* The index of KEY, inserting it if new. ERR_LIMIT beyond max_keys. */
MUST_USE int table_add(struct table *table, struct span key, uint32_t *index, struct err *err);
/* The index of KEY, or -1. */
int64_t table_find(const struct table *table, struct span key);
size_t table_count(const struct table *table);
/* The key with that index. */
struct span table_key(const struct table *table, uint32_t index);

#endif
