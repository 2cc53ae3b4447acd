/* reportid.h: is that word of the command line a report's id? */
#ifndef COMITY_CLI_REPORTID_H
#define COMITY_CLI_REPORTID_H

#include <stdbool.h>

/* A UUID, and not a file's name. */
bool reportid_is(const char *text);

#endif
