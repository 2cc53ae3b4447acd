/* exchange.h: what does an object from another team's node mean here?
 *
 * Objects that a partner posts, or that the courier fetched from a link, and that are no reports
 * (those go through intake), come here one by one after TAXII's own checks. A row for each type
 * that means something between nodes; doc/federation.md has the table.
 */
#ifndef COMITY_CORE_EXCHANGE_H
#define COMITY_CORE_EXCHANGE_H

#include "core/state.h"
#include "fmt/json.h"
#include "model/page.h"

struct exchange_object {
    struct span team;               /* who sent it: a partner's */
    const struct page_object *page; /* as the front checked and encoded it */
    struct json_value json;         /* the same, parsed; until the function returns */
    int64_t now_us;
    struct arena *arena;
};

/* What becomes of OBJECT, in the open transaction (core_begin). 1: it was taken, and is not kept in
 * the intake; 0: it is none of ours; an error of the sender's is told in its status. CTX is core.
 */
int exchange_take(void *ctx, const struct exchange_object *object, struct err *err);

#endif
