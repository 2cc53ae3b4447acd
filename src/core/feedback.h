/* feedback.h: what do those who got a report say of it, and who hears that?
 *
 * What our people say of a report goes to the team that gave it to us. What a team says of a report
 * that it got from us is kept and shown with it, and passed on, as our own word, to the team that
 * gave it to us: along the path to its origin, and to nobody else.
 */
#ifndef COMITY_CORE_FEEDBACK_H
#define COMITY_CORE_FEEDBACK_H

#include "core/exchange.h"

enum { FEEDBACK_MOST = 100 }; /* of one team, of one report */

/* A row of core/exchange.c. */
MUST_USE int exchange_feedback(
    struct core *core, const struct exchange_object *object, struct err *err);

#endif
