/* shadowmemory.h: what did this column's rule make of the same cell a row before?
 *
 * Most columns of a report say the same row after row. What a rule made of the cell is kept, with
 * what it adds to the digest, as long as it can be told from the cell alone and lies in the cell
 * itself.
 */
#ifndef COMITY_FMT_SHADOWMEMORY_H
#define COMITY_FMT_SHADOWMEMORY_H

#include "fmt/shadowvalue.h"

enum { MEMORY_BYTES = 32, MISSES_MAX = 16, MISSES_TRY = 64 };

/* What a field adds to its report's digest (report_digest_part). */
struct shadowmemory_part {
    uint64_t sum;
    uint32_t fields;
    bool sure;
};

/* What a rule made of the cell it saw last: most columns say the same row after row. Only what can
 * be told from the cell alone, and lies in the cell itself, is remembered. */
struct shadowmemory {
    char cell[MEMORY_BYTES];
    uint8_t n;
    bool known;
    uint8_t misses;  /* rows since the cell was as before, up to MISSES_MAX */
    uint8_t outcome; /* enum shadowvalue */
    uint8_t type;    /* enum value_type */
    uint8_t from;    /* text: where it begins in the cell, and its bytes */
    uint8_t bytes;
    uint64_t number;
    struct shadowmemory_part part; /* of the field that it makes */
};

static inline struct shadowmemory_part
shadowmemory_part(const struct field *field)
{
    struct shadowmemory_part part;

    part.sure = report_digest_part(field, &part.sum, &part.fields);
    return part;
}

static inline void
shadowmemory_add(struct shadowmemory_part *all, const struct shadowmemory_part *part)
{
    all->sum += part->sum;
    all->fields += part->fields;
    all->sure = all->sure && part->sure;
}

/* Keep what FIELD became of CELL, RC being shadowvalue_convert's or shadowvalue_fit's answer. */
void shadowmemory_keep(struct shadowmemory *memory, struct span cell, const struct field *field,
    int rc, const struct shadowmemory_part *part);

/* A column that never says the same twice is only tried now and then. */
static inline bool
shadowmemory_worth(struct shadowmemory *memory, uint64_t line)
{
    if (memory->misses < MISSES_MAX)
        memory->misses++;
    return memory->misses < MISSES_MAX || line % MISSES_TRY == 0;
}

/* Is it of this very cell? */
static inline bool
shadowmemory_has(const struct shadowmemory *memory, struct span cell)
{
    return memory->known && span_still((struct span){memory->cell, memory->n}, cell);
}

#endif
