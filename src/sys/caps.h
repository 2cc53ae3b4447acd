/* caps.h: what may this process do that others of its user may not?
 *
 * To listen below port 1024 takes a capability (capabilities(7)); nothing takes one afterwards.
 * What is dropped does not come back by exec once no_new_privs is set, not for root either.
 */
#ifndef COMITY_SYS_CAPS_H
#define COMITY_SYS_CAPS_H

#include "base/err.h"

enum caps {
    CAPS_NONE,
    CAPS_FILES, /* root's files may be anybody's: CAP_DAC_OVERRIDE, if it was there */
};

/* From now on no more than CAPS, and nothing for those who are started. ERR_SANDBOX. */
MUST_USE int caps_keep(enum caps caps, struct err *err);

#endif
