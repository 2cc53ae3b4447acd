/* file.h: how does a target that wants a path get these bytes? */
#ifndef COMITY_FUZZ_FILE_H
#define COMITY_FUZZ_FILE_H

#include <stddef.h>

enum { FILE_PATH_BYTES = 64 };

/* A file in memory with these bytes, and its PATH; the caller closes what is returned. */
int file_of(const void *bytes, size_t size, char path[FILE_PATH_BYTES]);

#endif
