/* http_file.h: how does libcurl's GnuTLS get a key that lies in no file?
 *
 * It takes certificates and keys by path only. Here they lie in memory that has one:
 * /proc/self/fd/N of a memfd, which is made before the walls are up, and which Landlock, as it lies
 * in no folder, lets be opened.
 */
#ifndef COMITY_EDGE_HTTP_FILE_H
#define COMITY_EDGE_HTTP_FILE_H

#include "base/str.h"

struct http_file {
    int fd; /* -1: not open */
    size_t n;
    char path[32];
};

/* Empty. NAME is for who looks at the process. ERR_IO. */
MUST_USE int http_file_open(struct http_file *file, const char *name, struct err *err);
/* TEXT (PEM, where empty lines mean nothing) in place of what it held, also behind the walls.
 * ERR_IO.
 */
MUST_USE int http_file_fill(struct http_file *file, struct span text, struct err *err);
bool http_file_is_there(const struct http_file *file);
void http_file_close(struct http_file *file);

#endif
