/* ranges.h: which address ranges, or which autonomous systems, does this CSV list?
 *
 * The first line is the header: `start,end,asn` or `start,end,economy` (IPv4 as
 * decimal numbers or text, IPv6 as text, both ends inclusive), or
 * `asn,economy,economy_share,ipv4_addresses,name`. Rows come in the file's order;
 * whether they overlap is for the taker to say.
 */
#ifndef COMITY_FMT_RANGES_H
#define COMITY_FMT_RANGES_H

#include "fmt/input.h"
#include "model/address.h"
#include "model/words.h"

enum ranges_kind {
    RANGES_IP4_ASN,
    RANGES_IP4_ECONOMY,
    RANGES_IP6_ASN,
    RANGES_IP6_ECONOMY,
    RANGES_ASN
};

struct ranges_row {
    struct address first; /* of a range; no family: the row names an ASN */
    struct address last;
    uint32_t asn;
    struct economy economy;
    struct span name; /* valid until the next call; UTF-8 */
};

struct ranges;

/* INPUT stays the caller's and must outlive RANGES. Errors: those of the header line. */
MUST_USE int ranges_open(
    struct input *input, enum ranges_kind kind, struct ranges **out, struct err *err);
void ranges_close(struct ranges *ranges);

/* The next row. Returns 1, 0 at the end, or what is wrong with the row (err->line says
 * which): ERR_COLUMN_COUNT, ERR_BAD_QUOTE, ERR_BAD_ADDRESS, ERR_BAD_NUMBER, ERR_BAD_VALUE,
 * ERR_BAD_UTF8, ERR_LIMIT, or what input_line says. */
MUST_USE int ranges_next(struct ranges *ranges, struct ranges_row *row, struct err *err);
/* 1-based line of the row handed out last. */
uint64_t ranges_line(const struct ranges *ranges);

#endif
