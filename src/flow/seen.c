#include "flow/seen.h"

#include "sys/pages.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW_MAX_SHIFT = 26, PLACE_BITS = 27, SLOTS_FIRST = 1 << 12 };

/* A ring of digests in order of arrival, and an open-addressing set of places in it, half full at
 * most. A slot is 1 + the place (0: empty), and above it some bits of the digest, so that
 * the ring is looked at for few but the right one: 16 bytes a report and not 24. The set begins
 * small and doubles until it holds the window: a short run touches, and the kernel clears, only
 * what it needs. */
struct seen {
    uint64_t *ring;
    uint32_t *slots;
    uint64_t window;
    uint64_t mask;
    uint64_t next;
    uint64_t count;
};

static uint32_t
slot_of(uint64_t digest, uint64_t place)
{
    return (uint32_t)(digest >> (64 - (32 - PLACE_BITS)) << PLACE_BITS | (place + 1));
}

static uint64_t
place_in(uint32_t slot)
{
    return (slot & (((uint32_t)1 << PLACE_BITS) - 1)) - 1;
}

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

/* Empty the slot of the oldest and close the gap, so that probing needs no tombstones. */
static void
drop_oldest(struct seen *seen)
{
    uint64_t digest = seen->ring[seen->next];
    uint32_t slot = slot_of(digest, seen->next);
    uint64_t hole = digest & seen->mask;

    while (seen->slots[hole] != slot)
        hole = (hole + 1) & seen->mask;
    for (uint64_t at = (hole + 1) & seen->mask; seen->slots[at] != 0; at = (at + 1) & seen->mask) {
        uint64_t home = seen->ring[place_in(seen->slots[at])] & seen->mask;
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
    uint32_t tag = slot_of(digest, 0) >> PLACE_BITS;

    for (*at = digest & seen->mask; seen->slots[*at] != 0; *at = (*at + 1) & seen->mask)
        if (seen->slots[*at] >> PLACE_BITS == tag
            && seen->ring[place_in(seen->slots[*at])] == digest)
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
        seen->slots[at] = slot_of(seen->ring[i], i);
    }
}

bool
seen_has(const struct seen *seen, uint64_t digest)
{
    uint64_t at;

    return find(seen, digest, &at);
}

bool
seen_add(struct seen *seen, uint64_t digest)
{
    uint64_t at;

    if (find(seen, digest, &at))
        return true;
    if (seen->count == seen->window) {
        drop_oldest(seen);
        (void)find(seen, digest, &at);
    } else {
        if (seen->count * 2 == seen->mask + 1) {
            grow(seen);
            (void)find(seen, digest, &at);
        }
        seen->count++;
    }
    seen->slots[at] = slot_of(digest, seen->next);
    seen->ring[seen->next] = digest;
    seen->next = (seen->next + 1) & (seen->window - 1);
    return false;
}
