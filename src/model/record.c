#include "model/record.h"

#include <math.h>

/* A field: its place in tables/fields.def (OTHER: a name follows), its type, its value. A length is
 * one byte, or LONG and four. Whole numbers and floats have eight bytes, truth values one. */
enum { OTHER = 255, LONG = 255, SHORT_MOST = 254, LENGTH_BYTES = 5, HEAD_BYTES = 2 };
_Static_assert((int)FIELD_COUNT < (int)OTHER, "a field's place has one byte");

static inline char *
put(char *at, const void *p, size_t n)
{
    memcpy(at, p, n);
    return at + n;
}

static inline char *
put_length(char *at, uint32_t n)
{
    if (n <= SHORT_MOST) {
        *at = (char)n;
        return at + 1;
    }
    *at++ = (char)LONG;
    return put(at, &n, sizeof n);
}

/* Short texts, and most are, without a call; ROOM bytes may be written at AT. */
static inline char *
put_text(char *at, const char *p, uint32_t n)
{
    at = put_length(at, n);
    if (n > 0 && n <= 16) {
        if (n >= 8) {
            memcpy(at, p, 8);
            memcpy(at + n - 8, p + n - 8, 8);
        } else if (n >= 4) {
            memcpy(at, p, 4);
            memcpy(at + n - 4, p + n - 4, 4);
        } else {
            at[0] = p[0];
            at[n / 2] = p[n / 2];
            at[n - 1] = p[n - 1];
        }
    } else if (n > 0) {
        memcpy(at, p, n);
    }
    return at + n;
}

static inline bool
is_text(uint8_t type)
{
    return type == VALUE_TEXT || type == VALUE_JSON;
}

static char *
put_field(char *at, const struct field *field)
{
    *at++ = (char)(field->id == FIELD_OTHER ? OTHER : field->id);
    *at++ = (char)field->type;
    if (field->id == FIELD_OTHER)
        at = put_text(at, field->name.p, (uint32_t)field->name.n);
    if (is_text(field->type))
        return put_text(at, field->s, field->n);
    if (field->type == VALUE_BOOL) {
        *at = (char)field->b;
        return at + 1;
    }
    return put(at, &field->u, sizeof field->u);
}

static size_t
room_for(const struct report *report)
{
    size_t n = 2 * sizeof(uint32_t);

    for (uint32_t i = 0; i < report->count; i++) {
        const struct field *field = &report->fields[i];
        n += HEAD_BYTES + LENGTH_BYTES + 8;
        if (is_text(field->type))
            n += field->n;
        if (field->id == FIELD_OTHER)
            n += LENGTH_BYTES + field->name.n;
    }
    return n;
}

void
record_add(struct buf *out, const struct report *report)
{
    char *begin = buf_reserve(out, room_for(report));
    uint32_t line = report->line < UINT32_MAX ? (uint32_t)report->line : UINT32_MAX;
    uint32_t length;

    if (begin == NULL)
        return;
    char *at = begin + sizeof length;
    for (uint32_t i = 0; i < report->count; i++)
        at = put_field(at, &report->fields[i]);
    at = put(at, &line, sizeof line);
    length = (uint32_t)(at - begin - (ptrdiff_t)sizeof length);
    memcpy(begin, &length, sizeof length);
    out->n += (size_t)(at - begin);
}

struct span
record_bytes(struct wire_in *in)
{
    uint32_t length;

    if (in->n < sizeof length)
        return (struct span){in->p, 0};
    memcpy(&length, in->p, sizeof length);
    if (length < sizeof(uint32_t) || length > in->n - sizeof length)
        return (struct span){in->p, 0};
    struct span record = {in->p, sizeof length + length};
    in->p += record.n;
    in->n -= record.n;
    return record;
}

/* What is left of one record's fields. */
struct rest {
    const char *p;
    const char *end;
};

static inline bool
take_text(struct rest *rest, const char **text, uint32_t *n)
{
    if (rest->p == rest->end)
        return false;
    *n = (unsigned char)*rest->p++;
    if (*n == LONG) {
        if (rest->end - rest->p < (ptrdiff_t)sizeof *n)
            return false;
        memcpy(n, rest->p, sizeof *n);
        rest->p += sizeof *n;
    }
    if ((size_t)(rest->end - rest->p) < *n)
        return false;
    *text = rest->p;
    rest->p += *n;
    return true;
}

static bool
take_plain(struct rest *rest, struct field *field)
{
    field->u = 0;
    field->n = 0;
    if (field->type == VALUE_BOOL) {
        if (rest->p == rest->end || (unsigned char)*rest->p > 1)
            return false;
        field->b = *rest->p++ != 0;
        return true;
    }
    if (rest->end - rest->p < (ptrdiff_t)sizeof field->u)
        return false;
    memcpy(&field->u, rest->p, sizeof field->u);
    rest->p += sizeof field->u;
    if (field->type == VALUE_FLOAT)
        return isfinite(field->d);
    return field->type != VALUE_UINT || field->u > INT64_MAX;
}

/* 1: taken; 0: these bytes are no field; an error: the report cannot have it. */
static inline int
take_field(struct rest *rest, struct report *report, struct err *err)
{
    struct field failed = {0};
    struct span name = {"", 0};
    uint32_t n = 0;

    if (rest->end - rest->p < HEAD_BYTES)
        return 0;
    unsigned id = (unsigned char)rest->p[0];
    uint8_t type = (uint8_t)rest->p[1];
    rest->p += HEAD_BYTES;
    if ((id >= FIELD_COUNT && id != OTHER) || type > VALUE_JSON)
        return 0;
    if (id == OTHER && !take_text(rest, &name.p, &n))
        return 0;
    name.n = n;
    enum field_id known = id == OTHER ? FIELD_OTHER : (enum field_id)id;
    struct field *field = report_next(report, known, name);
    if (field == NULL) {
        failed.id = (uint16_t)known;
        failed.name = known == FIELD_OTHER ? name : field_rows[known].name;
        return report_add_failed(report, &failed, err);
    }
    field->type = type;
    if (is_text(type))
        return take_text(rest, &field->s, &field->n);
    return take_plain(rest, field);
}

int
record_next(
    struct wire_in *in, struct report *report, struct field *fields, uint32_t room, struct err *err)
{
    struct span record = record_bytes(in);
    uint32_t line;
    int rc = 1;

    if (record.n == 0) {
        in->bad = true;
        return err_set(err, ERR_INTERNAL, "what should be a record is none");
    }
    report_reset(report, fields, room);
    struct rest rest = {record.p + sizeof line, record.p + record.n - sizeof line};
    memcpy(&line, rest.end, sizeof line);
    report->line = line;
    while (rc == 1 && rest.p != rest.end)
        rc = take_field(&rest, report, err);
    if (rc == 0) {
        in->bad = true;
        return err_set(err, ERR_INTERNAL, "a record has a field that is none");
    }
    return rc == 1 ? report_finish(report, err) : rc;
}
