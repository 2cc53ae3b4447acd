/* directory.h: what do partners see of the directory and of agreements?
 *
 * The directory's collection holds each team's card as an identity, laws and baselines as objects
 * of a type of their own; agreements of parties are shown to these parties, in their own
 * collections. A change is a new version; what is gone is shown as revoked.
 */
#ifndef COMITY_CORE_DIRECTORY_H
#define COMITY_CORE_DIRECTORY_H

#include "core/core.h"

/* Open core->collections, and show what is known. In an open transaction. */
MUST_USE int directory_open(struct core *core, struct err *err);
/* What was read anew is shown. In an open transaction; nothing before directory_open. */
MUST_USE int directory_show(struct core *core, struct err *err);
/* TEAM signs in here: it has a collection from now on, if the directory knows it. Opens a
 * transaction if it must make one. */
MUST_USE int directory_know(struct core *core, struct span team, struct err *err);
/* Which team of the directory does this identity stand for? n 0: none. CTX is core. */
struct span directory_owner(void *ctx, struct span identity);

#endif
