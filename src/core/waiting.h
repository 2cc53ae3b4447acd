/* waiting.h: who is answered as soon as what they changed is durable?
 *
 * Bounded: who asks when nobody more can wait is refused (ERR_BUSY).
 */
#ifndef COMITY_CORE_WAITING_H
#define COMITY_CORE_WAITING_H

#include "base/messages.h"
#include "base/str.h"

enum { WAITING_MOST = 4096, WAITING_BYTES = 16 * 1024 * 1024 };

struct waiting;

struct waiting *waiting_new(void); /* NULL: no memory */
void waiting_free(struct waiting *waiting);

struct waiting_answer {
    enum door door;
    uint32_t generation; /* of the door's channel */
    uint64_t tag;
    struct span body;
};
/* BODY is copied. ERR_BUSY. */
MUST_USE int waiting_add(
    struct waiting *waiting, const struct waiting_answer *answer, struct err *err);
size_t waiting_count(const struct waiting *waiting);
/* Borrowed until waiting_clear. */
struct waiting_answer waiting_get(const struct waiting *waiting, size_t i);
void waiting_clear(struct waiting *waiting);

#endif
