/* agreement_take.h: what becomes of a document that is proposed or signed?
 */
#ifndef COMITY_CLI_AGREEMENT_TAKE_H
#define COMITY_CLI_AGREEMENT_TAKE_H

#include "cli/agreement_register.h"

/* Take DOCUMENT into the register, with the signatures that it brings, and sign it. PROPOSE: it is
 * new and the own team's proposal. Says what was done.
 * Errors: ERR_BAD_AGREEMENT, ERR_EXISTS, ERR_USAGE: it cannot be signed, and why. */
MUST_USE int agreement_take(
    struct agreement_register *r, const struct agreement *document, bool propose, struct err *err);

#endif
