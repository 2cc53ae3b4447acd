/* console_files.h: what are the console's files? Written by tools/embed at build. */
#ifndef COMITY_EDGE_CONSOLE_FILES_H
#define COMITY_EDGE_CONSOLE_FILES_H

#include "base/str.h"

struct console_file {
    const char *path; /* below /assets/; "index.html": every page */
    const char *type;
    const char *tag; /* over the bytes, for its ETag */
    struct span plain;
    struct span packed; /* gzip; n 0: would not be smaller */
};

/* Ended by a NULL path; the first is it when npm could not be reached at build: no console. */
extern const struct console_file console_files[];

#endif
