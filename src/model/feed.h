/* feed.h: what do a front and core say to each other about a partner's MISP feed?
 *
 * The bodies of MISP_MANIFEST and MISP_EVENT (tables/messages.def). A feed's events are the objects
 * of the asker's collection cut in runs: at the end of each day (UTC), and behind one report in
 * some hundreds, chosen by a hash of its date_added, so that an event keeps its first object, and
 * so its UUID, for life. `_take` as in model/page.h.
 */
#ifndef COMITY_MODEL_FEED_H
#define COMITY_MODEL_FEED_H

#include "model/page.h"

enum { FEED_EVENTS_MAX = 1000 }; /* in one answer */

struct feed_event {
    int64_t first_us; /* date_added of its first and last object */
    int64_t last_us;
    int64_t changed_us; /* when a report of it was taken back last; 0: none was */
    uint32_t objects;
};
struct feed_about {
    struct span collection; /* its id */
    struct span team;       /* whose feed it is */
    struct span origin;     /* the own team's id, and name */
    struct span origin_name;
    uint64_t objects; /* of the whole collection */
    int64_t last_us;
};
/* Question: i64, events behind that date. */
struct feed_manifest {
    struct feed_about about;
    bool more;
    int64_t resume_us; /* where the next question goes on */
    struct feed_event *events;
    size_t count;
};
void feed_manifest_add(struct buf *out, const struct feed_manifest *manifest);
MUST_USE int feed_manifest_take(
    struct arena *arena, struct span body, struct feed_manifest *manifest, struct err *err);

/* Question: i64 after_us, u32 count of pieces that the front has, u64 each. Answer: whether the
 * event ends with this page, which of its reports were taken back, and the page. */
enum { FEED_RECALLED_MAX = 1000 };
struct feed_part {
    struct feed_about about;
    bool last;
    int64_t changed_us;
    struct span *recalled; /* UUIDs, as nodes write them */
    size_t recalled_count;
    struct page page;
};
void feed_part_add(struct buf *out, const struct feed_part *part);
MUST_USE int feed_part_take(
    struct arena *arena, struct span body, struct feed_part *part, struct err *err);

/* Does an event end behind the object ID of ADDED_US, whatever follows it on that day? */
bool feed_ends_behind(struct span id, int64_t added_us);
/* Days since 1970 of a date_added. */
int64_t feed_day(int64_t us);

#endif
