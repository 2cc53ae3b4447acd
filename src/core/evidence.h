/* evidence.h: on what does an attribution rest, in the JSON of an answer?
 *
 * For explanations and whois. Evidence that disagrees is shown side by side.
 */
#ifndef COMITY_CORE_EVIDENCE_H
#define COMITY_CORE_EVIDENCE_H

#include "core/state.h"

/* The members of an Evidence (share/openapi/schemas.json) into the object that is open. TEAM is the
 * id of who answers, as it was or is; n 0: nobody. */
void evidence_members(const struct core *core, const struct endpoint *endpoint,
    const struct attribution *attribution, struct span team, struct buf *out);

/* The prefix known around the address of ENDPOINT: the one a team registered, else the finest of
 * the table; "" if none. */
size_t evidence_prefix(const struct endpoint *endpoint, const struct attribution *attribution,
    char out[ADDRESS_TEXT_BYTES]);

#endif
