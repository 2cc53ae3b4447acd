/* lent.h: which files did the parent open for this process?
 *
 * Walls let a process open the files that were there when they were made. What was put in such a
 * file's place since, as editors do, is another file, and one that was named later was never let
 * in. So the parent, who reads everything, opens them and hands over the descriptors.
 */
#ifndef COMITY_SYS_LENT_H
#define COMITY_SYS_LENT_H

#include "base/str.h"

/* As many as are kept: the newest. */
enum { LENT_MAX = 8, LENT_PATH_BYTES = 4096 };

/* FD, which is taken over also on an error, is what PATH is from now on. ERR_LIMIT: no such path.
 */
MUST_USE int lent_take(struct span path, int fd, struct err *err);
/* PATH to be read, from its beginning: what was lent under this name, else open(2) with FLAGS
 * beside O_RDONLY and O_CLOEXEC. -1 with errno. One reader of a path at a time: they share the
 * place. */
int lent_open(const char *path, int flags);

#endif
