/* window.h: was this very report among the last ones, also of those before the last start?
 *
 * The window of flow/seen.h, filled with the digests that the store keeps.
 */
#ifndef COMITY_CORE_WINDOW_H
#define COMITY_CORE_WINDOW_H

#include "flow/seen.h"
#include "model/report.h"
#include "store/store.h"

/* The digests of the newest REPORTS. Owner: the caller (seen_free), also after an error. */
MUST_USE int window_read(struct store *store, uint64_t reports, struct seen **out, struct err *err);

/* REPORT's, which came from the partner with that number of the store (0: from our own people): of
 * its id, if it brings one (REPORT_ID_NAME), whatever it says beside that; else of what it claims.
 * What two senders say alike are two reports: nobody can keep another's from being told. */
uint64_t window_digest(const struct report *report, uint32_t partner);
/* Of a partner's report: that of its id, as if it came from our own people; 0: it brings none. */
uint64_t window_id_digest(const struct report *report, uint32_t partner);

#endif
