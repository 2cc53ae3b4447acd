/* spool.h: how do hundreds of growing files appear whole, or not at all?
 *
 * A spool collects bytes for one file of a folder under a temporary name (".NAME.part")
 * and publishes it by fsync and rename. No descriptor is held between
 * writes, so that the number of recipients is not bounded by the number of descriptors.
 */
#ifndef COMITY_SYS_SPOOL_H
#define COMITY_SYS_SPOOL_H

#include "base/str.h"

enum {
    SPOOL_NAME_BYTES = 200,
    SPOOL_BUFFER_BYTES = 64 * 1024,
    SPOOL_ITEM_BYTES = 64 * 1024 * 1024
};

struct spool {
    int folder; /* descriptor, the caller's; of a device: its own */
    char name[SPOOL_NAME_BYTES];
    struct buf buf; /* append here, then call spool_flush_if_large */
    bool started;   /* the temporary file exists */
    bool settled;   /* and is complete */
    bool device;    /* no file that could be renamed: written as it comes */
};

/* NAME is a file name without '/'; ERR_BAD_NAME if it is not, or too long. */
MUST_USE int spool_init(struct spool *spool, int folder, struct span name, struct err *err);
/* Of a device, pipe or terminal open for writing as FD (the caller's), called NAME. */
void spool_device(struct spool *spool, int fd, const char *name);
/* Write what is collected if it is worth a write. ERR_IO; ERR_LIMIT if an item was cut. */
MUST_USE int spool_flush_if_large(struct spool *spool, struct err *err);
/* Write the rest and fsync: all that can fail for want of room has been done then. */
MUST_USE int spool_settle(struct spool *spool, struct err *err);
/* The same, and rename over NAME. The folder is the caller's to fsync, once. */
MUST_USE int spool_publish(struct spool *spool, struct err *err);
/* Forget it and remove the temporary file. Fine after spool_publish. */
void spool_drop(struct spool *spool);

/* Open the folder PATH, making it if need be (not its parents); *FD is the caller's. */
MUST_USE int spool_folder(const char *path, int *fd, struct err *err);
/* fsync of the folder: names published before are durable. */
MUST_USE int spool_sync_folder(int folder, struct err *err);

#endif
