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

/* As exchange_take. The register's lock is held from then on. */
int exchange_agreement(struct core *core, const struct exchange_object *object, struct err *err);
/* After the last object of a request, before its arena goes. RC 0: what was taken in of agreements
 * is durable when it returns 0, and is told; else nothing of it is kept. Returns RC, or why it
 * could not be written. What is judged by is read anew by knowledge_renew. */
MUST_USE int agreements_in_end(struct core *core, int rc, struct err *err);
/* What waits for keys is looked at once more, if the keys that are known have changed. For who
 * holds no lock of the register. */
void agreements_again(struct core *core);

#endif
