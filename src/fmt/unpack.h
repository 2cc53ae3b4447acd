/* unpack.h: what do these compressed bytes say, and when is it enough?
 *
 * gzip (RFC 1952, several members), zstd (RFC 8878, several frames) and xz behind one
 * face, recognised by their first bytes. Private to fmt/input.c.
 */
#ifndef COMITY_FMT_UNPACK_H
#define COMITY_FMT_UNPACK_H

#include "base/err.h"
#include "base/str.h"

enum unpack_kind { UNPACK_NONE, UNPACK_GZIP, UNPACK_ZSTD, UNPACK_XZ };

struct unpack;

enum unpack_kind unpack_recognise(struct span head);
/* NULL when out of memory. KIND is not UNPACK_NONE. */
struct unpack *unpack_new(enum unpack_kind kind);
void unpack_free(struct unpack *unpack);

/* Take bytes off IN and write at most SIZE to OUT; *MADE says how many. At the end of the file LAST
 * is true: a stream that is not complete then is ERR_TRUNCATED. Errors: ERR_DECOMPRESS. */
MUST_USE int unpack_run(struct unpack *unpack, struct span *in, bool last, char *out, size_t size,
    size_t *made, struct err *err);

#endif
