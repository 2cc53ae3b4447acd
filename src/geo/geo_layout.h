/* geo_layout.h: where in the table's file does what stand?
 *
 * doc/geo-table.md tells it in prose. All numbers are little-endian; every section
 * begins at a multiple of 64. Private to geo.c and geo_pack.c.
 */
#ifndef COMITY_GEO_GEO_LAYOUT_H
#define COMITY_GEO_GEO_LAYOUT_H

#include <stdint.h>

#define GEO_MAGIC "COMITYGT"

enum {
    GEO_VERSION = 1,
    GEO_ALIGN = 64,
    GEO_TOP_BITS = 12, /* IPv6: the first 12 bits choose a block of nodes */
    GEO_TOP_COUNT = 1 << GEO_TOP_BITS,
    GEO_TOP_MASK = 0x3fff, /* bits 12 to 25 choose the node, bits 26 to 31 the place in it */
    GEO_NODES4 = 1 << 18,  /* IPv4: the first 18 bits choose the node, the next 6 the place */
    GEO_WORD_BITS = 6,
    GEO_STEP_BITS = 16, /* what a list or block below consumes */
    GEO_BLOCK_NODES = 1 << (GEO_STEP_BITS - GEO_WORD_BITS),
    GEO_STEPS_MAX = 6,   /* 32 + 6 * 16 = 128 */
    GEO_LINE_KEYS = 32,  /* 64 bytes of uint16_t: a cache line */
    GEO_LIST_MAX = 1024, /* entries of a list: at most 32 lines of keys under one of first keys */
};

/* 64 neighbouring places, equal neighbours stored once: place P's entry is
 * entries[first + how many of the bits 1 to P are set]. */
struct geo_node {
    uint64_t changes; /* bit P: place P differs from place P - 1; bit 0 is clear */
    uint32_t first;
    uint32_t zero;
};

struct geo_top {
    uint32_t node;
    uint32_t mask; /* GEO_TOP_MASK; 0: all of the 12 bits' space has one answer */
};

/* An entry is an answer, or says where to go on with the address's next 16 bits.
 * Answer: asn 32, economy 10, asn_economy 10, bits 8, zero 2, kind 2 (from the low end).
 * List: first entry 24, line of keys 22, count 11, zero 5, kind 2.
 * Block: first node 32, zero 30, kind 2. */
enum { GEO_ANSWER, GEO_LIST, GEO_BLOCK };
#define GEO_KIND(entry) ((unsigned)((entry) >> 62))
#define GEO_LIST_FIRST(entry) ((uint32_t)((entry)&0xffffff))
#define GEO_LIST_LINE(entry) ((uint32_t)((entry) >> 24 & 0x3fffff))
#define GEO_LIST_COUNT(entry) ((uint32_t)((entry) >> 46 & 0x7ff))
/* Lines a list of COUNT entries has: its COUNT - 1 keys in lines of 32 and, where that is
 * more than one line, in front of them a line of their first keys (from the second line on). */
#define GEO_LIST_LINES(count) (((count)-1 + GEO_LINE_KEYS - 1) / GEO_LINE_KEYS)

struct geo_line {
    uint16_t keys[GEO_LINE_KEYS]; /* ascending; unused ones 0xffff */
};

struct geo_system {
    uint32_t asn; /* ascending */
    uint32_t name;
    uint16_t name_bytes;
    uint16_t economy;
};

enum geo_section {
    GEO_TOP,
    GEO_NODES,
    GEO_ENTRIES,
    GEO_LINES,
    GEO_SYSTEMS,
    GEO_NAMES,
    GEO_SOURCES,
    GEO_SECTIONS
};

struct geo_header {
    char magic[8];
    uint32_t version;
    uint32_t header_bytes;
    uint64_t file_bytes;
    uint64_t checksum; /* XXH3-64, seed 0, of everything behind this field */
    struct {
        uint64_t offset;
        uint64_t count; /* of the section's elements */
    } sections[GEO_SECTIONS];
    uint64_t ranges[4]; /* read from the sources: IPv4 ASN, IPv4 economy, IPv6 ASN, IPv6 economy */
    uint64_t built_s;   /* Unix time */
};

_Static_assert(sizeof(struct geo_node) == 16 && sizeof(struct geo_top) == 8, "file layout");
_Static_assert(sizeof(struct geo_line) == 64 && sizeof(struct geo_system) == 12, "file layout");
_Static_assert(sizeof(struct geo_header) == 184, "file layout");

#endif
