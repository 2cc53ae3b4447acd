/* ask.h: how does a front ask core, and who goes on when the answer is there?
 */
#ifndef COMITY_EDGE_ASK_H
#define COMITY_EDGE_ASK_H

#include "base/wire.h"
#include "edge/door.h"

/* Called for every part of an answer (MORE: others follow), or once with WHY not NULL. The request
 * may have gone meanwhile: then it is not called any more. */
typedef int ask_answered(struct request *request, void *ctx, struct span body, bool more,
    const struct err *why, struct err *err);

/* Send question TYPE (enum message's number) with BODY behind the request's caller. ERR_BUSY: core
 * is behind; answered as 503 with Retry-After. */
MUST_USE int ask_core(struct request *request, uint16_t type, struct span body,
    ask_answered *answered, void *ctx, struct err *err);
/* The usual case: core's answer is JSON, and it is answered as it is with STATUS. */
MUST_USE int ask_and_answer(struct request *request, uint16_t type, struct span body,
    unsigned status, const char *content_type, struct err *err);

#endif
