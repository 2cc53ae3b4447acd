/* outputs.h: may a command's output go where it was asked to go, and does it come there whole?
 *
 * Whether something is lost by it is asked before anything is opened for writing. What is written
 * comes under its name when it is complete (sys/spool.h).
 */
#ifndef COMITY_CLI_OUTPUTS_H
#define COMITY_CLI_OUTPUTS_H

#include "cli/setup.h"
#include "sys/spool.h"

/* The file PATH, which option OPTION named, is none of INPUTS ("-": standard input), through
 * whatever link. ERR_USAGE if it is; an output that is not there yet is none. */
MUST_USE int outputs_spare_file(
    const char *path, const char *option, const char *const *inputs, size_t count, struct err *err);
/* None of INPUTS lies in the folder PATH itself. */
MUST_USE int outputs_spare_folder(
    const char *path, const char *option, const char *const *inputs, size_t count, struct err *err);

/* What an earlier run left in a folder: recipients' files, rejects and their temporary forms, by
 * the names that route gives. */
struct earlier {
    struct earlier_file *files;
    size_t count;
};

/* Owner: the caller, until earlier_free, also after an error. */
MUST_USE int earlier_find(struct earlier *earlier, const char *folder, struct err *err);
/* One of them, to be named in a message. */
const char *earlier_name(const struct earlier *earlier);
/* Remove those that still are what was found, so that nothing is taken that this run published. */
MUST_USE int earlier_remove(struct earlier *earlier, int folder, struct err *err);
void earlier_free(struct earlier *earlier);
/* A name that route gives to a file of --out's folder? */
bool earlier_is_name(const char *name);

/* One file that a command writes. */
struct output {
    char folder[SETUP_PATH_BYTES]; /* for the sandbox; "": none, a device or pipe */
    int fd;                        /* of the folder or device; -1: not open */
    struct spool spool;
};

/* PATH's folder must be there. A link of one's own (or root's) is followed. ERR_USAGE if it is a
 * folder. Owner: the caller, until output_close, also after an error. */
MUST_USE int output_open(
    struct output *output, const char *path, const char *option, struct err *err);
/* Do both lead to one file? Then the one would write into the other. */
bool output_same(const struct output *a, const struct output *b);
/* As it comes, to a descriptor that stays the caller's. */
void output_to(struct output *output, int fd, const char *name);
/* Not needed: no file of an earlier run is to stay under its name. */
MUST_USE int output_remove(struct output *output, struct err *err);
/* Complete: under its name, on disk. Without that, output_close leaves what was there before. */
MUST_USE int output_publish(struct output *output, struct err *err);
void output_close(struct output *output);

#endif
