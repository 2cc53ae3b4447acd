/* geo.h: which prefix, autonomous system and economy does an address belong to?
 *
 * One immutable file, mapped read-only and shared by every process, holds the
 * world: registry allocations (economy of the holder's seat) and routed prefixes
 * (origin ASN). A look-up is a few memory reads; batches hide their latency.
 */
#ifndef COMITY_GEO_GEO_H
#define COMITY_GEO_GEO_H

#include "base/mem.h"
#include "model/address.h"
#include "model/words.h"

struct geo;

struct geo_answer {
    uint32_t asn;               /* 0: not routed or not known */
    struct economy economy;     /* of the registry allocation; zero: not known */
    struct economy asn_economy; /* of the ASN; zero: not known */
    uint8_t bits;               /* length of the prefix of the finest range known; 0: none */
};

/* Map the table at PATH. Errors: ERR_NOT_FOUND, ERR_IO, ERR_BAD_TABLE. Every offset
 * in the file is checked here, so that look-ups need not. */
MUST_USE int geo_open(const char *path, struct geo **out, struct err *err);
void geo_close(struct geo *geo);
/* Nobody looks anything up for now: the pages of the file are the system's, until they are needed
 * again. */
void geo_rest(const struct geo *geo);

/* All zero when nothing is known. IPv4-mapped IPv6 is looked up as the IPv4 inside. */
struct geo_answer geo_find(const struct geo *geo, const struct address *address);
/* COUNT look-ups at once: the memory reads overlap. IPv4 as host-order numbers; geo_find6
 * takes what geo_find takes. */
void geo_find4(
    const struct geo *geo, const uint32_t *addresses, size_t count, struct geo_answer *out);
void geo_find6(
    const struct geo *geo, const struct address *addresses, size_t count, struct geo_answer *out);
/* Start fetching what geo_find will read; some hundred nanoseconds later, what that leads to. */
void geo_prefetch(const struct geo *geo, const struct address *address);
void geo_prefetch_entry(const struct geo *geo, const struct address *address);

/* Name of an ASN (n 0: not known) and its economy. */
struct span geo_asn_name(const struct geo *geo, uint32_t asn);
struct economy geo_asn_economy(const struct geo *geo, uint32_t asn);
/* "DB-IP 2026-06-17 (CC BY 4.0), ..." and the table's counts, for `comity geo show`. */
struct span geo_sources(const struct geo *geo);

struct geo_counts {
    uint64_t ip4_asn_ranges;
    uint64_t ip4_economy_ranges;
    uint64_t ip6_asn_ranges;
    uint64_t ip6_economy_ranges;
    uint64_t asns;
    uint64_t bytes;
    int64_t built_us;
};
struct geo_counts geo_counts(const struct geo *geo);

#endif
