/* secretfile.h: from which secret does this node make its pseudonyms?
 *
 * 32 random bytes in a file that only its owner can read, as 64 hexadecimal digits. Who has it can
 * turn every pseudonym of an address back, so it never leaves the node.
 */
#ifndef COMITY_FLOW_SECRETFILE_H
#define COMITY_FLOW_SECRETFILE_H

#include "flow/pseudonym.h"

enum { SECRETFILE_BYTES = PSEUDONYM_SECRET_BYTES };

/* The same file's bytes, for another secret; HINT says in a message where one comes from. */
MUST_USE int secretfile_read(
    const char *path, const char *hint, uint8_t out[SECRETFILE_BYTES], struct err *err);
/* Owner: the caller (pseudonyms_free). Errors: ERR_NOT_FOUND; ERR_BAD_SECRET when others may read
 * the file, or it holds no secret. */
MUST_USE int secretfile_open(const char *path, struct pseudonyms **out, struct err *err);

#endif
