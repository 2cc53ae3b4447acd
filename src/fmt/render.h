/* render.h: how does a report look as IDF, for its own operator's eyes?
 *
 * For `comity convert` and `explain`, and for the node's own people, never a release:
 * partners' bytes come from fmt/writer.h only.
 */
#ifndef COMITY_FMT_RENDER_H
#define COMITY_FMT_RENDER_H

#include "model/report.h"

/* One JSON object in IDF's flat names, and LF. */
void render_idf(struct buf *out, const struct report *report);
/* `"name":value` of one field. */
void render_field(struct buf *out, const struct field *field);

#endif
