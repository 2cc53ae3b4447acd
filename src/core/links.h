/* links.h: with which other teams' nodes does this one exchange, and what is next for each?
 *
 * Core's side of model/link.h: it decides what may go, the courier when. A link's queue is its
 * team's collection behind the recipient's mark; what becomes of attempts is kept for people to
 * see. In memory are the store's rows, read anew whenever one changes.
 */
#ifndef COMITY_CORE_LINKS_H
#define COMITY_CORE_LINKS_H

#include "core/core.h"

struct links;

enum { LINKS_MAX = 5000 }; /* all of them are told in one message */

/* CORE has its store. Owner: the caller, until links_free, also after an error. */
MUST_USE int links_new(struct core *core, struct links **out, struct err *err);
void links_free(struct links *links);
/* The transaction is durable: the courier is told what there is for it now. */
void links_committed(struct core *core);
/* Nothing of it is kept. */
void links_lost(struct core *core);

/* The account (store's number) of the link to TEAM; 0: there is no link. */
uint32_t links_account(const struct core *core, struct span team);
/* Is what ASKER reads of its team's collection what the team has got? Where there is a link, only
 * its node's own reading is. */
bool links_is_recipient(const struct core *core, const struct asker *asker);

#endif
