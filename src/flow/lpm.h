/* lpm.h: which of these prefixes is the most specific over an address?
 *
 * The prefixes are flattened once into disjoint ranges; the first 16 bits of an address
 * choose where to look, so that mostly one memory read answers.
 */
#ifndef COMITY_FLOW_LPM_H
#define COMITY_FLOW_LPM_H

#include "base/mem.h"
#include "model/address.h"

struct lpm;

struct lpm_entry {
    struct address prefix;
    uint32_t value; /* not 0 */
};

/* ENTRIES of one FAMILY (others are skipped), sorted by lpm_compare, no prefix twice.
 * In ARENA, which must outlive it; no entries of the family give NULL and 0.
 * Errors: ERR_LIMIT. */
MUST_USE int lpm_build(struct arena *arena, const struct lpm_entry *entries, size_t count,
    uint8_t family, struct lpm **out, struct err *err);

/* Order by family, first address, length. */
int lpm_compare(const struct address *a, const struct address *b);

/* The value of the most specific prefix over ADDRESS, or 0. LPM may be NULL. */
uint32_t lpm_find(const struct lpm *lpm, const struct address *address);

#endif
