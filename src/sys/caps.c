#include "sys/caps.h"

#include "sys/sandbox_calls.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int
caps_keep(enum caps caps, struct err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3];
    const unsigned kept = caps == CAPS_FILES ? CAP_TO_MASK(CAP_DAC_OVERRIDE) : 0;

    if (syscall(SYS_capget, &head, has) != 0)
        return sandbox_refused("capget", errno, err);
    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        const unsigned left = i == CAP_TO_INDEX(CAP_DAC_OVERRIDE) ? kept & has[i].permitted : 0;
        has[i] = (struct __user_cap_data_struct){.effective = left, .permitted = left};
    }
    /* Older kernels have no ambient ones, and dropping what may be inherited takes them, too. */
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &head, has) == 0 ? 0 : sandbox_refused("capset", errno, err);
}
