/* courier_way.h: when is this way of a link tried, and what became of it?
 *
 * Each way of a link (push, poll, witness) that its flags name is tried on its own: one transfer at
 * a time, pauses that grow while it fails, core told of each failure. The job that works on it
 * embeds struct way in what it keeps of one.
 */
#ifndef COMITY_EDGE_COURIER_WAY_H
#define COMITY_EDGE_COURIER_WAY_H

#include "edge/courier.h"

struct ways;
struct way {
    struct ways *ways;
    struct courier *courier;
    uint32_t team;
    struct span id; /* the team's; these three are the way's own */
    struct span url;
    struct span pin;
    struct http_line *line;
    bool paused; /* until its pause is over */
    /* courier_way.c's own */
    struct way *next;
    struct buf texts;
    struct loop_timer timer;
    uint32_t failures;
    bool works; /* it did the last time */
    bool seen;
};

struct way_kind {
    enum link_flag flag;
    unsigned turn; /* enum http_turn_flag, of all of its turns */
    size_t size;   /* of what embeds struct way, at its beginning; zeroed */
    /* LINK is as core says; called first when the way is new. */
    void (*update)(struct way *way, const struct link *link);
    /* It may go on: core is there, its pause is over. */
    void (*go)(struct way *way);
    /* Drop what is under way; the line is released afterwards. */
    void (*stop)(struct way *way);
};

MUST_USE int ways_new(
    struct courier *courier, const struct way_kind *kind, void **out, struct err *err);
void ways_free(void *ways);
/* A job's `changed`; what is given is the job's CTX, as above. */
void ways_changed(void *ways);
/* NULL: there is none to that team. */
struct way *ways_find(struct ways *ways, uint32_t team);

/* May it begin something? */
bool way_may(const struct way *way);
/* TURN is called when the way may make a transfer. Anything that fails is a failure of the way. */
void way_ask(struct way *way, http_turn *turn);
/* It worked: the next failure is a first one. */
void way_worked(struct way *way);
/* It failed: what is under way is dropped, core told, and `go` called when the pause is over.
 * ANSWER (NULL: none came) has the status, and Retry-After. */
void way_failed(struct way *way, const struct http_answer *answer, const struct err *why);
/* Did WHO ("it", "its witness") answer, with status RIGHT or ALSO? If not, the way has failed. */
bool way_answered(struct way *way, const char *who, const struct http_answer *answer,
    const struct err *why, unsigned right, unsigned also);
/* Core is behind, or this process: the same, after a short while, and nobody is told. */
void way_later(struct way *way, const struct err *why);

/* A URL of the other node's: its own, and PATH behind it. */
MUST_USE int way_url(const struct way *way, const char *path, struct buf *out, struct err *err);
/* Ask core about the way's team: TYPE's body begins with its number, then MORE. */
MUST_USE int way_tell(const struct way *way, uint16_t type, struct span more,
    const struct talk *talk, uint64_t *tag, struct err *err);

#endif
