/* document_diff.h: what do two agreements say otherwise of themselves: dates, parties, clauses?
 *
 * Pure. What their clauses do is another question (flow/agreement_diff.h).
 */
#ifndef COMITY_FLOW_DOCUMENT_DIFF_H
#define COMITY_FLOW_DOCUMENT_DIFF_H

#include "base/str.h"
#include "model/agreement.h"

/* KEY as in the language, or "clause"; BEFORE or AFTER is empty for what is new or gone. */
typedef void document_diff_tell(void *ctx, const char *key, struct span before, struct span after);
void document_diff(const struct agreement *before, const struct agreement *after,
    document_diff_tell *tell, void *ctx);

#endif
