/* taxii_query.h: which objects does this request want, and where did the last page end?
 *
 * TAXII 2.1, sections 3.4 (filtering) and 3.5 (paging). `next` is an opaque text: the date_added of
 * the last object that was sent, the filters of the request, and a check over both; it is
 * the same for all fronts and after a restart. It gives no rights, so the check need not be a
 * secret.
 */
#ifndef COMITY_EDGE_TAXII_QUERY_H
#define COMITY_EDGE_TAXII_QUERY_H

#include "edge/door.h"
#include "model/page.h"

struct taxii_query {
    int64_t after_us; /* the later of added_after's and next's; INT64_MIN: none */
    uint32_t limit;
    struct page_filter filter;
    struct span filters; /* as text, in one order: what `next` is bound to */
};

enum { TAXII_NEXT_MAX = 4096 };

/* From REQUEST's parameters. COLLECTION and WHAT (and ID of the path, n 0: none) are what `next` is
 * bound to besides; PAGE_MAX is the most objects a page has, and as many where LIMIT is not given.
 * Everything lives in the request's arena. ERR_BAD_VALUE, ERR_BAD_TIME: the
 * client's fault, with the parameter as field. */
MUST_USE int taxii_query_read(const struct request *request, struct arena *arena,
    enum page_what what, struct span collection, struct span id, uint32_t page_max,
    struct taxii_query *out, struct err *err);
/* The `next` of a page whose last object has AFTER_US, at the end of OUT. */
void taxii_query_next(struct buf *out, const struct taxii_query *query, int64_t after_us);

/* For tests and for the above: NEXT's date and filters; false when it is none, or was altered. */
bool taxii_query_next_read(
    struct arena *arena, struct span next, int64_t *after_us, struct span *filters);

#endif
