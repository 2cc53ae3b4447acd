/* collections_private.h: what do the files of core/collections share besides its header?
 */
#ifndef COMITY_CORE_COLLECTIONS_PRIVATE_H
#define COMITY_CORE_COLLECTIONS_PRIVATE_H

#include "core/collections.h"
#include "fmt/json.h"

enum { FETCHED_MAX = 1024 };

/* Up to where recipients have what is theirs, not written yet. */
struct fetched {
    struct {
        uint32_t collection;
        uint32_t team; /* whose it is */
        int64_t through_us;
    } marks[FETCHED_MAX];
    size_t count;
    int64_t flushed_us;
};

/* The parser of posted objects: one document at a time. */
struct json *collections_json(const struct collections *collections);
struct fetched *collections_marks(struct collections *collections);

#endif
