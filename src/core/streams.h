/* streams.h: which streams of reports are open, and who sends them?
 *
 * A stream is the tag under which it was opened at a door. For core/intake.c.
 */
#ifndef COMITY_CORE_STREAMS_H
#define COMITY_CORE_STREAMS_H

#include "core/core.h"
#include "model/intake.h"

enum {
    STREAMS_MAX = 256,
    STREAM_TEAM_BYTES = 65,
    STREAM_TOLD_BYTES = 1024 + INTAKE_COUNTED_MOST * sizeof(struct intake_counts),
};

struct stream {
    bool open;
    bool unsettled; /* some of its reports are not durable yet */
    enum door door;
    uint64_t tag;
    uint64_t file;                /* the number of core/incoming.h; 0: none */
    uint8_t kind;                 /* enum principal_kind of who opened it */
    char team[STREAM_TEAM_BYTES]; /* a partner's; "": this node's own people */
    uint32_t credit_owed;         /* held back while the outbox is full */
    struct totals totals;
    bool counted;
    uint32_t messages;             /* of records, if it is counted */
    struct buf counts;             /* a struct intake_counts each */
    struct correction *correction; /* core/correction.h's; NULL: it is none */
};

struct streams {
    struct stream all[STREAMS_MAX];
    size_t open;
};

/* NULL: none is open under that tag; there is no place for one more. */
struct stream *streams_find(struct streams *streams, enum door door, uint64_t tag);
struct stream *streams_place(struct streams *streams);
/* Has DOOR half of all places? It may not take more. */
bool streams_full(const struct streams *streams, enum door door);
/* STREAM is a free place. The asker's team must be shorter than STREAM_TEAM_BYTES. */
void streams_open(
    struct streams *streams, struct stream *stream, const struct ask *ask, bool counted);
void streams_close(struct streams *streams, struct stream *stream);

/* A message of records was taken, before which its totals were BEFORE. ERR_LIMIT. */
MUST_USE int streams_count(struct stream *stream, const struct totals *before, struct err *err);
/* What INTAKE_CLOSE answers. */
void streams_tell(struct buf *out, const struct stream *stream);

#endif
