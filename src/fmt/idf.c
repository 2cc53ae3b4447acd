/* The IntelMQ data format: one JSON object a report, as JSON lines or in one array. Names are
 * flat ("source.ip") or nested ({"source": {"ip": ...}}); both mean the same.
 *
 * Two things make it fast. Records of one feed have the same keys in the same order, so a key is
 * first compared with the one that stood in its place in the record before. And reports
 * are handed on a few records late, so that the memory which `prepare` asked for has arrived. */
#include "fmt/flat.h"
#include "fmt/json.h"
#include "fmt/late.h"
#include "fmt/stix_split.h"

#include <stdlib.h>

enum { SHAPE_KEYS = 64, SHAPE_KEY_BYTES = 40 };

/* The key that stood in this place of the record before. */
struct known_key {
    uint16_t n;
    uint16_t id;
    char text[SHAPE_KEY_BYTES];
};

struct idf {
    const struct reader_options *options;
    const struct reader_sink *sink;
    struct late late;
    struct json *json[LATE_REPORTS]; /* a record's parser owns the strings that it borrows */
    struct json *tokens;             /* flat records borrow from the input's line */
    struct known_key shape[SHAPE_KEYS];
};

static int add_object(
    struct late_slot *slot, struct json_value object, struct span prefix, struct err *err);

static int
join(struct late_slot *slot, struct span prefix, struct span key, struct span *out, struct err *err)
{
    char *name = arena_alloc(slot->scratch, prefix.n + 1 + key.n);

    if (name == NULL)
        return arena_full(err, "a record's nested names");
    memcpy(name, prefix.p, prefix.n);
    name[prefix.n] = '.';
    if (key.n > 0)
        memcpy(name + prefix.n + 1, key.p, key.n);
    *out = (struct span){name, prefix.n + 1 + key.n};
    return 0;
}

/* Arrays and nulls are carried as JSON text. */
static int
add_json(struct late_slot *slot, struct field *field, struct json_value value, struct err *err)
{
    struct buf text = buf_new(INPUT_LINE_MAX);
    int rc = json_check_duplicates(value, err);

    json_add_value(&text, value);
    if (rc == 0)
        rc = buf_check(&text, "a nested value", err);
    field->type = VALUE_JSON;
    field->n = (uint32_t)text.n;
    field->s = rc == 0 ? arena_copy(slot->scratch, text.p, text.n) : NULL;
    buf_free(&text);
    if (rc == 0 && field->s == NULL)
        rc = arena_full(err, "a record's nested values");
    return rc == 0 ? report_add(&slot->report, field, err) : rc;
}

/* What is no string and no 64-bit integer. */
static int
add_rare(struct late_slot *slot, struct span name, enum field_id id, struct json_value value,
    struct err *err)
{
    struct field field = {.id = (uint16_t)id, .class = FIELD_CLASS_TEXT, .name = name};

    switch (json_type(value)) {
    case JSON_UINT:
        field.type = VALUE_UINT;
        field.u = json_uint(value);
        return report_add(&slot->report, &field, err);
    case JSON_FLOAT:
        field.type = VALUE_FLOAT;
        field.d = json_float(value);
        return report_add(&slot->report, &field, err);
    case JSON_TRUE:
    case JSON_FALSE:
        field.type = VALUE_BOOL;
        field.b = json_type(value) == JSON_TRUE;
        return report_add(&slot->report, &field, err);
    case JSON_OBJECT:
        return add_object(slot, value, name, err);
    case JSON_NULL:
        /* A known field that is null is absent. */
        return id != FIELD_OTHER ? 0 : add_json(slot, &field, value, err);
    default:
        return add_json(slot, &field, value, err);
    }
}

static int
refused(struct late_slot *slot, struct span name, enum field_id id, struct err *err)
{
    const struct field field = {.id = (uint16_t)id, .name = name};

    return report_add_failed(&slot->report, &field, err);
}

static inline int
add_value(struct late_slot *slot, struct span name, enum field_id id, struct json_value value,
    struct err *err)
{
    enum json_type type = json_type(value);
    struct field *field;

    if (type != JSON_STRING && type != JSON_INT)
        return add_rare(slot, name, id, value, err);
    field = report_next(&slot->report, id, name);
    if (field == NULL)
        return refused(slot, name, id, err);
    if (type == JSON_STRING) {
        struct span text = json_string(value);
        field->type = VALUE_TEXT;
        field->s = text.p;
        field->n = (uint32_t)text.n;
    } else {
        field->type = VALUE_INT;
        field->i = json_int(value);
        field->n = 0;
    }
    return 0;
}

/* A nested object: its members' names are joined with its own. */
static int
add_object(struct late_slot *slot, struct json_value object, struct span prefix, struct err *err)
{
    struct json_value value;
    struct span key;
    struct span name;
    int rc = 0;

    for (struct json_iter it = json_iter(object); rc == 0 && json_next(&it, &key, &value);) {
        rc = join(slot, prefix, key, &name, err);
        if (rc == 0)
            rc = add_value(slot, name, field_find(name), value, err);
    }
    return rc;
}

static inline enum field_id
find_key(struct idf *idf, size_t place, struct span key)
{
    if (place >= SHAPE_KEYS || key.n > SHAPE_KEY_BYTES || key.n == 0)
        return field_find(key);
    struct known_key *known = &idf->shape[place];
    if (span_still((struct span){known->text, known->n}, key))
        return (enum field_id)known->id;
    known->n = (uint16_t)key.n;
    memcpy(known->text, key.p, key.n);
    known->id = (uint16_t)field_find(key);
    return (enum field_id)known->id;
}

/* IntelMQ's own marker of the class. */
static bool
is_marker(enum field_id id, struct span key)
{
    return id == FIELD_OTHER && span_equal(key, SPAN("__type"));
}

static int
add_record(struct idf *idf, struct late_slot *slot, struct json_value root, struct err *err)
{
    struct json_value value;
    struct span key;
    size_t place = 0;

    for (struct json_iter it = json_iter(root); json_next(&it, &key, &value); place++) {
        enum field_id id = find_key(idf, place, key);
        if (is_marker(id, key))
            continue;
        int rc = add_value(slot, key, id, value, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static bool
add_flat_member(struct late_slot *slot, struct span name, enum field_id id, struct span value)
{
    struct field *field = report_next(&slot->report, id, name);
    struct span text;

    if (field == NULL)
        return false;
    if (flat_text(value, &text)) {
        field->type = VALUE_TEXT;
        field->s = text.p;
        field->n = (uint32_t)text.n;
        return true;
    }
    field->type = VALUE_INT;
    field->n = 0;
    return flat_int(value, &field->i);
}

/* The record without a tape, if it is flat. False: take it in another way, from the beginning. */
static bool
add_flat(struct idf *idf, struct late_slot *slot, struct span text)
{
    struct flat flat;
    struct flat_member member;
    enum flat_answer answer;
    size_t place = 0;

    if (!flat_begin(idf->tokens, text, &flat))
        return false;
    while ((answer = flat_next(&flat, &member)) == FLAT_MEMBER) {
        enum field_id id = find_key(idf, place++, member.key);
        if (!is_marker(id, member.key) && !add_flat_member(slot, member.key, id, member.value))
            return false;
    }
    return answer == FLAT_END;
}

/* STAYS: the text, until the report has been handed on. */
static int
parse_record(struct idf *idf, struct late_slot *slot, struct span text, bool stays, struct err *why)
{
    struct json_value root;
    const char *provider = idf->options->provider;
    int rc = 0;

    if (!stays || !add_flat(idf, slot, text)) {
        report_reset(&slot->report, slot->report.fields, REPORT_FIELDS_MAX);
        rc = json_parse(idf->json[late_place(&idf->late)], text, &root, why);
        if (rc == 0)
            rc = json_type(root) == JSON_OBJECT
                ? add_record(idf, slot, root, why)
                : err_set(why, ERR_BAD_TYPE, "a record must be a JSON object");
    }
    if (rc == 0 && provider != NULL && slot->report.at[FIELD_FEED_PROVIDER] == 0)
        rc = report_add_text(&slot->report, FIELD_FEED_PROVIDER, span_of(provider), why);
    return rc;
}

static int
one_record(struct idf *idf, struct span text, bool stays, uint64_t line, struct err *err)
{
    struct late_slot *slot = late_begin(&idf->late, line);
    struct err why;

    why.code = ERR_OK;
    why.field[0] = '\0';
    int rc = parse_record(idf, slot, text, stays, &why);
    slot->report.line = line;
    return late_end(&idf->late, rc, &why, text, err);
}

static int
read_lines(struct idf *idf, struct input *input, struct err *err)
{
    struct span line;
    uint64_t number = 0;
    struct err why = {0};

    for (;;) {
        int rc = input_line_ready(input) ? 0 : late_flush(&idf->late, err);
        if (rc != 0)
            return rc;
        rc = input_line(input, &line, &number, &why);
        if (rc == 0)
            return 0;
        if (rc == ERR_LIMIT) {
            why.line = number;
            rc = idf->sink->reject(idf->sink->ctx, &why, (struct span){NULL, 0}, err);
        } else if (rc < 0) {
            *err = why;
        } else if (line.n > 0 && span_trim(line).n > 0) {
            rc = one_record(idf, line, true, number, err);
        }
        if (rc < 0)
            return rc;
    }
}

static int
array_item(void *ctx, struct span text, uint64_t number, struct err *err)
{
    return one_record(ctx, text, false, number, err);
}

static int
array_bad(void *ctx, const struct err *why, struct span head, uint64_t number, struct err *err)
{
    struct idf *idf = ctx;
    struct err told = *why;
    int rc = late_flush(&idf->late, err);

    told.line = number;
    return rc != 0 ? rc : idf->sink->reject(idf->sink->ctx, &told, head, err);
}

static int
read_all(struct idf *idf, struct input *input, struct err *err)
{
    const struct stix_split_sink items = {.ctx = idf, .object = array_item, .bad = array_bad};
    struct span head = {NULL, 0};
    int rc = input_peek(input, &head, err);

    if (rc != 0)
        return rc;
    head = span_trim(head);
    rc = head.n > 0 && head.p[0] == '[' ? stix_split(input, &items, err)
                                        : read_lines(idf, input, err);
    /* What waits was read well, also if the input then failed. */
    int late = late_flush(&idf->late, rc == 0 ? err : NULL);
    return rc != 0 ? rc : late;
}

static int
open_parsers(struct idf *idf, struct err *err)
{
    bool good = (idf->tokens = json_new(FLAT_BYTES_MAX)) != NULL;

    for (unsigned i = 0; i < LATE_REPORTS; i++)
        good = (idf->json[i] = json_new(INPUT_LINE_MAX)) != NULL && good;
    return good ? 0 : err_set(err, ERR_NO_MEMORY, "no memory to read reports");
}

int
idf_read(struct input *input, const struct reader_options *options, const struct reader_sink *sink,
    struct err *err)
{
    struct idf *idf = calloc(1, sizeof *idf);
    int rc;

    if (idf == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to read %s", input_name(input));
    idf->options = options;
    idf->sink = sink;
    rc = late_open(&idf->late, sink, err);
    if (rc == 0)
        rc = open_parsers(idf, err);
    if (rc == 0)
        rc = read_all(idf, input, err);
    for (unsigned i = 0; i < LATE_REPORTS; i++)
        json_free(idf->json[i]);
    json_free(idf->tokens);
    late_close(&idf->late);
    free(idf);
    return rc;
}

bool
idf_recognise(struct span head, struct span name, const struct reader_options *options)
{
    (void)name;
    (void)options;
    head = span_trim(head);
    return head.n >= 2 && (head.p[0] == '{' || head.p[0] == '[');
}
