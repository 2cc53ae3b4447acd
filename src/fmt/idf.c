/* The IntelMQ data format: one JSON object a report, as JSON lines or in one array. Names are
 * flat ("source.ip") or nested ({"source": {"ip": ...}}); both mean the same. */
#include "fmt/json.h"
#include "fmt/reader.h"

#include <stdlib.h>

enum { SCRATCH_BYTES = 16 * 1024 * 1024 };

struct idf {
    const struct reader_options *options;
    const struct reader_sink *sink;
    struct json *json;
    struct arena *scratch; /* joined names and nested values of one record */
    struct field *fields;
    struct report report;
};

static int add_object(
    struct idf *idf, struct json_value object, struct span prefix, struct err *err);

static int
join(struct idf *idf, struct span prefix, struct span key, struct span *out, struct err *err)
{
    char *name = arena_alloc(idf->scratch, prefix.n + 1 + key.n);

    if (name == NULL)
        return arena_full(err, "a record's nested names");
    memcpy(name, prefix.p, prefix.n);
    name[prefix.n] = '.';
    if (key.n > 0)
        memcpy(name + prefix.n + 1, key.p, key.n);
    *out = (struct span){ name, prefix.n + 1 + key.n };
    return 0;
}

/* Arrays and nulls are carried as JSON text. */
static int
add_json(struct idf *idf, struct field *field, struct json_value value, struct err *err)
{
    struct buf text = buf_new(INPUT_LINE_MAX);
    int rc = json_check_duplicates(value, err);

    json_add_value(&text, value);
    if (rc == 0)
        rc = buf_check(&text, "a nested value", err);
    field->type = VALUE_JSON;
    field->n = (uint32_t)text.n;
    field->s = rc == 0 ? arena_copy(idf->scratch, text.p, text.n) : NULL;
    buf_free(&text);
    if (rc == 0 && field->s == NULL)
        rc = arena_full(err, "a record's nested values");
    return rc == 0 ? report_add(&idf->report, field, err) : rc;
}

static int
add_value(struct idf *idf, struct span name, struct json_value value, struct err *err)
{
    struct field field = {
        .id = (uint16_t)field_find(name), .class = FIELD_CLASS_TEXT, .name = name
    };

    switch (json_type(value)) {
    case JSON_STRING: {
        struct span text = json_string(value);
        field.type = VALUE_TEXT;
        field.s = text.p;
        field.n = (uint32_t)text.n;
        break;
    }
    case JSON_INT:
        field.type = VALUE_INT;
        field.i = json_int(value);
        break;
    case JSON_UINT:
        field.type = VALUE_UINT;
        field.u = json_uint(value);
        break;
    case JSON_FLOAT:
        field.type = VALUE_FLOAT;
        field.d = json_float(value);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        field.type = VALUE_BOOL;
        field.b = json_type(value) == JSON_TRUE;
        break;
    case JSON_OBJECT:
        return add_object(idf, value, name, err);
    case JSON_NULL:
        if (field.id != FIELD_OTHER)
            return 0; /* a known field that is null is absent */
        return add_json(idf, &field, value, err);
    case JSON_ARRAY:
        return add_json(idf, &field, value, err);
    }
    return report_add(&idf->report, &field, err);
}

static int
add_object(struct idf *idf, struct json_value object, struct span prefix, struct err *err)
{
    struct json_value value;
    struct span key;
    int rc = 0;

    for (struct json_iter it = json_iter(object); rc == 0 && json_next(&it, &key, &value);) {
        struct span name = key;
        if (prefix.n > 0)
            rc = join(idf, prefix, key, &name, err);
        else if (span_equal(key, SPAN("__type")))
            continue; /* IntelMQ's own marker of the class */
        if (rc == 0)
            rc = add_value(idf, name, value, err);
    }
    return rc;
}

/* Members of arrays are carried whole, so only there can nested duplicates hide. */
static int
read_record(struct idf *idf, struct span text, struct err *why)
{
    struct json_value root;
    int rc = json_parse(idf->json, text, &root, why);

    if (rc != 0)
        return rc;
    if (json_type(root) != JSON_OBJECT)
        return err_set(why, ERR_BAD_TYPE, "a record must be a JSON object");
    rc = add_object(idf, root, (struct span){ NULL, 0 }, why);
    if (rc == 0 && idf->options->provider != NULL && idf->report.at[FIELD_FEED_PROVIDER] == 0)
        rc = report_add_text(
            &idf->report, FIELD_FEED_PROVIDER, span_of(idf->options->provider), why);
    return rc;
}

static int
one_record(struct idf *idf, struct span text, uint64_t line, struct err *err)
{
    struct err why = { 0 };

    report_reset(&idf->report, idf->fields, REPORT_FIELDS_MAX);
    arena_reset(idf->scratch);
    idf->report.line = line;
    int rc = read_record(idf, text, &why);
    return reader_end_record(idf->sink, &idf->report, rc, &why, text, err);
}

static int
read_lines(struct idf *idf, struct input *input, struct err *err)
{
    struct span line;
    uint64_t number = 0;

    for (;;) {
        struct err why = { 0 };
        int rc = input_line(input, &line, &number, &why);
        if (rc == 0)
            return 0;
        if (rc == ERR_LIMIT) {
            why.line = number;
            rc = idf->sink->reject(idf->sink->ctx, &why, (struct span){ NULL, 0 }, err);
        } else if (rc < 0) {
            *err = why;
        } else if (span_trim(line).n > 0) {
            rc = one_record(idf, line, number, err);
        } else {
            continue;
        }
        if (rc != 0)
            return rc;
    }
}

int
idf_read(struct input *input, const struct reader_options *options, const struct reader_sink *sink,
    struct err *err)
{
    struct idf idf = { .options = options, .sink = sink };
    int rc;

    idf.json = json_new(INPUT_LINE_MAX);
    idf.scratch = arena_new(SCRATCH_BYTES);
    idf.fields = calloc(REPORT_FIELDS_MAX, sizeof *idf.fields);
    if (idf.json == NULL || idf.scratch == NULL || idf.fields == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory to read %s", input_name(input));
    else
        rc = read_lines(&idf, input, err);
    json_free(idf.json);
    arena_free(idf.scratch);
    free(idf.fields);
    return rc;
}

bool
idf_recognise(struct span head, struct span name, const struct reader_options *options)
{
    (void)name;
    (void)options;
    head = span_trim(head);
    if (head.n < 2 || (head.p[0] != '{' && head.p[0] != '['))
        return false;
    return true;
}
