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
/* One that is judged by, or waits in the register; NULL: there is none. Lives until the knowledge
 * is read anew. */
struct agreement;
const struct agreement *directory_find_agreement(const struct core *core, struct span id);
/* The agreement ID as the API tells it, without the document. ERR_NOT_FOUND. ARENA for what is
 * read. */
MUST_USE int directory_tell_agreement(
    struct core *core, struct arena *arena, struct span id, struct buf *out, struct err *err);
/* Where it is kept who of this node's people wrote the journal's line of this hash. */
enum { DIRECTORY_ACCOUNT_BYTES = 96 };
void directory_account_name(struct span hash, char out[DIRECTORY_ACCOUNT_BYTES]);

/* TEAM signs in here: it has a collection from now on, if the directory knows it. Opens a
 * transaction if it must make one. */
MUST_USE int directory_know(struct core *core, struct span team, struct err *err);
/* Which team of the directory does this identity stand for? n 0: none. CTX is core. */
struct span directory_owner(void *ctx, struct span identity);

#endif
