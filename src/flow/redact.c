#include "flow/redact.h"

#include "base/time.h"
#include "flow/coarsen.h"
#include "model/redacted_private.h"

/* Keep, coarsen or remove one field, as one of CLASS. NULL: removed. */
static const struct field *
treat(struct arena *arena, const struct field *field, enum field_class class,
    const uint8_t *treatments)
{
    if (treatments[class] == TREATMENT_KEEP)
        return field;
    if (treatments[class] != TREATMENT_GENERALISE)
        return NULL;
    struct field *coarse = arena_alloc(arena, sizeof *coarse);
    if (coarse == NULL)
        return NULL;
    *coarse = *field;
    coarse->class = (uint8_t) class;
    if (!coarsen_field(arena, coarse))
        return NULL;
    bool address = class == FIELD_CLASS_URL && coarsen_left_address(coarse);
    return address && treatments[FIELD_CLASS_ADDRESS] != TREATMENT_KEEP ? NULL : coarse;
}

/* A field that the table does not know is text, and what the operator's list says besides: the
 * stricter treatment applies, so the list is only asked where text is not removed anyway. */
static const struct field *
treat_other(struct arena *arena, const struct extra_fields *extras, const uint8_t *treatments,
    const struct field *field)
{
    if (treatments[FIELD_CLASS_TEXT] != TREATMENT_KEEP)
        return NULL; /* text has no coarser form */
    return treat(arena, field, extra_fields_class(extras, field->name), treatments);
}

static void
take(struct redacted *redacted, const struct field *field)
{
    /* source.ip may have become source.network, which may be there already. */
    if (field == NULL || (field->id != FIELD_OTHER && redacted->at[field->id] != 0)) {
        redacted->removed++;
        return;
    }
    redacted->fields[redacted->count++] = field;
    if (field->id != FIELD_OTHER)
        redacted->at[field->id] = (uint16_t)redacted->count;
}

static int64_t
time_left(const struct redacted *redacted, const struct report *report)
{
    const struct field *field = redacted_get(redacted, FIELD_TIME_SOURCE);
    int64_t us = 0;

    if (field == NULL)
        field = redacted_get(redacted, FIELD_TIME_OBSERVATION);
    if (field == NULL)
        return 0;
    if (redacted->treatment[FIELD_CLASS_TIME] == TREATMENT_KEEP)
        return report->time_us;
    return time_parse((struct span){field->s, field->n}, &us, NULL) == 0 ? us : 0;
}

int
redact(struct arena *arena, const struct extra_fields *extras, const struct report *report,
    const struct verdict *verdict, enum tlp tlp, const struct redacted **out, struct err *err)
{
    struct redacted *redacted;

    if (verdict->effect != EFFECT_RELEASE || report->count > REPORT_FIELDS_MAX)
        return err_set(err, ERR_INTERNAL, "a report was to be redacted that no verdict releases");
    redacted = arena_alloc(
        arena, offsetof(struct redacted, fields) + report->count * sizeof(struct field *));
    if (redacted == NULL)
        return arena_full(err, "redaction");
    memset(redacted, 0, offsetof(struct redacted, fields));
    for (int c = 0; c < FIELD_CLASS_COUNT; c++) {
        enum treatment treatment = verdict_treatment(verdict, (enum field_class)c);
        if (treatment == TREATMENT_PSEUDONYMISE)
            treatment = TREATMENT_GENERALISE;
        redacted->treatment[c] = (uint8_t)treatment;
    }
    for (uint32_t i = 0; i < report->count; i++) {
        const struct field *field = &report->fields[i];
        take(redacted,
            field->id == FIELD_OTHER
                ? treat_other(arena, extras, redacted->treatment, field)
                : treat(arena, field, (enum field_class)field->class, redacted->treatment));
    }
    redacted->tlp = (uint8_t)tlp;
    redacted->time_us = time_left(redacted, report);
    *out = redacted;
    return 0;
}
