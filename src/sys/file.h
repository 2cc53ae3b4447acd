/* file.h: is this file whole on disk, or not there at all?
 *
 * Writing is atomic and durable: a temporary file beside PATH, write, fsync, rename,
 * fsync of the folder. A reader sees the old content or the new, never a part.
 */
#ifndef COMITY_SYS_FILE_H
#define COMITY_SYS_FILE_H

#include "base/str.h"

/* Make PATH hold PARTS, one behind the other. MODE as for open(2), less the umask.
 * Errors: ERR_IO; then PATH is what it was, unless the message says that only the
 * folder could not be synced. */
MUST_USE int file_write_atomic(
    const char *path, const struct span *parts, size_t count, unsigned mode, struct err *err);
/* The same for what may be lost: nothing is waited for, and after the machine has failed the file
 * may be empty. */
MUST_USE int file_write_hint(
    const char *path, const struct span *parts, size_t count, unsigned mode, struct err *err);

/* TEMPORARY, complete and closed, becomes PATH, durable on return; what is there stays
 * (ERR_EXISTS). TEMPORARY is gone in any case. ERR_IO. */
MUST_USE int file_settle(const char *temporary, const char *path, struct err *err);

/* Make the folder PATH and those above it that are not there, for the owner alone. ERR_IO. */
MUST_USE int file_folder(const char *path, struct err *err);
/* Wait until nobody else holds the lock PATH, and hold it until close(*FD). ERR_IO. */
MUST_USE int file_lock(const char *path, int *fd, struct err *err);
/* The same, without waiting: ERR_EXISTS if somebody else holds it. */
MUST_USE int file_try_lock(const char *path, int *fd, struct err *err);
/* All of PATH behind what OUT holds. ERR_NOT_FOUND, ERR_IO, ERR_LIMIT (OUT's maximum). */
MUST_USE int file_read(const char *path, struct buf *out, struct err *err);

#endif
