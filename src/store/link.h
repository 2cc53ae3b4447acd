/* link.h: with which other teams' nodes does this one exchange, and how does it go?
 *
 * A row for each link, one for each way (enum link_flag of model/link.h) that was tried, and what
 * goes next to its team. Errors: as all of the store's. doc/store-schema.md has the tables.
 */
#ifndef COMITY_STORE_LINK_H
#define COMITY_STORE_LINK_H

#include "model/link.h"
#include "store/store.h"

enum { STORE_LINK_WAYS = 3, STORE_LINK_WHY_BYTES = 500 };

/* How one way goes: push, poll or witness. All zero: it was never tried. */
struct store_link_way {
    int64_t ok_us;      /* when it last worked; 0: never */
    int64_t failing_us; /* the first failure since then; 0: there is none */
    int64_t again_us;   /* when it is tried again */
    uint32_t failures;  /* in a row */
    uint16_t status;    /* of HTTP, of the last failure; 0: none came */
    bool refused;       /* the other node understood, and said no */
    bool lost;          /* for longer than courier.give-up */
    struct span why;    /* of the last failure; cut to STORE_LINK_WHY_BYTES */
};
struct store_link {
    uint32_t team;
    uint32_t principal; /* its account at the partners' door */
    uint8_t flags;      /* enum link_flag: what is to be done */
    struct span url;
    struct span pin;
    int64_t card_us; /* version of the card that said url and pin, and whose next one will;
                        INT64_MAX: a person said them, and they stay */
    int64_t polled_us[LINK_WHAT_COUNT];
    int64_t added_us;
    struct span added_by;
    struct store_link_way ways[STORE_LINK_WAYS];
};
/* By team. */
MUST_USE int store_links(struct store *store, struct arena *arena, struct store_link **out,
    size_t *count, struct err *err);
/* One more, or new values for one that is there; its ways stay. */
MUST_USE int store_link_put(struct store *store, const struct store_link *link, struct err *err);
MUST_USE int store_link_way_put(struct store *store, uint32_t team, enum link_flag flag,
    const struct store_link_way *way, struct err *err);
/* Which of a link's ways is FLAG's? Only one flag may be set. */
size_t store_link_way_of(enum link_flag flag);
/* Its ways too; its team's collection stays. */
MUST_USE int store_link_remove(struct store *store, uint32_t team, struct err *err);

/* Teams whose collection has something that they have not got. */
MUST_USE int store_waiting(
    struct store *store, struct arena *arena, uint32_t **teams, size_t *count, struct err *err);
/* How often something was appended to a collection, since the start. */
uint64_t store_appends(const struct store *store);

/* What goes next: pieces behind the recipient's mark, as they are. A delivery is never cut: it ends
 * with an object of type END, or where pieces of another batch begin. */
struct store_parcel_query {
    uint32_t team;
    struct span end;
    size_t max_bytes;
};
struct store_parcel {
    uint32_t collection; /* 0: the team has none */
    int64_t from_us;     /* date_added before the first; INT64_MIN: there is none before */
    int64_t through_us;  /* date_added of the last object; 0: nothing waits */
    uint32_t objects;
    uint32_t reports;
    bool too_large; /* what comes first never fits: nothing was added, the rest tells of it */
};
/* Objects, with commas between them, behind what OUT has. */
MUST_USE int store_parcel(struct store *store, struct arena *arena,
    const struct store_parcel_query *query, struct buf *out, struct store_parcel *parcel,
    struct err *err);
/* What is in the collection up to THROUGH_US will never be delivered: its reports count as failed.
 * ERR_NOT_FOUND. */
MUST_USE int store_passed_over(
    struct store *store, uint32_t collection, int64_t through_us, struct err *err);

#endif
