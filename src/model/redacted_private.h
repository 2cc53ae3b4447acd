/* redacted_private.h: how is a redacted report laid out?
 *
 * For flow/redact.c, its only maker, and model/redacted.c, its reader. Nobody else
 * may include this file (tools/check-layers).
 */
#ifndef COMITY_MODEL_REDACTED_PRIVATE_H
#define COMITY_MODEL_REDACTED_PRIVATE_H

#include "model/redacted.h"

struct redacted {
    uint32_t count;
    uint32_t removed;
    uint8_t tlp;
    uint8_t treatment[FIELD_CLASS_COUNT]; /* enum treatment, as applied */
    uint16_t at[FIELD_COUNT];             /* position + 1 in fields */
    int64_t time_us;
    const struct field *fields[REPORT_FIELDS_MAX];
};

#endif
