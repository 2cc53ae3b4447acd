/* home.h: in which folder does this team keep what is its own?
 *
 * GIVEN (--home), else $COMITY_HOME, else /var/lib/comity for root, else $XDG_DATA_HOME/comity,
 * else
 * ~/.local/share/comity.
 */
#ifndef COMITY_CLI_HOME_H
#define COMITY_CLI_HOME_H

#include "cli/setup.h"
#include "flow/roster.h"

/* GIVEN may be NULL. ERR_NOT_FOUND: nothing says where; ERR_LIMIT: the path is too long. */
MUST_USE int home_path(const char *given, char out[SETUP_PATH_BYTES], struct err *err);
/* The settings where no file of them is named: comity.conf in HOME (NULL: not known), else in
 * /etc/comity; "": there is none. */
void home_config(const char *home, char out[SETUP_PATH_BYTES]);
/* The teams of PATH, and in front of them those whose cards were accepted in HOME (NULL: where it
 * is by default). Errors: roster_load's. */
MUST_USE int home_roster(const char *home, const char *path, roster_reject *reject, void *ctx,
    struct roster **out, struct err *err);

#endif
