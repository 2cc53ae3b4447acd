/* misp_event.h: what does MISP say of these released reports?
 *
 * From STIX as it was released (so redaction is behind it) to attributes of MISP's core format. The
 * same reports give the same attributes with the same UUIDs.
 */
#ifndef COMITY_EDGE_MISP_EVENT_H
#define COMITY_EDGE_MISP_EVENT_H

#include "base/mem.h"
#include "model/feed.h"

enum { MISP_UUID_BYTES = 36 };

/* The UUID (version 8) of the event of COLLECTION that begins at FIRST_US; no NUL. */
void misp_event_uuid(struct span collection, int64_t first_us, char out[MISP_UUID_BYTES]);
/* Its beginning; false when UUID is none of COLLECTION's. An n of 0 for COLLECTION: not checked. */
bool misp_event_first(struct span uuid, struct span collection, int64_t *first_us);

struct misp_event {
    struct feed_about about;
    int64_t first_us;
    int64_t last_us;
    int64_t changed_us;           /* when a report of it was taken back last; 0: none was */
    const struct table *recalled; /* UUIDs of those; NULL: none */
    struct span objects;          /* a JSON array of STIX objects */
};
/* {"Event": {...}}. What only reports say that were taken back is there as deleted. */
MUST_USE int misp_event_write(struct buf *out, const struct misp_event *event, struct err *err);
/* A line "md5,uuid" for each value (of a composite one, for each part). */
MUST_USE int misp_event_hashes(struct buf *out, const struct misp_event *event, struct err *err);
/* The members of an event that the manifest has too: Orgc, info, date, analysis, threat_level_id,
 * timestamp; without braces. */
void misp_event_head(
    struct buf *out, const struct feed_about *about, int64_t first_us, int64_t last_us);

#endif
