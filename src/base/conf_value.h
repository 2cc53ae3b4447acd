/* conf_value.h: what does an option's text mean, and what would be right?
 */
#ifndef COMITY_BASE_CONF_VALUE_H
#define COMITY_BASE_CONF_VALUE_H

#include "base/conf.h"

/* NUMBER is 0 for texts. ERR_BAD_CONFIG with err.field the option's name. */
MUST_USE int conf_value(
    const struct conf_row *row, struct span value, int64_t *number, struct err *err);

#endif
