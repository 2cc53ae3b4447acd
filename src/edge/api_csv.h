/* api_csv.h: how does a list of the API look in a spreadsheet?
 *
 * Columns stand in tables/columns.def. RFC 4180; a value that a spreadsheet would take for a
 * formula gets an apostrophe before it, as reports hold what attackers wrote.
 */
#ifndef COMITY_EDGE_API_CSV_H
#define COMITY_EDGE_API_CSV_H

#include "edge/api.h"

/* *WANTED: the client prefers text/csv, and ROUTE can be told so. ERR_NOT_ACCEPTABLE: it takes
 * neither that nor JSON (RFC 9110, 12.5.1). */
MUST_USE int api_csv_wanted(
    const struct request *request, enum api_route route, bool *wanted, struct err *err);

/* JSON ({"items": [...], "next": ...}) as CSV in OUT, which is the caller's to free in any case;
 * `next` becomes a Link header (RFC 8288). */
MUST_USE int api_csv(struct request *request, enum api_route route, struct span json,
    struct buf *out, struct err *err);

/* The same without a request, for tests: *NEXT lives in the parser of the last call. */
MUST_USE int api_csv_text(
    enum api_route route, struct span json, struct buf *out, struct span *next, struct err *err);

#endif
