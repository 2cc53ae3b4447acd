/* explain_json.h: how is a report's story told to a program? */
#ifndef COMITY_CLI_EXPLAIN_JSON_H
#define COMITY_CLI_EXPLAIN_JSON_H

#include "cli/explain_story.h"

/* One JSON object and LF. */
void explain_json(const struct explain_story *story, struct buf *out);

#endif
