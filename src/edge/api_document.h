/* api_document.h: how does the node describe its API to programs?
 *
 * The OpenAPI 3.1 document, made when Comity is built from tables/routes.def, tables/inputs.def and
 * share/openapi/schemas.json.
 */
#ifndef COMITY_EDGE_API_DOCUMENT_H
#define COMITY_EDGE_API_DOCUMENT_H

#include "base/str.h"

/* JSON; lives as long as the program. */
struct span api_document_text(void);

#endif
