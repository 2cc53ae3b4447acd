/* collections.h: which collections are there, and who may do what with them?
 *
 * One a recipient team (what was released to it), community (CLEAR and GREEN), directory, intake,
 * and what the operator made. An id follows from the node's and the team's, so it is the same after
 * a new start of the store. Whoever may not see a collection is told that it is not there.
 */
#ifndef COMITY_CORE_COLLECTIONS_H
#define COMITY_CORE_COLLECTIONS_H

#include "core/core.h"
#include "model/page.h"

struct collections;

/* What a partner may call the collection of its own team. */
#define COLLECTION_RELEASED "released"

enum { COLLECTION_READ = 1, COLLECTION_WRITE = 2, COLLECTIONS_MAX = 20000 };

/* Makes community, directory and intake if they are not there; for a transaction that is open. NODE
 * is the node's id, ORIGIN the own team's; STORE outlives it. Owner: the caller, until
 * collections_free, also after an error. */
MUST_USE int collections_open(struct store *store, struct span node, struct span origin,
    int64_t now_us, struct collections **out, struct err *err);
void collections_free(struct collections *collections);

/* The number of the collection of TEAM (store_team's number; BASIS_COMMUNITY's is the community's),
 * made if it is not there, with what every report refers to as its first piece. For a transaction
 * that is open. *NUMBER is what store_append wants. */
MUST_USE int collections_of_team(struct collections *collections, uint32_t team, int64_t now_us,
    uint32_t *number, struct err *err);
/* The number of the one of a kind that there is one of. */
uint32_t collections_the(const struct collections *collections, uint8_t kind);
/* One more of the operator's. ERR_EXISTS: the alias is taken; ERR_BAD_NAME. In an open transaction.
 */
MUST_USE int collections_add_shared(struct collections *collections, struct span title,
    struct span alias, struct span description, struct span *id, struct err *err);
/* After a transaction that was taken back: what it made is forgotten. */
MUST_USE int collections_again(struct collections *collections, struct err *err);

/* By id or alias (a partner's own: COLLECTION_RELEASED); NULL: not there, or not to be seen by
 * ASKER. *MAY has COLLECTION_READ, _WRITE. */
const struct store_collection *collections_find(const struct collections *collections,
    struct span name, const struct asker *asker, unsigned *may);
/* What ASKER may do with C. */
unsigned collections_may(const struct collections *collections, const struct store_collection *c,
    const struct asker *asker);

/* The id of the collection of ASKER's team; n 0: it has none. */
struct span collections_team_id(const struct collections *collections, const struct asker *asker);
/* Has ASKER's team a collection? */
bool collections_has_team(const struct collections *collections, const struct asker *asker);

/* The answers, without core around them (collections_page.c, collections_add.c). */
MUST_USE int collections_list(struct collections *collections, const struct asker *asker,
    struct span name, struct arena *arena, struct buf *out, struct err *err);
MUST_USE int collections_page(struct collections *collections, const struct asker *asker,
    const struct page_question *question, struct arena *arena, struct buf *out, struct err *err);
/* In an open transaction. */
MUST_USE int collections_remove(struct collections *collections, const struct asker *asker,
    const struct page_question *question, struct arena *arena, struct err *err);
/* What must be known of others to add objects; NULL: not asked. */
struct exchange_object;
struct collections_ways {
    void *ctx;
    /* Which team an identity stands for (n 0: none that is known), for objects that claim to be
     * somebody's. */
    struct span (*owner_of)(void *ctx, struct span identity);
    /* core/exchange.h: what a partner posts into the intake may mean something between nodes. */
    int (*take)(void *ctx, const struct exchange_object *object, struct err *err);
};
/* In an open transaction. */
MUST_USE int collections_add(struct collections *collections, const struct asker *asker,
    const struct page_add_question *question, const struct collections_ways *ways, int64_t now_us,
    struct arena *arena, struct buf *out, struct err *err);
MUST_USE int collections_status(struct collections *collections, const struct asker *asker,
    struct span id, struct arena *arena, struct buf *out, struct err *err);
/* ASKER got what comes after QUESTION's place, so it has everything before: noted for the team's
 * queue, and written by collections_flush with a later question, not in a transaction for each
 * page. */
void collections_fetched(struct collections *collections, const struct asker *asker,
    const struct page_question *question);
/* Is there something to write, and is it time (seconds after the last time)? */
bool collections_flush_due(struct collections *collections, int64_t now_us);
/* In an open transaction. BY_RECEIPT: does that team (store's number) say by receipts what it has?
 * CTX goes to it. */
MUST_USE int collections_flush(struct collections *collections, int64_t now_us,
    bool (*by_receipt)(void *ctx, uint32_t team), void *ctx, struct err *err);
struct store *collections_store(const struct collections *collections);

/* Append objects that stand in TEXT as a JSON array to a collection, each as a version of its own.
 */
MUST_USE int collections_append_json(struct collections *collections, uint32_t number,
    struct span text, int64_t now_us, struct err *err);

#endif
