/* vkeys.h: whose signatures does the user believe?
 *
 * Verifier keys (C2SP signed-note) that the command line names.
 */
#ifndef COMITY_CLI_VKEYS_H
#define COMITY_CLI_VKEYS_H

#include "fmt/note.h"

enum { VKEYS_MAX = 64 };

struct vkeys {
    struct note_key keys[VKEYS_MAX];
    size_t count;
};

/* "--OPTION VKEY" at argv[*i]? 1: yes, taken in, *i on its last word; 0: no; ERR_USAGE: no key, or
 * not one of ALGORITHM. Names are borrowed from argv. */
int vkeys_option(struct vkeys *vkeys, int argc, char **argv, int *i, const char *option,
    enum note_algorithm algorithm, struct err *err);

#endif
