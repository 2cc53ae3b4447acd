#include "flow/redact.h"

#include "base/time.h"
#include "flow/coarsen.h"
#include "flow/scrub.h"
#include "model/redacted_private.h"
#include "model/url.h"

/* The stricter of what was decided and what holds for CLASS besides. */
static struct redact_rule
stricter(struct redact_rule rule, enum field_class class, const uint8_t *treatments)
{
    enum treatment treatment = (enum treatment)treatments[class];

    return treatment > rule.treatment ? (struct redact_rule){class, treatment} : rule;
}

/* What is to be done, and with what. */
struct task {
    struct arena *arena;
    const struct redact_means *means;
    uint8_t treatments[FIELD_CLASS_COUNT]; /* as really done */
    bool keeps_all;                        /* every class */
    const struct field *first;             /* of the report */
    uint16_t *searched; /* places of what is kept, but may repeat a treated value */
    size_t searched_count;
};

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
        && url_split((struct span){field->s, field->n}, &s.url) && s.url.host.n > 0;
    return s;
}

/* Without parts nobody can tell a login from the rest. */
static bool
may_hold_login(const struct field *field)
{
    return field->type == VALUE_TEXT && field->n > 0 && memchr(field->s, '@', field->n) != NULL;
}

/* The host is told no more exactly than it would be in a field of its own. In a URL an address has
 * no coarser form, so then nothing of the URL is left. */
static struct redact_rule
rule_of_url(const struct subject *s, struct redact_rule rule, const uint8_t *treatments)
{
    if (!s->parted) {
        rule = stricter(rule, FIELD_CLASS_TEXT, treatments);
        return rule.treatment == TREATMENT_KEEP && may_hold_login(s->field)
            ? stricter(rule, FIELD_CLASS_ACCOUNT, treatments)
            : rule;
    }
    bool address = url_host_is_address(s->url.host);
    if (address && treatments[FIELD_CLASS_ADDRESS] != TREATMENT_KEEP)
        return (struct redact_rule){FIELD_CLASS_ADDRESS, TREATMENT_REMOVE};
    return stricter(rule, address ? FIELD_CLASS_ADDRESS : FIELD_CLASS_NAME, treatments);
}

/* Fields that hold the report as it once was, in another coding, in which nothing can be found. */
static bool
is_whole_report(const struct field *field)
{
    return field->id == FIELD_RAW || field->id == FIELD_OUTPUT || field->id == FIELD_EVENT_HASH;
}

/* A field that the table does not know is text, and what the operator's list says besides: the
 * stricter treatment applies. */
static struct redact_rule
rule_of(const struct subject *s, const struct task *task)
{
    const uint8_t *treatments = task->treatments;
    struct redact_rule rule = {s->base, (enum treatment)treatments[s->base]};

    if (is_whole_report(s->field) && !task->keeps_all)
        return (struct redact_rule){FIELD_CLASS_TEXT, TREATMENT_REMOVE};
    if (rule.treatment == TREATMENT_KEEP)
        rule = stricter(rule, s->class, treatments);
    bool path = s->field->id == FIELD_SOURCE_URLPATH || s->field->id == FIELD_DESTINATION_URLPATH;
    return s->class == FIELD_CLASS_URL && !path && rule.treatment != TREATMENT_REMOVE
        ? rule_of_url(s, rule, treatments)
        : rule;
}

/* A login goes although the URL stays. */
static bool
loses_login(const struct subject *s, const uint8_t *treatments)
{
    return s->parted && s->url.login.n > 0 && treatments[FIELD_CLASS_ACCOUNT] != TREATMENT_KEEP;
}

static bool
cut(const struct task *task, struct field *field, const struct subject *s, enum treatment treatment)
{
    const uint8_t *treatments = task->treatments;
    bool keep = treatment == TREATMENT_KEEP;
    bool name = s->parted && !url_host_is_address(s->url.host);

    field->class = (uint8_t)s->class;
    if (treatment == TREATMENT_PSEUDONYMISE)
        return pseudonym_field(task->arena, task->means->key, field);
    if (s->class != FIELD_CLASS_URL)
        return coarsen_field(task->arena, field);
    return coarsen_url(task->arena, field,
        (struct coarsen_url){.path = keep,
            .login = keep && !loses_login(s, treatments),
            .suffix = name && treatments[FIELD_CLASS_NAME] != TREATMENT_KEEP});
}

/* May a value that was treated elsewhere be repeated in this kept one? */
static bool
is_searched(const struct subject *s, struct redact_rule rule)
{
    return rule.treatment == TREATMENT_KEEP
        && (s->base == FIELD_CLASS_TEXT || s->class == FIELD_CLASS_URL);
}

/* What is left of one field; NULL: nothing. */
static const struct field *
treat(struct task *task, const struct subject *s, struct redact_rule rule)
{
    if (!task->keeps_all && is_searched(s, rule))
        task->searched[task->searched_count++] = (uint16_t)(s->field - task->first);
    if (rule.treatment == TREATMENT_KEEP && !loses_login(s, task->treatments))
        return s->field;
    if (rule.treatment == TREATMENT_REMOVE)
        return NULL;
    struct field *coarse = arena_alloc(task->arena, sizeof *coarse);
    if (coarse == NULL)
        return NULL;
    *coarse = *s->field;
    return cut(task, coarse, s, rule.treatment) ? coarse : NULL;
}

static inline const struct field *
treat_fast(struct task *task, const struct field *field)
{
    const uint8_t *treatments = task->treatments;

    /* Nearly all: nothing of it is left, or it is of one class only, and kept. */
    if (field->id == FIELD_OTHER) {
        if (treatments[FIELD_CLASS_TEXT] == TREATMENT_REMOVE)
            return NULL;
    } else if (treatments[field->class] == TREATMENT_REMOVE) {
        return NULL;
    } else if (treatments[field->class] == TREATMENT_KEEP && field->class != FIELD_CLASS_URL
        && field->class != FIELD_CLASS_TEXT) {
        return field;
    }
    const struct subject s = subject_of(task->means->extras, field);
    return treat(task, &s, rule_of(&s, task));
}

/* What is really done to each class: there may be no key; text and open fields have no other form,
 * and times no pseudonym. */
static void
set_task(struct task *task, struct arena *arena, const struct redact_means *means,
    const struct verdict *verdict)
{
    *task = (struct task){.arena = arena, .means = means, .keeps_all = true};
    for (int c = 0; c < FIELD_CLASS_COUNT; c++) {
        enum treatment treatment = verdict_treatment(verdict, (enum field_class)c);
        if (treatment == TREATMENT_PSEUDONYMISE && (means->key == NULL || c == FIELD_CLASS_TIME))
            treatment = TREATMENT_GENERALISE;
        if (treatment > TREATMENT_REMOVE)
            treatment = TREATMENT_REMOVE; /* damaged */
        if (treatment != TREATMENT_KEEP && (c == FIELD_CLASS_TEXT || c == FIELD_CLASS_OPEN))
            treatment = TREATMENT_REMOVE;
        task->treatments[c] = (uint8_t)treatment;
        task->keeps_all = task->keeps_all && treatment == TREATMENT_KEEP;
    }
}

struct redact_means
redact_means(struct pseudonyms *pseudonyms, const struct extra_fields *extras,
    const struct verdict *verdict, struct span agreement, struct span recipient)
{
    struct redact_means means = {.extras = extras};

    if (pseudonyms != NULL && agreement.n > 0 && verdict_pseudonymises(verdict))
        means.key = pseudonyms_key(pseudonyms, agreement, recipient);
    return means;
}

struct redact_rule
redact_rule(
    const struct redact_means *means, const struct verdict *verdict, const struct field *field)
{
    const struct subject s = subject_of(means->extras, field);
    struct task task;

    set_task(&task, NULL, means, verdict);
    return rule_of(&s, &task);
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

/* ---- repeated values ---- */

static bool is_sensitive(enum field_class class)
{
    return class != FIELD_CLASS_TEXT && class != FIELD_CLASS_OPEN;
}

/* Generalised may be what it was. */
static bool
is_same(const struct field *field, const struct field *left)
{
    return left == field
        || (left != NULL && field->type == VALUE_TEXT && left->id == field->id
            && span_equal((struct span){field->s, field->n}, (struct span){left->s, left->n}));
}

static void
collect_value(struct scrub *scrub, const struct field *field, const struct field *left)
{
    struct span stands = left == NULL ? (struct span){NULL, 0} : (struct span){left->s, left->n};
    struct buf digits = buf_new(32);

    if (field->type == VALUE_TEXT) {
        scrub_add(scrub, (struct span){field->s, field->n}, stands);
    } else if (field->type == VALUE_JSON) {
        scrub_collect_json(scrub, (struct span){field->s, field->n}, true);
    } else if (field->type == VALUE_INT || field->type == VALUE_UINT) {
        if (field->type == VALUE_INT)
            buf_add_i64(&digits, field->i);
        else
            buf_add_u64(&digits, field->u);
        char *copy = arena_copy(scrub->arena, digits.p, digits.n);
        if (copy == NULL || digits.full)
            scrub->overflow = true;
        else
            scrub_add(scrub, (struct span){copy, digits.n}, stands);
    }
    buf_free(&digits);
}

static void
collect_login(struct scrub *scrub, struct span login)
{
    const struct span none = {NULL, 0};
    struct span rest = {login.p, login.n - 1}; /* without '@' */
    struct span user;

    if (!span_next(&rest, ':', &user))
        return;
    scrub_add(scrub, user, none);
    scrub_add(scrub, rest, none);
}

/* Of a URL that was changed: its login, and its host unless what is left of it tells that. */
static void
collect_parts(struct scrub *scrub, const struct url *url, const struct field *left)
{
    struct span host = url->host;

    if (url->login.n > 0)
        collect_login(scrub, url->login);
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct span){host.p + 1, host.n - 2};
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    if (left == NULL || host.n == 0 || memmem(left->s, left->n, host.p, host.n) == NULL)
        scrub_add(scrub, host, (struct span){NULL, 0});
}

/* What is repeated elsewhere if FIELD became LEFT; SEARCHED: it was kept, but may lose parts. */
static void
collect(struct scrub *scrub, const struct field *field, const struct field *left, bool searched)
{
    const struct subject s = subject_of(scrub->extras, field);
    struct span value = {field->s, field->n};
    bool changed = !is_same(field, left);

    if (is_sensitive(s.class) && changed)
        collect_value(scrub, field, left);
    if (s.parted && changed)
        collect_parts(scrub, &s.url, left);
    if (left != NULL && searched && field->type == VALUE_JSON)
        scrub_collect_json(scrub, value, false);
    if ((changed || searched) && field->type == VALUE_TEXT && s.class == FIELD_CLASS_URL)
        scrub_collect_query(scrub, s.parted ? s.url.rest : value);
}

/* LEFT with nothing of what was treated elsewhere; NULL: nothing is left. */
static const struct field *
clean(struct scrub *scrub, const struct field *field, const struct field *left)
{
    const struct subject s = subject_of(scrub->extras, field);
    bool plain = s.class != FIELD_CLASS_URL && field->type != VALUE_JSON;
    struct field *copy;

    if (scrub->overflow)
        return NULL;
    if (plain && scrub->count == 0)
        return left;
    copy = arena_alloc(scrub->arena, sizeof *copy);
    if (copy == NULL)
        return NULL;
    *copy = *left;
    copy->class = (uint8_t)s.class;
    return scrub_field(scrub, copy) ? copy : NULL;
}

/* First what was treated is listed, then what was kept of the rest is searched for it. LEFT is
 * what became of each field, in place. */
static int
search(const struct task *task, const struct report *report, const struct field **left,
    struct err *err)
{
    struct scrub *scrub = arena_alloc(task->arena, sizeof *scrub);
    size_t next = 0;

    if (scrub == NULL)
        return arena_full(err, "redaction");
    scrub_init(scrub, task->arena, task->means->extras, task->treatments);
    for (uint32_t i = 0; i < report->count; i++) {
        bool searched = next < task->searched_count && task->searched[next] == i;
        next += searched;
        if (searched || left[i] != &report->fields[i])
            collect(scrub, &report->fields[i], left[i], searched);
    }
    for (size_t k = 0; k < task->searched_count; k++) {
        uint16_t i = task->searched[k];
        if (left[i] != NULL)
            left[i] = clean(scrub, &report->fields[i], left[i]);
    }
    return 0;
}

int
redact(struct arena *arena, const struct redact_means *means, const struct report *report,
    const struct verdict *verdict, enum tlp tlp, const struct redacted **out, struct err *err)
{
    uint16_t searched[REPORT_FIELDS_MAX];
    struct redacted *redacted;
    struct task task;
    int rc = 0;

    if (verdict->effect != EFFECT_RELEASE || report->count > REPORT_FIELDS_MAX)
        return err_set(err, ERR_INTERNAL, "a report was to be redacted that no verdict releases");
    redacted = arena_alloc(
        arena, offsetof(struct redacted, fields) + report->count * sizeof(struct field *));
    if (redacted == NULL)
        return arena_full(err, "redaction");
    mem_clear(redacted, offsetof(struct redacted, fields));
    set_task(&task, arena, means, verdict);
    task.first = report->fields;
    task.searched = searched;
    for (uint32_t i = 0; i < report->count; i++)
        redacted->fields[i] = treat_fast(&task, &report->fields[i]);
    if (task.searched_count > 0)
        rc = search(&task, report, redacted->fields, err);
    for (uint32_t i = 0; rc == 0 && i < report->count; i++)
        take(redacted, redacted->fields[i]);
    memcpy(redacted->treatment, task.treatments, sizeof redacted->treatment);
    redacted->tlp = (uint8_t)tlp;
    redacted->time_us = time_left(redacted, report);
    *out = rc == 0 ? redacted : NULL;
    return rc;
}
