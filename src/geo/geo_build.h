/* geo_build.h: which answer does each address of the world get, and is what we were told sane?
 *
 * Collects ranges and autonomous systems, refuses what contradicts itself, and writes
 * the table that geo.h reads.
 */
#ifndef COMITY_GEO_GEO_BUILD_H
#define COMITY_GEO_GEO_BUILD_H

#include "model/address.h"
#include "model/words.h"

struct geo_build;

struct geo_build *geo_build_new(void); /* NULL: no memory */
void geo_build_free(struct geo_build *build);

/* The range FIRST to LAST (inclusive, one family) is routed by ASN (1 and up), or belongs to
 * ECONOMY. Each of the four kinds must come in ascending order. Errors: ERR_BAD_ADDRESS for
 * overlaps, disorder and ends that do not fit each other; ERR_BAD_VALUE; ERR_NO_MEMORY. */
MUST_USE int geo_build_asn_range(struct geo_build *build, const struct address *first,
    const struct address *last, uint32_t asn, struct err *err);
MUST_USE int geo_build_economy_range(struct geo_build *build, const struct address *first,
    const struct address *last, struct economy economy, struct err *err);
/* ECONOMY and NAME may be empty. Any order, each ASN once: ERR_DUPLICATE_KEY from geo_build_write.
 */
MUST_USE int geo_build_system(struct geo_build *build, uint32_t asn, struct economy economy,
    struct span name, struct err *err);

/* SOURCES: who made the data, when, under which licence. NOW_S: Unix time to put into the file.
 * Errors: ERR_IO, ERR_NO_MEMORY, ERR_LIMIT, ERR_DUPLICATE_KEY. */
MUST_USE int geo_build_write(struct geo_build *build, struct span sources, uint64_t now_s,
    const char *path, struct err *err);

#endif
