#include "model/redacted_private.h"

size_t
redacted_count(const struct redacted *redacted)
{
    return redacted->count;
}

const struct field *
redacted_field(const struct redacted *redacted, size_t i)
{
    return redacted->fields[i];
}

const struct field *const *
redacted_fields(const struct redacted *redacted, size_t *count)
{
    *count = redacted->count;
    return redacted->fields;
}

const struct field *
redacted_get(const struct redacted *redacted, enum field_id id)
{
    return redacted->at[id] == 0 ? NULL : redacted->fields[redacted->at[id] - 1];
}

enum tlp
redacted_tlp(const struct redacted *redacted)
{
    return (enum tlp)redacted->tlp;
}

int64_t
redacted_time_us(const struct redacted *redacted)
{
    return redacted->time_us;
}

enum treatment
redacted_treatment(const struct redacted *redacted, enum field_class class)
{
    return (enum treatment)redacted->treatment[class];
}

uint32_t
redacted_removed(const struct redacted *redacted)
{
    return redacted->removed;
}
