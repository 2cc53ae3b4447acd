/* signature_document.h: who says to have signed this agreement?
 *
 * For flow/agreement_document.c; whether it is true, flow/agreement_sign.h says.
 */
#ifndef COMITY_FLOW_SIGNATURE_DOCUMENT_H
#define COMITY_FLOW_SIGNATURE_DOCUMENT_H

#include "flow/doc.h"
#include "model/agreement.h"

/* The list VALUE of KEY; faults go to DOC. Copies in its arena, unchecked. */
bool signature_document_read(struct doc *doc, const char *key, struct json_value value,
    const struct agreement_signature **out, size_t *count);

#endif
