#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t
hash_bytes(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

struct hash128
hash_bytes128(const void *p, size_t n, uint64_t seed)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(p, n, seed);

    return (struct hash128){h.low64, h.high64};
}

void
hash_random(void *p, size_t n)
{
    unsigned char *at = p;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got <= 0) {
            (void)fputs("comity: the kernel gives no random bytes\n", stderr);
            abort();
        }
        at += got;
        n -= (size_t)got;
    }
}

uint64_t hash_secret_seed;

__attribute__((constructor)) static void
make_secret(void)
{
    hash_random(&hash_secret_seed, sizeof hash_secret_seed);
}

struct slot {
    uint32_t index_plus_1; /* 0: empty */
    uint32_t tag;          /* upper hash bits, to skip most comparisons */
};

struct table {
    struct slot *slots;
    struct span *keys;
    size_t mask;
    size_t count;
    size_t room;
    size_t max_keys;
    uint64_t seed;
};

struct table *
table_new(size_t max_keys)
{
    struct table *table = calloc(1, sizeof *table);

    if (table == NULL)
        return NULL;
    table->max_keys = max_keys < UINT32_MAX ? max_keys : UINT32_MAX - 1;
    hash_random(&table->seed, sizeof table->seed);
    return table;
}

void
table_free(struct table *table)
{
    if (table == NULL)
        return;
    free(table->slots);
    free(table->keys);
    free(table);
}

static void
place(struct table *table, uint64_t hash, uint32_t index)
{
    size_t at = hash & table->mask;

    while (table->slots[at].index_plus_1 != 0)
        at = (at + 1) & table->mask;
    table->slots[at] = (struct slot){index + 1, (uint32_t)(hash >> 32)};
}

static int
grow(struct table *table, struct err *err)
{
    size_t room = table->room == 0 ? 64 : table->room * 2;
    struct span *keys = realloc(table->keys, room * sizeof *keys);
    struct slot *slots = calloc(room * 2, sizeof *slots);

    if (keys != NULL)
        table->keys = keys;
    if (keys == NULL || slots == NULL) {
        free(slots);
        return err_set(err, ERR_NO_MEMORY, "no memory for a table of %zu names", room);
    }
    free(table->slots);
    table->slots = slots;
    table->room = room;
    table->mask = room * 2 - 1;
    for (size_t i = 0; i < table->count; i++)
        place(table, hash_bytes(keys[i].p, keys[i].n, table->seed), (uint32_t)i);
    return 0;
}

static int64_t
find(const struct table *table, struct span key, uint64_t hash)
{
    if (table->count == 0)
        return -1;
    for (size_t at = hash & table->mask; table->slots[at].index_plus_1 != 0;
         at = (at + 1) & table->mask) {
        struct slot slot = table->slots[at];
        if (slot.tag == (uint32_t)(hash >> 32)
            && span_equal(table->keys[slot.index_plus_1 - 1], key))
            return slot.index_plus_1 - 1;
    }
    return -1;
}

int
table_add(struct table *table, struct span key, uint32_t *index, struct err *err)
{
    uint64_t hash = hash_bytes(key.p, key.n, table->seed);
    int64_t found = find(table, key, hash);

    if (found >= 0) {
        *index = (uint32_t)found;
        return 0;
    }
    if (table->count >= table->max_keys)
        return err_set(err, ERR_LIMIT, "more than %zu names in one table", table->max_keys);
    if (table->count == table->room) {
        int rc = grow(table, err);
        if (rc != 0)
            return rc;
    }
    *index = (uint32_t)table->count;
    table->keys[table->count++] = key;
    place(table, hash, *index);
    return 0;
}

int64_t
table_find(const struct table *table, struct span key)
{
    return find(table, key, hash_bytes(key.p, key.n, table->seed));
}

size_t
table_count(const struct table *table)
{
    return table->count;
}

struct span
table_key(const struct table *table, uint32_t index)
{
    return table->keys[index];
}
