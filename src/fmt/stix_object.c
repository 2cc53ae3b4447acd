#include "fmt/stix_object.h"
#include "fmt/stix_id.h"

#include "fmt/stix_map.h"
#include "fmt/stix_words.h"
#include "model/path.h"

struct span
stix_object_text(struct json_value object, const char *name)
{
    struct json_value v;

    if (!json_get(object, name, &v) || json_type(v) != JSON_STRING)
        return (struct span){NULL, 0};
    return json_string(v);
}

bool
stix_object_revoked(struct json_value object)
{
    struct json_value v;

    return json_get(object, "revoked", &v) && json_type(v) != JSON_FALSE;
}

static bool
own_extension(struct json_value object, struct json_value *out)
{
    struct json_value extensions;

    return json_get(object, "extensions", &extensions)
        && json_get(extensions, STIX_COMITY_EXTENSION, out) && json_type(*out) == JSON_OBJECT;
}

bool
stix_object_is_ours(struct json_value object)
{
    struct json_value v;

    return own_extension(object, &v);
}

static bool
is_one_of(struct span name, const char *words)
{
    struct span rest = span_of(words);
    struct span word;

    while (span_next(&rest, ' ', &word))
        if (span_equal(word, name))
            return true;
    return false;
}

/* Members without a place of their own. */
static int
add_rest(struct report *report, struct arena *scratch, struct json_value object, const char *known,
    struct err *err)
{
    struct json_value v;
    struct span key;
    bool ours = stix_object_is_ours(object);
    int rc = 0;

    for (struct json_iter it = json_iter(object); rc == 0 && json_next(&it, &key, &v);) {
        if (is_one_of(key,
                "type spec_version created modified object_marking_refs granular_markings revoked")
            || is_one_of(key, known) || (ours && is_one_of(key, "id extensions created_by_ref")))
            continue;
        struct span name =
            stix_map_name(scratch, is_one_of(key, "id") ? "extra.stix_" : "extra.", key);
        if (name.n == 0)
            return arena_full(err, "an object's members");
        rc = stix_map_value(report, scratch, name, v, err);
    }
    return rc;
}

/* A label is a classification's type, or a machine tag whose value is one: rsit:fraud="phishing".
 */
static enum classification
label_class(struct span label)
{
    const char *open = label.n == 0 ? NULL : memchr(label.p, '"', label.n);

    if (open != NULL && span_ends(label, SPAN("\"")) && open + 1 < label.p + label.n)
        label = (struct span){open + 1, (size_t)(label.p + label.n - 1 - (open + 1))};
    return classification_find(label);
}

static int
add_class(struct report *report, struct json_value object, const char *member, struct err *err)
{
    struct json_value list;
    struct json_value item;
    struct span key;

    if (report_get(report, FIELD_CLASSIFICATION_TYPE) != NULL || !json_get(object, member, &list)
        || json_type(list) != JSON_ARRAY)
        return 0;
    for (struct json_iter it = json_iter(list); json_next(&it, &key, &item);) {
        enum classification c = json_type(item) == JSON_STRING ? label_class(json_string(item))
                                                               : CLASSIFICATION_UNKNOWN;
        if (c == CLASSIFICATION_UNKNOWN)
            continue;
        int rc = stix_map_text(
            report, FIELD_CLASSIFICATION_TAXONOMY, span_of(classification_taxonomy(c)), err);
        return rc != 0 ? rc
                       : stix_map_text(
                           report, FIELD_CLASSIFICATION_TYPE, span_of(classification_type(c)), err);
    }
    return 0;
}

/* "fields": [{"name": "source.asn", "value": 64496}, ...] */
static int
extension_fields(
    struct report *report, struct arena *scratch, struct json_value list, struct err *err)
{
    struct json_value item;
    struct json_value value;
    struct span key;
    int rc = 0;

    if (json_type(list) != JSON_ARRAY)
        return err_set_field(
            err, ERR_BAD_TYPE, "fields", 6, "the extension's fields must be an array");
    for (struct json_iter it = json_iter(list); rc == 0 && json_next(&it, &key, &item);) {
        struct span name = stix_object_text(item, "name");
        if (name.n == 0 || !json_get(item, "value", &value))
            return err_set_field(err, ERR_MISSING_FIELD, "fields", 6,
                "each of the extension's fields must have a name and a value");
        rc = stix_map_value(report, scratch, name, value, err);
    }
    return rc;
}

static int
add_extension(
    struct report *report, struct arena *scratch, struct json_value extension, struct err *err)
{
    struct json_value v;
    int rc = 0;

    if (json_get(extension, "classification", &v)) {
        rc = stix_map_text(
            report, FIELD_CLASSIFICATION_TAXONOMY, stix_object_text(v, "taxonomy"), err);
        if (rc == 0)
            rc = stix_map_text(report, FIELD_CLASSIFICATION_TYPE, stix_object_text(v, "type"), err);
        if (rc == 0)
            rc = stix_map_text(
                report, FIELD_CLASSIFICATION_IDENTIFIER, stix_object_text(v, "identifier"), err);
    }
    if (rc == 0)
        rc = stix_map_text(
            report, FIELD_FEED_PROVIDER, stix_object_text(extension, "provider"), err);
    if (rc == 0 && json_get(extension, "path", &v))
        rc = stix_map_value(report, scratch, SPAN(REPORT_PATH_NAME), v, err);
    if (rc == 0 && json_get(extension, "corrects", &v))
        rc = stix_map_value(report, scratch, SPAN(REPORT_CORRECTS_NAME), v, err);
    if (rc == 0 && json_get(extension, "fields", &v))
        rc = extension_fields(report, scratch, v, err);
    return rc;
}

/* STIX requires first_observed; the extension says when it is not time.source. */
static bool
is_source_time(struct json_value extension)
{
    struct span word = stix_object_text(extension, "time");

    return word.n == 0 || span_equal(word, SPAN("source"));
}

static int
add_times(struct report *report, struct json_value object, struct err *err)
{
    struct span first = stix_object_text(object, "first_observed");
    struct span last = stix_object_text(object, "last_observed");
    struct field field = {.id = FIELD_OTHER,
        .type = VALUE_TEXT,
        .class = FIELD_CLASS_TIME,
        .name = SPAN("extra.last_observed"),
        .s = last.p,
        .n = (uint32_t)last.n};
    int rc = stix_map_text(report, FIELD_TIME_SOURCE, first, err);

    return rc == 0 && last.n > 0 && !span_equal(first, last) ? report_add(report, &field, err) : rc;
}

static int
add_count(struct report *report, struct json_value object, struct err *err)
{
    struct json_value v;
    struct field field = {.id = FIELD_OTHER,
        .type = VALUE_INT,
        .class = FIELD_CLASS_TEXT,
        .name = SPAN("extra.number_observed")};

    if (!json_get(object, "number_observed", &v) || json_type(v) != JSON_INT || json_int(v) == 1)
        return 0;
    field.i = json_int(v);
    return report_add(report, &field, err);
}

/* Ids that nodes give are of version 8 (RFC 9562), and 4 in STIX, which knows no later one; those
 * that follow from the content are of version 5. */
static int
add_id(struct report *report, struct arena *scratch, struct json_value object, struct err *err)
{
    struct span id = stix_object_text(object, "id");
    struct field field = {
        .id = FIELD_OTHER, .class = FIELD_CLASS_TEXT, .name = SPAN(REPORT_ID_NAME)};
    const char *uuid = id.n < STIX_UUID_BYTES ? NULL : id.p + id.n - STIX_UUID_BYTES;

    if (uuid == NULL || (uuid[STIX_UUID_VERSION_AT] != '4' && uuid[STIX_UUID_VERSION_AT] != '8'))
        return 0;
    char *copy = arena_copy(scratch, uuid, STIX_UUID_BYTES);
    if (copy == NULL)
        return arena_full(err, "a report's id");
    copy[STIX_UUID_VERSION_AT] = '8';
    field.s = copy;
    field.n = STIX_UUID_BYTES;
    return report_add(report, &field, err);
}

int
stix_object_observed(
    struct report *report, struct arena *scratch, struct json_value object, struct err *err)
{
    struct json_value extension;
    bool ours = own_extension(object, &extension);
    int rc = ours ? add_extension(report, scratch, extension, err) : 0;

    if (rc == 0 && !(ours && !is_source_time(extension)))
        rc = add_times(report, object, err);
    if (rc == 0)
        rc = add_count(report, object, err);
    if (rc == 0 && ours)
        rc = add_id(report, scratch, object, err);
    if (rc == 0 && !ours)
        rc = add_class(report, object, "labels", err);
    return rc != 0
        ? rc
        : add_rest(report, scratch, object,
            ours ? "first_observed last_observed number_observed object_refs objects content"
                 : "first_observed last_observed number_observed object_refs objects",
            err);
}

int
stix_object_indicator(
    struct report *report, struct arena *scratch, struct json_value object, struct err *err)
{
    int rc = stix_map_text(report, FIELD_TIME_SOURCE, stix_object_text(object, "valid_from"), err);

    if (rc == 0)
        rc = stix_map_text(report, FIELD_EVENT_TEXT, stix_object_text(object, "description"), err);
    if (rc == 0)
        rc = add_class(report, object, "labels", err);
    if (rc == 0)
        rc = add_class(report, object, "indicator_types", err);
    return rc != 0 ? rc
                   : add_rest(report, scratch, object,
                       "pattern pattern_type pattern_version valid_from description", err);
}
