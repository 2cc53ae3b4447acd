/* passage.h: which way did a report come here, and was it here before?
 *
 * What another node gave it beside what it claims (model/path.h). A report that comes back, by
 * whatever way, is not taken in again: one that says it came through us, one whose id we gave, one
 * that was recalled by somebody it came through. core/window.h knows the rest.
 */
#ifndef COMITY_CORE_PASSAGE_H
#define COMITY_CORE_PASSAGE_H

#include "core/state.h"
#include "model/path.h"

struct passage {
    struct team_id teams[PATH_TEAMS_MAX]; /* of the directory, that it came through */
    size_t count;
    bool again; /* it was here before */
};

/* REPORT came from the partner with number SENDER of the store (0: from our own people). Errors of
 * the sender's: ERR_BAD_VALUE, ERR_LIMIT (with us, it would have come through too many teams). */
MUST_USE int passage_read(struct core *core, const struct report *report, uint32_t sender,
    struct passage *out, struct err *err);

/* REPORT was taken in from SENDER (0: from our own people): what that team took back before, and
 * this says to correct, has it in its place. Errors: the store's. */
MUST_USE int passage_taken(
    struct core *core, const struct report *report, uint32_t sender, struct err *err);

#endif
