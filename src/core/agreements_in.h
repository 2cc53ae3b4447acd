/* agreements_in.h: what becomes of an agreement that another team's node shows?
 *
 * The object `csirt-agreement` of a party: its document goes into the register as proposed, or its
 * signature joins those that are there, and what that party did since is taken into the journal
 * (flow/agreement_foreign.h). Baselines and laws of others, and what is not of Comity's form, are
 * left to the intake.
 */
#ifndef COMITY_CORE_AGREEMENTS_IN_H
#define COMITY_CORE_AGREEMENTS_IN_H

#include "core/exchange.h"

/* As exchange_take. The register's files are durable when it returns; what is judged by is read
 * anew by register_renew, after the last object of a request. */
int exchange_agreement(struct core *core, const struct exchange_object *object, struct err *err);
/* What waits for keys is looked at once more, if the keys that are known have changed. For who
 * holds no lock of the register. */
void agreements_again(struct core *core);

#endif
