/* clause_document.h: what does this one clause of an agreement say?
 *
 * For flow/agreement_document.c.
 */
#ifndef COMITY_FLOW_CLAUSE_DOCUMENT_H
#define COMITY_FLOW_CLAUSE_DOCUMENT_H

#include "flow/doc.h"
#include "model/agreement.h"

enum { CLAUSE_TEAM_ID_MAX = 64, CLAUSE_PROVIDER_MAX = 200, CLAUSE_RETENTION_MAX = 36500 };

/* Faults go to DOC. `from` and `to` are `*` where they could not be read; `onward` is set to
 * ONWARD_SILENT where the clause says nothing. */
enum { ONWARD_SILENT = 0xff };
void clause_document_read(
    struct doc *doc, struct json_value value, size_t position, struct clause *clause);

/* Letters, digits, '-', '.', '_', and none of the language's own words? */
bool clause_document_is_team(struct span id);

#endif
