/* match.h: does this object match what is asked for?
 *
 * TAXII 2.1's match[id|type|version|spec_version] (section 3.4): all of them must, each by any of
 * its values.
 */
#ifndef COMITY_STORE_SQLITE_MATCH_H
#define COMITY_STORE_SQLITE_MATCH_H

#include "store/sqlite/piece.h"

struct match {
    const struct store_page_query *query;
    unsigned versions;
    uint64_t *id_keys; /* of the filter */
    uint64_t *type_keys;
};
/* Keys live in ARENA. ERR_LIMIT. */
MUST_USE int match_begin(struct match *match, const struct store_page_query *query,
    struct arena *arena, struct err *err);
/* May a piece with that FILTER, and with LASTS (some newest versions), hold one? */
bool match_piece(const struct match *match, bool lasts, struct span filter);
bool match_entry(
    const struct match *match, const struct entries *entries, const struct entry *entry);

#endif
