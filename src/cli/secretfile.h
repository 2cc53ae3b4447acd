/* secretfile.h: from which secret does this node make its pseudonyms?
 *
 * 32 random bytes in a file that only its owner can read, as 64 hexadecimal digits. Who has it can
 * turn every pseudonym of an address back, so it never leaves the node.
 */
#ifndef COMITY_CLI_SECRETFILE_H
#define COMITY_CLI_SECRETFILE_H

#include "cli/setup.h"
#include "flow/pseudonym.h"

/* Where the secret lies: GIVEN, else "secret" in HOME (NULL: the node's own). *IS_THERE: a file is
 * there; a GIVEN one counts as there, so that its absence becomes an error when it is opened.
 * Errors: as home_path. */
MUST_USE int secret_path(const char *given, const char *home, char out[SETUP_PATH_BYTES],
    bool *is_there, struct err *err);
/* Owner: the caller (pseudonyms_free). Errors: ERR_NOT_FOUND; ERR_BAD_SECRET when others may read
 * the file, or it holds no secret. */
MUST_USE int secret_open(const char *path, struct pseudonyms **out, struct err *err);

#endif
