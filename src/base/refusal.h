/* refusal.h: how does one role tell another why something could not be done?
 *
 * The body of MESSAGE_REFUSAL: code (u32, the error's number), line (u64), when to try
 * again (u32, seconds), field and message (texts).
 */
#ifndef COMITY_BASE_REFUSAL_H
#define COMITY_BASE_REFUSAL_H

#include "base/wire.h"

void refusal_add(struct buf *out, const struct err *why);
/* Fills WHY from a message's whole body; one that cannot be read, or names no error, becomes
 * ERR_INTERNAL. */
void refusal_take(struct span body, struct err *why);

#endif
