#include "core/check.h"

#include "fmt/json.h"

#include <stdlib.h>

enum { JSON_BYTES = 16 * 1024 * 1024 };

struct check {
    struct json *json;
};

struct check *
check_new(void)
{
    struct check *check = calloc(1, sizeof *check);

    if (check != NULL && (check->json = json_new(JSON_BYTES)) == NULL) {
        free(check);
        return NULL;
    }
    return check;
}

void
check_free(struct check *check)
{
    if (check == NULL)
        return;
    json_free(check->json);
    free(check);
}

static int
check_text(const struct field *field, struct span text, struct err *err)
{
    if (!span_is_utf8(text))
        return err_set_field(
            err, ERR_BAD_UTF8, field->name.p, field->name.n, "the text is not UTF-8");
    return text.n == 0 || memchr(text.p, '\0', text.n) == NULL
        ? 0
        : err_set_field(
            err, ERR_NUL_BYTE, field->name.p, field->name.n, "the text holds a NUL byte");
}

static int
check_json(struct check *check, const struct field *field, struct err *err)
{
    struct json_value root;

    for (uint32_t i = 0; i < field->n; i++)
        if ((unsigned char)field->s[i] < ' ')
            return err_set_field(
                err, ERR_BAD_JSON, field->name.p, field->name.n, "the value is not on one line");
    return json_parse_copy(check->json, (struct span){field->s, field->n}, &root, err);
}

int
check_report(struct check *check, const struct report *report, struct err *err)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < report->count; i++) {
        const struct field *field = &report->fields[i];
        if (field->id == FIELD_OTHER)
            rc = check_text(field, field->name, err);
        if (rc == 0 && (field->type == VALUE_TEXT || field->type == VALUE_JSON))
            rc = check_text(field, (struct span){field->s, field->n}, err);
        if (rc == 0 && field->type == VALUE_JSON)
            rc = check_json(check, field, err);
    }
    return rc;
}
