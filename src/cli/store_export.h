/* store_export.h: which reports did this node receive in that time, as they came in? */
#ifndef COMITY_CLI_STORE_EXPORT_H
#define COMITY_CLI_STORE_EXPORT_H

#include "store/store.h"

/* Reports that were received in [FROM_US, TO_US), oldest first, as IDF, one a line, to the file OUT
 * (made anew for the owner alone; NULL: standard output). The store is read a batch at a time, so a
 * node that runs is not held up. ERR_IO, ERR_EXISTS, ERR_BAD_STORE. */
MUST_USE int store_export(struct store *store, int64_t from_us, int64_t to_us, const char *out,
    store_progress *progress, void *ctx, struct err *err);

#endif
