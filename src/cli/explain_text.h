/* explain_text.h: how is a report's story told to a person?
 *
 * Nothing of a report, agreement or card reaches the terminal as it is (shown.h).
 */
#ifndef COMITY_CLI_EXPLAIN_TEXT_H
#define COMITY_CLI_EXPLAIN_TEXT_H

#include "cli/explain_story.h"

void explain_text(const struct explain_story *story, struct buf *out);

#endif
