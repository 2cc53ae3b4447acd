/* release_private.h: what do the files core/release*.c share while they write a batch out? */
#ifndef COMITY_CORE_RELEASE_PRIVATE_H
#define COMITY_CORE_RELEASE_PRIVATE_H

#include "core/counts.h"
#include "core/delivery.h"
#include "core/release.h"
#include "core/unpacked.h"

/* What is to be written: the report at PLACE for TEAM; or only to be counted, as it does not go. */
struct task {
    uint32_t team;
    uint32_t place;
    uint16_t verdict;
    uint8_t side;
    uint8_t effect;     /* enum effect */
    uint32_t term_days; /* how long TEAM may keep it; 0: no term */
};

/* What is written for one team, until it is in its collection and in the ledger. */
struct parcel {
    uint32_t team;
    uint32_t reports; /* in the text */
    uint32_t collection;
    size_t bytes; /* appended to it */
    uint32_t term_days;
    int64_t first_us; /* of what was appended; 0: nothing yet */
    int64_t last_us;
    bool held;   /* by a person's decision */
    bool recall; /* that a report is taken back */
};

struct release {
    struct core *core;
    struct arena *batch;    /* the batch that is written out */
    struct arena *redacted; /* one report */
    struct buf text;        /* as the writer makes it */
    struct buf body;        /* the piece */
    struct buf clauses;
    struct store_object *objects;
    size_t object_count;
    size_t object_room;
    struct delivery *delivery;
    struct unpacked decided; /* the batch of the last decision; number 0: not in the arena */
    struct parcel parcel;
    struct counts written; /* since they were kept */
    struct loop_timer again;
    bool tired;   /* after a failure, or to let reports in; until the timer comes */
    bool resting; /* the latter: it ends with its reason */
    struct field fields[REPORT_FIELDS_MAX];
};

/* release_one.c: append the STIX of one report to the text, the identity of a foreign origin too,
 * and tell the ledger's delivery. With RECALL: that it is taken back. RELEASE_TOO_LARGE:
 * nobody would take it; it was counted as failed, and nothing was written. */
enum { RELEASE_TOO_LARGE = 1 };
struct stix_recall;
MUST_USE int release_one(struct core *core, struct release *release, const struct unpacked *batch,
    const struct task *task, const struct stix_recall *recall, struct err *err);
/* release.c: one delivery: begin as for TASK, append to the text, and finish it: the ledger gets
 * its entry, the recipient its object behind the reports; after an error, drop what was written. */
void release_begin(
    struct release *release, const struct unpacked *batch, const struct task *task, bool held);
MUST_USE int release_finish(
    struct core *core, struct release *release, const struct unpacked *batch, struct err *err);
void release_drop(struct release *release);
/* release_recall.c: TASK's team, who has the report, gets that it is taken back. HELD: a person had
 * let it go. */
MUST_USE int release_recall(struct core *core, const struct unpacked *batch,
    const struct task *task, bool held, const struct stix_recall *recall, struct err *err);
/* release.c: everything that goes of TASKS, team by team. HELD: a person let it go. */
MUST_USE int release_write(struct core *core, struct release *release, const struct unpacked *batch,
    const struct task *tasks, size_t count, bool held, struct err *err);

#endif
