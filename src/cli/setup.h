/* setup.h: where is what Comity ships, and which directory and address table are meant?
 *
 * The share folder: $COMITY_SHARE, else the source tree's if the binary lies in a build folder of
 * it, else the one that is installed beside its bin folder, else where the build was to be
 * installed. The address table: --geo, $COMITY_GEO, world.geo beside the binary, else the share
 * folder's. The team directory: --teams, $COMITY_TEAMS, else the share folder's. Nothing is found
 * in a folder that everybody may write: anybody could have put it there.
 */
#ifndef COMITY_CLI_SETUP_H
#define COMITY_CLI_SETUP_H

#include "flow/attribute.h"

enum { SETUP_PATH_BYTES = 4096 };

/* What the command line and the environment chose; NULL: look for it. */
struct setup_options {
    const char *geo_path;
    const char *teams_path;
};

struct setup {
    char share_dir[SETUP_PATH_BYTES];
    char world_path[SETUP_PATH_BYTES]; /* "": none was found */
    char teams_path[SETUP_PATH_BYTES];
    struct geo *geo; /* NULL: none was found */
    struct roster *roster;
    size_t bad_cards; /* left out of the roster, each told on stderr */
};

/* The share folder, without a slash behind. ERR_NOT_FOUND names what was tried. */
MUST_USE int setup_share_dir(char out[SETUP_PATH_BYTES], struct err *err);

/* PATH, from the root on: one that does not begin there begins here. ERR_LIMIT. */
MUST_USE int setup_absolute(const char *path, char out[SETUP_PATH_BYTES], struct err *err);

/* Path of the address table; GIVEN may be NULL. ERR_NOT_FOUND when nothing is there. */
MUST_USE int setup_world_path(const char *given, char out[SETUP_PATH_BYTES], struct err *err);

/* Path of the team directory; GIVEN may be NULL. */
MUST_USE int setup_teams_path(const char *given, char out[SETUP_PATH_BYTES], struct err *err);

/* All of it, opened. A table that was named must be there; one that was only looked for may
 * be missing (geo NULL, one line on stderr says how to build it). Owner: the
 * caller, until setup_close, also after an error. */
MUST_USE int setup_open(struct setup *setup, const struct setup_options *options, struct err *err);
void setup_close(struct setup *setup);

static inline struct world
setup_world(const struct setup *setup)
{
    return (struct world){setup->geo, setup->roster};
}

/* OUT, which is WHAT, to standard output, and on its way. ERR_LIMIT, ERR_IO. */
MUST_USE int setup_print(const struct buf *out, const char *what, struct err *err);

/* Print "comity: MESSAGE" (with line and field if known) to stderr and give the exit status. */
int setup_fail(const struct err *err);

/* TEXT, the value of --NAME, as a time (base/time.h) into *US; NULL: *US stays. ERR_USAGE. */
MUST_USE int setup_time(const char *name, const char *text, int64_t *us, struct err *err);

/* Is the command's first word, or the one behind it, --help or -h? */
bool setup_asks_help(int argc, char **argv);
/* "--NAME VALUE" or "--NAME=VALUE" at argv[*i]? Then VALUE is set and *i stands on the last
 * argument used. 1: yes; 0: no; ERR_USAGE: the value is missing. */
int setup_option(
    int argc, char **argv, int *i, const char *name, const char **value, struct err *err);
/* The same for a list of COUNT; those of whose bits TAKES has none are none. */
struct setup_valued {
    const char *name;
    unsigned bits; /* 0: always */
    const char **value;
};
int setup_valued(int argc, char **argv, int *i, unsigned takes, const struct setup_valued *options,
    size_t count, struct err *err);

#endif
