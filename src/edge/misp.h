/* misp.h: how does a front show a partner its reports as a MISP feed, and the directory as
 * Cerebrate's?
 *
 * The feed: /misp/manifest.json, /misp/hashes.csv and /misp/UUID.json, as MISP reads feeds, with an
 * ETag each. The directory: the four GETs by which a MISP takes organisations and sharing groups
 * from a Cerebrate. Credentials are those of the TAXII server, or MISP's bare key.
 */
#ifndef COMITY_EDGE_MISP_H
#define COMITY_EDGE_MISP_H

#include "edge/door.h"

extern const struct route_family misp_family;

/* Asked every some seconds: what nobody asks for is given back. */
void misp_rest(void);
extern const struct route_family cerebrate_organisations_family;
extern const struct route_family cerebrate_groups_family;

#endif
