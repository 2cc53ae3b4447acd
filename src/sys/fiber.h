/* fiber.h: how does code that waits for its bytes run beside a loop that must not wait?
 *
 * On a stack of its own, in the same thread: it runs until it pauses, and goes on where it was when
 * it is told to. No two ever run at once, so nothing needs a lock.
 */
#ifndef COMITY_SYS_FIBER_H
#define COMITY_SYS_FIBER_H

#include "base/err.h"

#include <stdbool.h>

struct fiber;

enum { FIBER_STACK_BYTES = 512 * 1024 }; /* memory is taken as it is touched; a page guards it */

/* RUN begins with the first fiber_go. ERR_NO_MEMORY. Owner: the caller, until fiber_free. */
MUST_USE int fiber_new(void (*run)(void *ctx), void *ctx, struct fiber **out, struct err *err);
/* Run it until it pauses (true) or has ended (false); never from inside a fiber. */
bool fiber_go(struct fiber *fiber);
/* From inside: back to who called fiber_go. */
void fiber_pause(struct fiber *fiber);
/* One that has not ended must have nothing on its stack that matters: end it first. */
void fiber_free(struct fiber *fiber);

#endif
