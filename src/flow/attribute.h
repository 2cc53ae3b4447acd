/* attribute.h: which network, economy and team answer for a report?
 *
 * Precedence as doc/path.md orders it: a registered constituency (most specific prefix,
 * then ASN, then longest domain suffix), the national team of the economy of the address's
 * registry allocation (if unknown, of the ASN), for names without an address that of the
 * country-code domain, else nobody, which is an answer and no error.
 * Pure: no I/O, no clock, no globals. The evidence is kept apart, agreeing or not.
 */
#ifndef COMITY_FLOW_ATTRIBUTE_H
#define COMITY_FLOW_ATTRIBUTE_H

#include "flow/roster.h"
#include "geo/geo.h"
#include "model/report.h"

struct attribution {
    struct team_id team;
    uint8_t rule;                /* enum attribution_rule */
    uint8_t other_teams;         /* further teams the same rule names (0 most of the time) */
    struct economy economy;      /* that decided: registry's, else the ASN's, else the ccTLD's */
    struct geo_answer geo;       /* prefix, ASN and economies of the address; zero: no address */
    struct economy feed_economy; /* geolocation as the feed gave it */
    uint32_t feed_asn;
    struct span domain;    /* the registered suffix that matched, for the domain rule */
    struct address prefix; /* the registered prefix that matched, for the prefix rule */
};

struct world {
    const struct geo *geo; /* may be NULL: no table loaded */
    const struct roster *roster;
};

/* One side of a report: by its address, network or name. All zero members if it has none. */
void attribute_endpoint(
    const struct world *world, const struct endpoint *endpoint, struct attribution *out);

/* Both sides. Recipients are the distinct teams of the two, source first: 0, 1 or 2. */
struct attribution_pair {
    struct attribution source;
    struct attribution destination;
    struct team_id recipients[2];
    uint8_t recipient_count;
};
void attribute_report(
    const struct world *world, const struct report *report, struct attribution_pair *out);

/* Does the evidence disagree (registry economy, ASN's economy, feed's)? */
bool attribution_disagrees(const struct attribution *attribution);

#endif
