/* mmdb.h: what would the same ranges look like to libmaxminddb?
 *
 * Writes a MaxMind DB (format 2.0): one tree for IPv6 with IPv4 under ::/96, records
 * of 24 bits (the smallest that fit), and per distinct pair a map {"asn": uint32, "country":
 * string}.
 */
#ifndef COMITY_BENCH_MMDB_H
#define COMITY_BENCH_MMDB_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

__extension__ typedef unsigned __int128 mmdb_key;

/* IPv4 addresses are the last 32 bits, the first 96 being 0. */
struct mmdb_range {
    mmdb_key first;
    mmdb_key last;
    uint32_t value; /* ASN, or the two letters as first << 8 | second */
};

/* Both lists ascend without overlaps. Returns 0, or -1 when memory, the file or the format's size
 * gave out. */
int mmdb_write(const struct mmdb_range *asns, size_t asn_count, const struct mmdb_range *economies,
    size_t economy_count, FILE *out);

#endif
