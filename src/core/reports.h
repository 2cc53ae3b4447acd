/* reports.h: which reports match, and what is one of them?
 *
 * Core's side of REPORTS and REPORT; the inputs stand in tables/inputs.def, the answers in
 * share/openapi/schemas.json. A search is worked on in slices between other questions, and answers
 * with what it has found when its time is over, and with `next` to go on.
 */
#ifndef COMITY_CORE_REPORTS_H
#define COMITY_CORE_REPORTS_H

#include "core/reading.h"

struct reports;

enum { REPORTS_SEARCHES_MAX = 16 };

struct reports *reports_new(struct core *core); /* NULL: no memory */
void reports_free(struct reports *reports);
/* DOOR's channel has gone, and with it who waited for its searches. */
void reports_gone(struct core *core, enum door door);
/* For all who read one batch after the other, until they return. */
struct reading *reports_reading(struct core *core);

#endif
