/* filter.h: may this chunk hold that key, without opening it?
 *
 * A Bloom filter: 13 bits a distinct key and 6 probes, so that of chunks without a key about 3 in
 * 1000 are opened in vain, and none that has it is missed. Keys are hashes already (64 bits, all of
 * them good).
 */
#ifndef COMITY_STORE_FILTER_H
#define COMITY_STORE_FILTER_H

#include "base/str.h"

/* Bytes that a filter of COUNT distinct keys takes at most. */
size_t filter_bytes(size_t count);
/* The filter of KEYS (any order, repeated or not). It lives in WORK, whose content goes, until that
 * is used again; some 40 bytes a key are used there. n is never 0. ERR_LIMIT. */
MUST_USE int filter_make(
    struct buf *work, const uint64_t *keys, size_t count, struct span *out, struct err *err);
/* Bytes that are no filter may hold everything. */
bool filter_may_hold(struct span filter, uint64_t key);
/* Is this a filter at all? */
bool filter_whole(struct span filter);

#endif
