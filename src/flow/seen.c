#include "flow/seen.h"

#include "sys/pages.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW_MAX_SHIFT = 26, SLOTS_FIRST = 1 << 12 };

/* A ring in order of arrival, and an open-addressing set of the same digests, half
 * full at most; 0 is an empty slot, so digest 0 is kept as 1. The set begins small and doubles
 * until it holds the window: a short run touches, and the kernel clears, only what it needs. */
struct seen {
    uint64_t *ring;
    uint64_t *slots;
    uint64_t window;
    uint64_t mask;
    uint64_t next;
    uint64_t count;
};

struct seen *
seen_new(uint64_t window)
{
    struct seen *seen = calloc(1, sizeof *seen);
    uint64_t size = 16;

    while (size < window && size < (uint64_t)1 << WINDOW_MAX_SHIFT)
        size *= 2;
    if (seen == NULL)
        return NULL;
    seen->window = size;
    seen->mask = (size * 2 < SLOTS_FIRST ? size * 2 : SLOTS_FIRST) - 1;
    seen->ring = pages_new(size * sizeof *seen->ring);
    seen->slots = pages_new(size * 2 * sizeof *seen->slots);
    if (seen->ring == NULL || seen->slots == NULL) {
        seen_free(seen);
        return NULL;
    }
    return seen;
}

void
seen_free(struct seen *seen)
{
    if (seen == NULL)
        return;
    pages_free(seen->ring, seen->window * sizeof *seen->ring);
    pages_free(seen->slots, seen->window * 2 * sizeof *seen->slots);
    free(seen);
}

void
seen_prefetch(const struct seen *seen, uint64_t digest)
{
    __builtin_prefetch(&seen->slots[digest & seen->mask], 1);
    if (seen->count == seen->window)
        __builtin_prefetch(&seen->slots[seen->ring[seen->next] & seen->mask], 1);
}

/* Empty the slot of DIGEST and close the gap, so that probing needs no tombstones. */
static void
drop(struct seen *seen, uint64_t digest)
{
    uint64_t hole = digest & seen->mask;

    while (seen->slots[hole] != digest)
        hole = (hole + 1) & seen->mask;
    for (uint64_t at = (hole + 1) & seen->mask; seen->slots[at] != 0; at = (at + 1) & seen->mask) {
        uint64_t home = seen->slots[at] & seen->mask;
        if (((at - home) & seen->mask) >= ((at - hole) & seen->mask)) {
            seen->slots[hole] = seen->slots[at];
            hole = at;
        }
    }
    seen->slots[hole] = 0;
}

static bool
find(const struct seen *seen, uint64_t digest, uint64_t *at)
{
    for (*at = digest & seen->mask; seen->slots[*at] != 0; *at = (*at + 1) & seen->mask)
        if (seen->slots[*at] == digest)
            return true;
    return false;
}

/* Twice the slots. They lie in memory that was asked for at the beginning, so this cannot fail. */
static void
grow(struct seen *seen)
{
    uint64_t at;

    memset(seen->slots, 0, (seen->mask + 1) * sizeof *seen->slots);
    seen->mask = seen->mask * 2 + 1;
    for (uint64_t i = 0; i < seen->count; i++) {
        (void)find(seen, seen->ring[i], &at);
        seen->slots[at] = seen->ring[i];
    }
}

bool
seen_add(struct seen *seen, uint64_t digest)
{
    uint64_t at;

    digest += digest == 0;
    if (find(seen, digest, &at))
        return true;
    if (seen->count == seen->window) {
        drop(seen, seen->ring[seen->next]);
        (void)find(seen, digest, &at);
    } else {
        if (seen->count * 2 == seen->mask + 1) {
            grow(seen);
            (void)find(seen, digest, &at);
        }
        seen->count++;
    }
    seen->slots[at] = digest;
    seen->ring[seen->next] = digest;
    seen->next = (seen->next + 1) & (seen->window - 1);
    return false;
}
