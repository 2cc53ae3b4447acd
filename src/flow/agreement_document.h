/* agreement_document.h: what does this one JSON document agree to?
 *
 * For flow/agreements.c. The language is doc/agreement-language.md; it is read strictly, and a
 * document with any fault becomes a `broken` agreement that covers all it might cover.
 */
#ifndef COMITY_FLOW_AGREEMENT_DOCUMENT_H
#define COMITY_FLOW_AGREEMENT_DOCUMENT_H

#include "flow/doc.h"
#include "model/agreement.h"

/* FILE is for messages; all results are in ARENA. Errors: only ERR_LIMIT, when it is full. */
MUST_USE int agreement_document_read(struct arena *arena, struct span file, struct json_value value,
    struct agreement *out, struct err *err);
/* The same; LISTENER, which may be NULL, hears of every fault. */
MUST_USE int agreement_document_check(struct arena *arena, struct span file,
    struct json_value value, const struct doc_listener *listener, struct agreement *out,
    struct err *err);
/* What stands for a document that cannot be read at all: it covers everything. */
MUST_USE int agreement_document_unreadable(
    struct arena *arena, struct span file, struct span why, struct agreement *out, struct err *err);

#endif
