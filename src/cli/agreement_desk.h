/* agreement_desk.h: what lies on the desk when agreements are checked or compared?
 *
 * What `lint` and `diff` share: the directory, the agreements and conditions beside which a
 * document holds, the moment, and the walls behind which documents of others are read.
 */
#ifndef COMITY_CLI_AGREEMENT_DESK_H
#define COMITY_CLI_AGREEMENT_DESK_H

#include "cli/setup.h"
#include "flow/agreements.h"
#include "flow/feeds.h"
#include "flow/parties.h"
#include "flow/registry.h"

enum { DESK_PATHS_MAX = 64 };

struct desk_options {
    const char *with[DESK_PATHS_MAX]; /* none: the node's register, and the shipped baseline */
    size_t with_count;
    const char *files[DESK_PATHS_MAX];
    size_t file_count;
    const char *teams_path;
    const char *feeds_path;
    const char *at; /* NULL: now */
    bool json;
    bool sandbox;
};

struct desk {
    struct desk_options options;
    struct arena *arena;
    char share_dir[SETUP_PATH_BYTES];
    struct roster *roster;
    struct registry *registry; /* NULL: not asked, or none there */
    struct agreement_set with; /* and the providers' conditions */
    int64_t at_us;
};

extern const char desk_help[];

/* An option that both have, or a file: 1; 0: not theirs; else an error. */
int desk_option(struct desk_options *options, int argc, char **argv, int *i, struct err *err);
/* Everything trusted loaded, then the walls. Owner: the caller, until desk_close, also after an
 * error. */
MUST_USE int desk_open(struct desk *desk, const struct desk_options *options, struct err *err);
void desk_close(struct desk *desk);

#endif
