#include "flow/redact.h"

#include "base/time.h"
#include "flow/coarsen.h"
#include "model/redacted_private.h"
#include "model/url.h"

/* The stricter of what was decided and what holds for CLASS besides. */
static struct redact_rule
stricter(struct redact_rule rule, enum field_class class, const uint8_t *treatments)
{
    enum treatment treatment = (enum treatment)treatments[class];

    return treatment > rule.treatment ? (struct redact_rule){class, treatment} : rule;
}

/* A field, the classes that have a say in it, and its parts if it is a URL. */
struct subject {
    const struct field *field;
    enum field_class base;  /* text where the table does not know the field */
    enum field_class class; /* what it holds besides, else the same */
    bool parted;            /* URL is its parts */
    struct url url;
};

static struct subject
subject_of(const struct extra_fields *extras, const struct field *field)
{
    struct subject s = {.field = field, .base = (enum field_class)field->class};

    if (field->id == FIELD_OTHER)
        s.base = FIELD_CLASS_TEXT;
    s.class = field->id == FIELD_OTHER ? extra_fields_class(extras, field->name) : s.base;
    s.parted = s.class == FIELD_CLASS_URL && field->type == VALUE_TEXT
        && url_split((struct span){field->s, field->n}, &s.url);
    return s;
}

/* The host is told no more exactly than it would be in a field of its own. In a URL an address has
 * no coarser form, so then nothing of the URL is left. */
static struct redact_rule
rule_of_url(const struct subject *s, struct redact_rule rule, const uint8_t *treatments)
{
    if (!s->parted)
        return stricter(rule, FIELD_CLASS_TEXT, treatments);
    bool address = url_host_is_address(s->url.host);
    if (address && treatments[FIELD_CLASS_ADDRESS] != TREATMENT_KEEP)
        return (struct redact_rule){FIELD_CLASS_ADDRESS, TREATMENT_REMOVE};
    return stricter(rule, address ? FIELD_CLASS_ADDRESS : FIELD_CLASS_NAME, treatments);
}

/* A field that the table does not know is text, and what the operator's list says besides: the
 * stricter treatment applies. */
static struct redact_rule
rule_of(const struct subject *s, const uint8_t *treatments)
{
    struct redact_rule rule = {s->base, (enum treatment)treatments[s->base]};

    if (rule.treatment == TREATMENT_KEEP)
        rule = stricter(rule, s->class, treatments);
    bool path = s->field->id == FIELD_SOURCE_URLPATH || s->field->id == FIELD_DESTINATION_URLPATH;
    return s->class == FIELD_CLASS_URL && !path && rule.treatment != TREATMENT_REMOVE
        ? rule_of_url(s, rule, treatments)
        : rule;
}

/* URLs lose more than their class says. */
static bool
cut(struct arena *arena, struct field *field, const struct subject *s, const uint8_t *treatments)
{
    bool name = s->parted && !url_host_is_address(s->url.host);
    bool path = treatments[FIELD_CLASS_URL] == TREATMENT_KEEP;
    const struct coarsen_url keep = {.path = path,
        .login = path && treatments[FIELD_CLASS_ACCOUNT] == TREATMENT_KEEP,
        .suffix = name && treatments[FIELD_CLASS_NAME] != TREATMENT_KEEP};

    field->class = (uint8_t)s->class;
    return s->class == FIELD_CLASS_URL ? coarsen_url(arena, field, keep)
                                       : coarsen_field(arena, field);
}

/* What is left of one field; NULL: nothing. */
static const struct field *
treat(struct arena *arena, const struct extra_fields *extras, const uint8_t *treatments,
    const struct field *field)
{
    const struct subject s = subject_of(extras, field);
    struct redact_rule rule = rule_of(&s, treatments);
    /* A login goes although the URL stays. */
    bool login = s.parted && s.url.login.n > 0 && treatments[FIELD_CLASS_ACCOUNT] != TREATMENT_KEEP;

    if (rule.treatment == TREATMENT_KEEP && !login)
        return field;
    if (rule.treatment == TREATMENT_REMOVE)
        return NULL;
    struct field *coarse = arena_alloc(arena, sizeof *coarse);
    if (coarse == NULL)
        return NULL;
    *coarse = *field;
    return cut(arena, coarse, &s, treatments) ? coarse : NULL;
}

static inline const struct field *
treat_fast(struct arena *arena, const struct extra_fields *extras, const uint8_t *treatments,
    const struct field *field)
{
    /* Nearly all: nothing of it is left, or it is of one class only, and kept. */
    if (field->id == FIELD_OTHER) {
        if (treatments[FIELD_CLASS_TEXT] == TREATMENT_REMOVE)
            return NULL;
    } else if (treatments[field->class] == TREATMENT_REMOVE) {
        return NULL;
    } else if (treatments[field->class] == TREATMENT_KEEP && field->class != FIELD_CLASS_URL) {
        return field;
    }
    return treat(arena, extras, treatments, field);
}

/* What is really done to each class: no keys yet, no coarser form of text and of open fields. */
static void
set_treatments(const struct verdict *verdict, uint8_t treatments[FIELD_CLASS_COUNT])
{
    for (int c = 0; c < FIELD_CLASS_COUNT; c++) {
        enum treatment treatment = verdict_treatment(verdict, (enum field_class)c);
        bool coarser = c != FIELD_CLASS_TEXT && c != FIELD_CLASS_OPEN
            && (treatment == TREATMENT_GENERALISE || treatment == TREATMENT_PSEUDONYMISE);
        treatments[c] = treatment == TREATMENT_KEEP ? TREATMENT_KEEP
            : coarser                               ? TREATMENT_GENERALISE
                                                    : TREATMENT_REMOVE;
    }
}

struct redact_rule
redact_rule(
    const struct extra_fields *extras, const struct verdict *verdict, const struct field *field)
{
    const struct subject s = subject_of(extras, field);
    uint8_t treatments[FIELD_CLASS_COUNT];

    set_treatments(verdict, treatments);
    return rule_of(&s, treatments);
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
    mem_clear(redacted, offsetof(struct redacted, fields));
    set_treatments(verdict, redacted->treatment);
    for (uint32_t i = 0; i < report->count; i++)
        take(redacted, treat_fast(arena, extras, redacted->treatment, &report->fields[i]));
    redacted->tlp = (uint8_t)tlp;
    redacted->time_us = time_left(redacted, report);
    *out = redacted;
    return 0;
}
