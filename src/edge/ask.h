/* ask.h: how does a front ask core, and who goes on when the answer is there?
 *
 * Questions carry tags; answers come back with them, in any order. What is in flight is bounded,
 * for the door and for each request: beyond it, as when core's queue is full or core is gone, a
 * request is answered 503 with Retry-After. So is one that waits while core says nothing at all
 * (edge/patience.c).
 */
#ifndef COMITY_EDGE_ASK_H
#define COMITY_EDGE_ASK_H

#include "edge/door.h"
#include "edge/talk.h"

enum { ASKS_OF_REQUEST_MAX = 16 };

/* The answer as a whole, at most 64 MiB; it is borrowed. What it returns other than 0 is answered
 * as an error, unless the answer is out already. */
typedef int ask_told(struct request *request, void *ctx, struct span answer, struct err *err);
/* Called for every part of an answer (MORE: others follow), or once with WHY not NULL. The request
 * may have gone meanwhile: then it is not called any more. What it returns: as above. */
typedef int ask_answered(struct request *request, void *ctx, struct span body, bool more,
    const struct err *why, struct err *err);

/* Send question TYPE (enum message's number) with BODY behind the request's caller; a refusal of
 * core's is answered as one, and else TOLD is called. ERR_BUSY: core is behind; answered as 503
 * with Retry-After. */
MUST_USE int ask_whole(struct request *request, uint16_t type, struct span body, ask_told *told,
    void *ctx, struct err *err);
/* The same for who takes answers part by part, and refusals too. */
MUST_USE int ask_core(struct request *request, uint16_t type, struct span body,
    ask_answered *answered, void *ctx, struct err *err);
/* The same for who cannot wait: ANSWERED is told ERR_BUSY when nothing came for PATIENCE_US, at
 * most a second later. */
MUST_USE int ask_core_within(struct request *request, uint16_t type, struct span body,
    int64_t patience_us, ask_answered *answered, void *ctx, struct err *err);

/* For conversations of several messages (INTAKE_*), edge/talk.h. */
struct talks *ask_talks(struct request *request);

#endif
