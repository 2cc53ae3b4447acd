/* provenance.h: which way did a stored report come, what is it called elsewhere, and was it taken
 * back?
 */
#ifndef COMITY_CORE_PROVENANCE_H
#define COMITY_CORE_PROVENANCE_H

#include "core/reading.h"
#include "model/path.h"

/* The id that it has at all nodes: the one another node gave it, else ours. */
void provenance_id(const struct read_report *read, char out[ID_TEXT_BYTES]);
/* The id of what it takes the place of; false: of nothing. */
bool provenance_corrects(const struct read_report *read, char out[ID_TEXT_BYTES]);
/* The teams it came through, who gave it to us last; our own people's: none. Texts live as long as
 * READ and the store. */
void provenance_path(const struct core *core, const struct read_report *read, struct path *out);
/* The members known_as, path, corrects, recalled and feedback of a ReportSummary
 * (share/openapi/schemas.json) into the object that is open. Lists live in ARENA. */
MUST_USE int provenance_tell(const struct core *core, const struct read_report *read,
    struct arena *arena, struct buf *out, struct err *err);

#endif
