/* recall.h: which reports were taken back or never went, and what was said of them by those who got
 * them?
 *
 * Beside store.h, with its rules. A recall is kept for life, so that what was taken back does not
 * go out again when it comes again; the rest goes with its report.
 */
#ifndef COMITY_STORE_RECALL_H
#define COMITY_STORE_RECALL_H

#include "store/store.h"

struct store_recall {
    uint64_t batch;
    uint32_t place;
    struct span id; /* the report's, at all nodes */
    uint32_t team;  /* who took it back */
    int64_t at_us;
    struct span by; /* principal; n 0: another node */
    struct span why;
    struct span corrected; /* the id of what takes its place; n 0: nothing that is known */
};
/* ERR_EXISTS: that one was taken back already. */
MUST_USE int store_recall_add(
    struct store *store, const struct store_recall *recall, struct err *err);
MUST_USE int store_recall_get(struct store *store, struct arena *arena, uint64_t batch,
    uint32_t place, struct store_recall *out, bool *there, struct err *err);
/* Those of a batch, by place; those of an id, in no order. */
MUST_USE int store_recalls_of(struct store *store, struct arena *arena, uint64_t batch,
    struct store_recall **out, size_t *count, struct err *err);
MUST_USE int store_recalls_by_id(struct store *store, struct arena *arena, struct span id,
    struct store_recall **out, size_t *count, struct err *err);
/* What TEAM took back as OLD has NEW in its place, unless something was named already. */
MUST_USE int store_recall_correct(
    struct store *store, struct span old, struct span new, uint32_t team, struct err *err);

/* The object that was added to COLLECTION at ADDED_US is superseded by that of BY_US, a later
 * version: TAXII's `last` (2.1, section 3.4) leaves the first out, `first` the second.
 * ERR_NOT_FOUND: one of them is not there. */
struct store_superseded {
    int64_t added_us;
    int64_t by_us;
    int64_t at_us;
};
MUST_USE int store_supersede(struct store *store, uint32_t collection,
    const struct store_superseded *superseded, struct err *err);
/* Those of which either lies in [since_us, until_us]. */
MUST_USE int store_superseded_list(struct store *store, struct arena *arena, uint32_t collection,
    int64_t since_us, int64_t until_us, struct store_superseded **out, size_t *count,
    struct err *err);

/* Is batch NUMBER this store's, with that TAG? Of one that was removed the number alone says so. */
MUST_USE int store_batch_known(
    struct store *store, uint64_t number, uint64_t tag, bool *known, struct err *err);
/* What is or was held of one report. */
MUST_USE int store_held_of(struct store *store, struct arena *arena, uint64_t batch, uint32_t place,
    struct store_held **out, size_t *count, struct err *err);
/* Is something of the batch due? */
MUST_USE int store_due_has(struct store *store, uint64_t batch, bool *due, struct err *err);

/* A report that was let go to TEAM, and never came into its collection. Gone with its batch. */
enum store_unsent_why {
    STORE_UNSENT_LARGE = 1, /* no node would have taken it */
    STORE_UNSENT_RECALLED,  /* it was taken back before it was written out */
};
struct store_unsent {
    uint64_t batch;
    uint32_t place;
    uint32_t team;
    uint8_t why; /* enum store_unsent_why */
    int64_t at_us;
};
/* In the place of an earlier one. */
MUST_USE int store_unsent_add(
    struct store *store, const struct store_unsent *unsent, struct err *err);
/* That of OUT's batch, place and team. */
MUST_USE int store_unsent_get(
    struct store *store, struct store_unsent *out, bool *there, struct err *err);

/* ---- feedback ---- */

struct store_feedback {
    uint64_t batch;
    uint32_t place;
    uint32_t team;      /* who said it; this node's own: one of its people did */
    struct span id;     /* of its STIX object */
    int64_t version_us; /* of that */
    int64_t at_us;      /* when it came */
    uint8_t opinion;    /* enum feedback_opinion; 0: a sighting */
    uint64_t count;     /* of a sighting */
    struct span by;     /* principal; n 0: another node */
    struct span note;
};
/* *NEW: that version was not there; an older one is replaced, and a newer one stays. */
MUST_USE int store_feedback_put(
    struct store *store, const struct store_feedback *feedback, bool *new, struct err *err);
/* All of one report, oldest first. */
MUST_USE int store_feedback_of(struct store *store, struct arena *arena, uint64_t batch,
    uint32_t place, struct store_feedback **out, size_t *count, struct err *err);

#endif
