#include "fmt/stix_check.h"
#include "base/time.h"

enum kind { KIND_NEW, KIND_SDO, KIND_SCO, KIND_MARKING };

static const struct {
    const char *type;
    enum kind kind;
} types[] = {
#define STIX_TYPE(type, kind) {type, KIND_##kind},
#include "tables/stix_types.def"
#undef STIX_TYPE
};
enum { TYPES = sizeof types / sizeof types[0], UUID_BYTES = 36 };

static int
fault(struct err *err, enum err_code code, const char *member, const char *text)
{
    return err_set_field(err, code, member, strlen(member), "%s: %s", member, text);
}

static bool
is_type(struct span type)
{
    if (type.n < 3 || type.n > STIX_TYPE_MAX || type.p[0] == '-')
        return false;
    for (size_t i = 0; i < type.n; i++) {
        char c = type.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
        if (c == '-' && type.p[i - 1] == '-')
            return false;
    }
    return true;
}

/* RFC 9562 as STIX has it: lower or upper case, any version. */
bool
stix_check_uuid(struct span text)
{
    if (text.n != UUID_BYTES)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

bool
stix_check_id(struct span id)
{
    if (id.n < UUID_BYTES + 5)
        return false;
    size_t n = id.n - UUID_BYTES - 2;
    return id.p[n] == '-' && id.p[n + 1] == '-' && is_type((struct span){id.p, n})
        && stix_check_uuid((struct span){id.p + n + 2, UUID_BYTES});
}

bool
stix_check_time(struct span text, int64_t *us)
{
    return text.n >= 20 && text.p[10] == 'T' && text.p[text.n - 1] == 'Z'
        && time_parse(text, us, NULL) == 0;
}

void
stix_check_add_time(struct buf *out, int64_t us)
{
    char text[TIME_TEXT_BYTES];

    buf_add(out, text, us % 1000 == 0 ? time_format_ms(us, text) : time_format(us, "Z", text));
}

static int
text_member(
    struct json_value object, const char *name, bool required, struct span *out, struct err *err)
{
    struct json_value v;

    *out = (struct span){NULL, 0};
    if (!json_get(object, name, &v))
        return required ? fault(err, ERR_MISSING_FIELD, name, "the member is required") : 0;
    if (json_type(v) != JSON_STRING)
        return fault(err, ERR_BAD_TYPE, name, "a text is wanted");
    *out = json_string(v);
    return 0;
}

static int
time_member(struct json_value object, const char *name, int64_t *us, struct err *err)
{
    struct span text;
    int rc = text_member(object, name, true, &text, err);

    if (rc == 0 && !stix_check_time(text, us))
        rc = fault(
            err, ERR_BAD_TIME, name, "a time in UTC is wanted, such as 2026-11-25T12:00:00.000Z");
    return rc;
}

static int
check_times(struct json_value object, enum kind kind, struct stix_checked *out, struct err *err)
{
    int64_t created;
    int rc;

    if (kind == KIND_SCO)
        return 0;
    rc = time_member(object, "created", &created, err);
    if (rc != 0)
        return rc;
    out->version_us = created;
    if (kind == KIND_MARKING)
        return 0;
    rc = time_member(object, "modified", &out->version_us, err);
    if (rc == 0 && out->version_us < created)
        rc = fault(err, ERR_BAD_VALUE, "modified", "it is before created");
    return rc;
}

static int
check_reference(struct json_value v, const char *member, const char *type, struct err *err)
{
    struct span id = json_type(v) == JSON_STRING ? json_string(v) : (struct span){NULL, 0};

    if (stix_check_id(id) && span_starts(id, span_of(type))
        && id.n == strlen(type) + 2 + UUID_BYTES)
        return 0;
    return err_set_field(
        err, ERR_BAD_NAME, member, strlen(member), "%s: %s--UUID is wanted", member, type);
}

static int
check_references(struct json_value object, struct err *err)
{
    struct json_value v;
    struct json_value item;
    struct span key;
    int rc = 0;

    if (json_get(object, "created_by_ref", &v))
        rc = check_reference(v, "created_by_ref", "identity", err);
    if (rc != 0 || !json_get(object, "object_marking_refs", &v))
        return rc;
    struct json_iter it;
    if (json_type(v) != JSON_ARRAY)
        return fault(err, ERR_BAD_TYPE, "object_marking_refs", "a list is wanted");
    it = json_iter(v);
    if (it.at.at >= it.end)
        return fault(err, ERR_BAD_VALUE, "object_marking_refs", "a list must not be empty");
    while (rc == 0 && json_next(&it, &key, &item))
        rc = check_reference(item, "object_marking_refs", "marking-definition", err);
    return rc;
}

static int
check_spec(struct json_value object, enum kind kind, struct stix_checked *out, struct err *err)
{
    struct span text;
    struct json_value v;
    int rc = text_member(object, "spec_version", kind != KIND_SCO, &text, err);

    if (rc == 0 && text.n > 0 && !span_equal(text, SPAN("2.1")))
        rc = fault(err, ERR_BAD_VALUE, "spec_version", "only STIX 2.1 is read here");
    if (rc == 0 && json_get(object, "revoked", &v) && json_type(v) != JSON_TRUE
        && json_type(v) != JSON_FALSE)
        rc = fault(err, ERR_BAD_TYPE, "revoked", "true or false is wanted");
    out->spec = STIX_SPEC_21;
    return rc;
}

/* Does an extension say that the type is its own observable (section 7.3)? */
static bool
is_new_observable(struct json_value object)
{
    struct json_value extensions;
    struct json_value item;
    struct json_value v;
    struct span key;

    if (!json_get(object, "extensions", &extensions) || json_type(extensions) != JSON_OBJECT)
        return false;
    for (struct json_iter it = json_iter(extensions); json_next(&it, &key, &item);)
        if (json_get(item, "extension_type", &v) && json_type(v) == JSON_STRING
            && span_equal(json_string(v), SPAN("new-sco")))
            return true;
    return false;
}

static int
check_names(struct json_value object, struct stix_checked *out, struct err *err)
{
    int rc = text_member(object, "type", true, &out->type, err);
    int rc_id = text_member(object, "id", true, &out->id, rc == 0 ? err : NULL);

    if (rc == 0)
        rc = rc_id;
    if (rc != 0)
        return rc;
    if (!is_type(out->type) || span_equal(out->type, SPAN("bundle")))
        return fault(err, ERR_BAD_NAME, "type", "it is no type of an object");
    if (!stix_check_id(out->id) || out->id.n != out->type.n + 2 + UUID_BYTES
        || !span_starts(out->id, out->type))
        return fault(
            err, ERR_BAD_NAME, "id", "the object's type, two dashes and a UUID are wanted");
    return 0;
}

int
stix_check(struct json_value object, struct stix_checked *out, struct err *err)
{
    enum kind kind = KIND_NEW;

    *out = (struct stix_checked){.spec = STIX_SPEC_21};
    if (json_type(object) != JSON_OBJECT)
        return err_set(err, ERR_BAD_TYPE, "an object is wanted");
    int rc = check_names(object, out, err);
    if (rc == 0)
        rc = json_check_duplicates(object, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < TYPES; i++)
        if (span_equal(out->type, span_of(types[i].type)))
            kind = types[i].kind;
    if (kind == KIND_NEW)
        kind = is_new_observable(object) ? KIND_SCO : KIND_SDO;
    rc = check_spec(object, kind, out, err);
    if (rc == 0)
        rc = check_times(object, kind, out, err);
    return rc == 0 ? check_references(object, err) : rc;
}
