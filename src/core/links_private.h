/* links_private.h: what do the files core/links*.c share?
 */
#ifndef COMITY_CORE_LINKS_PRIVATE_H
#define COMITY_CORE_LINKS_PRIVATE_H

#include "core/links.h"
#include "core/state.h"
#include "store/link.h"

struct links {
    struct arena *arena; /* what was read last */
    struct arena *other; /* for the next time */
    struct store_link *list;
    bool *told; /* one a link: the courier knows that something waits, until it found nothing */
    size_t count;
    uint64_t appends; /* store_appends, when it was last looked who waits */
    bool look;        /* who waits, whatever was appended */
    bool changed;     /* LINKS_CHANGED is to be said */
};

/* The list is read from the store again; in a transaction, as it stands in it. */
MUST_USE int links_again(struct core *core, struct err *err);
/* NULL: none. Until the next links_again. */
struct store_link *links_find(const struct links *links, uint32_t team);
struct store_link *links_by_id(const struct core *core, struct span team);

/* links_way.c: FLAG's way of LINK worked, or failed as FAILURE says; in the open transaction. */
MUST_USE int links_worked(
    struct core *core, const struct store_link *link, enum link_flag flag, struct err *err);
MUST_USE int links_failed(struct core *core, const struct store_link *link,
    const struct link_failure *failure, struct err *err);

#endif
