/* geo_table.h: what does an open table look like inside?
 *
 * Private to geo.c and geo_check.c.
 */
#ifndef COMITY_GEO_GEO_TABLE_H
#define COMITY_GEO_GEO_TABLE_H

#include "geo/geo.h"
#include "geo/geo_layout.h"

#define INLINE static inline __attribute__((always_inline))

/* Counting bits is one instruction on every x86-64 since 2008, but not of the base set that
 * Debian compiles for; so the hot functions exist twice. */
#if defined(__x86_64__)
#define FAST __attribute__((target("popcnt,avx2,bmi,bmi2")))
#else
#define FAST
#endif

struct geo {
    const struct geo_top *top;
    const struct geo_node *nodes;
    const uint64_t *entries;
    const struct geo_line *lines;
    const struct geo_system *systems;
    size_t system_count;
    struct span names;
    const struct geo_header *header;
    size_t bytes;
    bool fast;
};

static inline const void *
geo_table_section(const struct geo *geo, enum geo_section which)
{
    return (const char *)geo->header + geo->header->sections[which].offset;
}

static inline uint64_t
geo_table_count(const struct geo *geo, enum geo_section which)
{
    return geo->header->sections[which].count;
}

/* ERR_BAD_TABLE, saying WHAT is wrong with PATH. */
int geo_check_failed(struct err *err, const char *path, const char *what);
/* Is the header true to the file, and does every section lie inside? Before this nothing else may
 * be read. */
MUST_USE int geo_check_header(const struct geo *geo, const char *path, struct err *err);
/* Does everything that a look-up may follow lead inside? */
MUST_USE int geo_check_content(const struct geo *geo, const char *path, struct err *err);

#endif
