/* secretfile.h: in which file is the secret of pseudonyms (flow/secretfile.h) that is meant?
 */
#ifndef COMITY_CLI_SECRETFILE_H
#define COMITY_CLI_SECRETFILE_H

#include "cli/setup.h"
#include "flow/secretfile.h"

/* Where the secret lies: GIVEN, else "secret" in HOME (NULL: the node's own). *IS_THERE: a file is
 * there; a GIVEN one counts as there, so that its absence becomes an error when it is opened.
 * Errors: as home_path. */
MUST_USE int secret_path(const char *given, const char *home, char out[SETUP_PATH_BYTES],
    bool *is_there, struct err *err);

#endif
