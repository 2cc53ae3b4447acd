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

/* source.ip is coarsened to source.network. */
static bool
same_field(const struct field *before, const struct field *after)
{
    if (before->id == FIELD_OTHER || after->id == FIELD_OTHER)
        return before->id == after->id && span_equal(before->name, after->name);
    return before->id == after->id
        || (before->id == FIELD_SOURCE_IP && after->id == FIELD_SOURCE_NETWORK)
        || (before->id == FIELD_DESTINATION_IP && after->id == FIELD_DESTINATION_NETWORK);
}

const struct field *
redacted_after(
    const struct report *report, const struct redacted *redacted, uint32_t i, size_t *next)
{
    const struct field *before = &report->fields[i];

    if (redacted == NULL || *next >= redacted_count(redacted))
        return NULL;
    const struct field *after = redacted_field(redacted, *next);
    bool kept = after >= report->fields && after < report->fields + report->count;
    if (kept ? after != before : !same_field(before, after))
        return NULL;
    (*next)++;
    return after;
}
