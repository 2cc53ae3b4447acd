/* outputs.h: may a command's output go where it was asked to go, without loss of what is there?
 *
 * Asked before anything is opened for writing.
 */
#ifndef COMITY_CLI_OUTPUTS_H
#define COMITY_CLI_OUTPUTS_H

#include "base/err.h"

#include <stddef.h>

/* The file PATH, which option OPTION named, is none of INPUTS ("-": standard input), through
 * whatever link. ERR_USAGE if it is; an output that is not there yet is none. */
MUST_USE int outputs_spare_file(
    const char *path, const char *option, const char *const *inputs, size_t count, struct err *err);
/* None of INPUTS lies in the folder PATH itself. */
MUST_USE int outputs_spare_folder(
    const char *path, const char *option, const char *const *inputs, size_t count, struct err *err);

#endif
