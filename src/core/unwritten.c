/* Which questions can nobody answer yet? Whoever writes one takes its line out here. */
#include "core/core.h"

#define UNWRITTEN(function)                                                                        \
    int core_##function(struct core *core, struct ask *ask, struct err *err)                       \
    {                                                                                              \
        (void)core;                                                                                \
        (void)ask;                                                                                 \
        return err_set(err, ERR_BAD_METHOD, "this node cannot answer that: " #function);           \
    }

UNWRITTEN(sign_in)
UNWRITTEN(sign_out)
UNWRITTEN(who)
UNWRITTEN(principals)
UNWRITTEN(principal_add)
UNWRITTEN(principal_change)
UNWRITTEN(password)
UNWRITTEN(token_add)
UNWRITTEN(tokens)
UNWRITTEN(token_remove)
