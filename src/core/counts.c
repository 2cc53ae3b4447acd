#include "core/counts.h"

#include <stdlib.h>

static const int64_t DAY_US = INT64_C(86400) * 1000000;

void
counts_add(
    struct counts *counts, enum stat stat, uint32_t team, uint8_t classification, uint64_t value)
{
    uint64_t key = (uint64_t)team << 32 | (uint64_t)stat << 8 | classification;
    uint32_t at = (uint32_t)(key * 0x9e3779b97f4a7c15u >> 51);

    while (counts->slots[at].value != 0 && counts->slots[at].key != key)
        at = (at + 1) % COUNTS_SLOTS;
    if (counts->slots[at].value == 0) {
        counts->slots[at].key = key;
        counts->used[counts->count++] = at;
    }
    counts->slots[at].value += value;
}

int
counts_keep(struct counts *counts, struct store *store, int64_t now_us, struct err *err)
{
    struct store_count *rows = counts->count == 0 ? NULL : calloc(counts->count, sizeof *rows);

    if (rows == NULL)
        return counts->count == 0
            ? 0
            : err_set(err, ERR_NO_MEMORY, "no memory for %u counts", counts->count);
    for (uint32_t i = 0; i < counts->count; i++) {
        uint64_t key = counts->slots[counts->used[i]].key;
        rows[i] = (struct store_count){.day = (uint32_t)(now_us / DAY_US),
            .team = (uint32_t)(key >> 32),
            .name = (uint16_t)(key >> 8 & 0xffff),
            .classification = (uint16_t)(key & 0xff),
            .value = counts->slots[counts->used[i]].value};
    }
    int rc = store_count_add(store, rows, counts->count, err);
    free(rows);
    if (rc == 0)
        counts_clear(counts);
    return rc;
}

void
counts_clear(struct counts *counts)
{
    for (uint32_t i = 0; i < counts->count; i++)
        counts->slots[counts->used[i]].value = 0;
    counts->count = 0;
}
