/* sandbox_calls.h: which system calls does a kind of process need?
 */
#ifndef COMITY_SYS_SANDBOX_CALLS_H
#define COMITY_SYS_SANDBOX_CALLS_H

#include "sys/sandbox.h"

/* From now on any other kills the process. ERR_SANDBOX. */
MUST_USE int sandbox_calls(enum sandbox_kind kind, struct err *err);

/* ERR_SANDBOX in the words of both walls. */
int sandbox_refused(const char *what, int error, struct err *err);

#endif
