/* redactions.c: what does Comity leave of these reports? One JSON object an input, one line each.
 * A case: {"report", "treatment", "recipient", "agreement", "secret"}; the answer: the report as it
 * was read, and what is left of it. Or {"rejected": field}. See redaction.py. */
#include "flow/pseudonym.h"
#include "flow/redact.h"
#include "fmt/json.h"
#include "fmt/render.h"

#include <stdio.h>
#include <stdlib.h>

enum { CASE_BYTES_MAX = 8 << 20, ARENA_BYTES = 64 << 20, LIST_BYTES_MAX = 1 << 20 };

static _Noreturn void
stop(const char *what)
{
    (void)fprintf(stderr, "redactions: %s\n", what);
    exit(2);
}

static struct json_value
member(struct json_value v, const char *key)
{
    struct json_value out;

    if (!json_get(v, key, &out))
        stop(key);
    return out;
}

static struct span
json_text(struct arena *arena, struct json_value v)
{
    struct buf text = buf_new(CASE_BYTES_MAX);
    struct span out;

    json_add_value(&text, v);
    out = (struct span){arena_copy(arena, text.p, text.n), text.n};
    buf_free(&text);
    return out;
}

static void
set_value(struct arena *arena, struct json_value v, struct field *field)
{
    struct span text = SPAN("");

    switch (json_type(v)) {
    case JSON_STRING:
        field->type = VALUE_TEXT;
        text = json_string(v);
        break;
    case JSON_INT:
        field->type = VALUE_INT;
        field->i = json_int(v);
        return;
    case JSON_UINT:
        field->type = VALUE_UINT;
        field->u = json_uint(v);
        return;
    case JSON_FLOAT:
        field->type = VALUE_FLOAT;
        field->d = json_float(v);
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        field->type = VALUE_BOOL;
        field->b = json_type(v) == JSON_TRUE;
        return;
    default:
        field->type = VALUE_JSON;
        text = json_text(arena, v);
    }
    field->s = text.p;
    field->n = (uint32_t)text.n;
}

static int
read_report(struct arena *arena, struct json_value v, struct report *report, struct err *err)
{
    struct json_value item;
    struct span name;

    report_reset(
        report, arena_zalloc(arena, REPORT_FIELDS_MAX, sizeof(struct field)), REPORT_FIELDS_MAX);
    for (struct json_iter it = json_iter(v); json_next(&it, &name, &item);) {
        struct field field = {.id = (uint16_t)field_find(name),
            .class = FIELD_CLASS_TEXT,
            .name = {arena_copy(arena, name.p, name.n), name.n}};
        int rc;
        set_value(arena, item, &field);
        rc = report_add(report, &field, err);
        if (rc != 0)
            return rc;
    }
    return report_finish(report, err);
}

static struct verdict
read_verdict(struct json_value v)
{
    struct verdict verdict = {.effect = EFFECT_RELEASE, .reason = REASON_CLAUSE};

    for (int class = 0; class < FIELD_CLASS_COUNT; class ++) {
        struct span word = json_string(member(v, field_class_word((enum field_class) class)));
        for (int t = TREATMENT_KEEP; t <= TREATMENT_REMOVE; t++)
            if (span_equal(word, span_of(treatment_word((enum treatment)t))))
                verdict_set_treatment(&verdict, (enum field_class) class, (enum treatment)t);
    }
    return verdict;
}

static bool
read_secret(struct json_value v, uint8_t secret[32])
{
    struct span hex = json_type(v) == JSON_STRING ? json_string(v) : SPAN("");

    for (size_t i = 0; i < 32 && hex.n == 64; i++) {
        char two[3] = {hex.p[2 * i], hex.p[2 * i + 1], 0};
        secret[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return hex.n == 64;
}

static void
print_left(const struct report *report, const struct redacted *redacted)
{
    struct buf out = buf_new(CASE_BYTES_MAX);

    buf_add_text(&out, "{\"read\":{");
    for (uint32_t i = 0; i < report->count; i++) {
        buf_add_text(&out, i > 0 ? "," : "");
        render_field(&out, &report->fields[i]);
    }
    buf_add_text(&out, "},\"left\":{");
    for (size_t i = 0; i < redacted_count(redacted); i++) {
        buf_add_text(&out, i > 0 ? "," : "");
        render_field(&out, redacted_field(redacted, i));
    }
    buf_add_text(&out, "}}");
    (void)printf("%.*s\n", (int)out.n, out.p);
    buf_free(&out);
}

static void
run_case(struct arena *arena, const struct extra_fields *extras, struct json_value root)
{
    const struct redacted *redacted = NULL;
    struct pseudonyms *pseudonyms = NULL;
    struct redact_means means = {.extras = extras, .key = NULL};
    struct verdict verdict = read_verdict(member(root, "treatment"));
    struct report report;
    struct err err;
    uint8_t secret[32];

    if (read_report(arena, member(root, "report"), &report, &err) != 0) {
        (void)printf("{\"rejected\":\"%s\"}\n", err.field);
        return;
    }
    if (read_secret(member(root, "secret"), secret)) {
        pseudonyms = pseudonyms_new(secret);
        if (pseudonyms != NULL)
            means.key = pseudonyms_key(pseudonyms, json_string(member(root, "agreement")),
                json_string(member(root, "recipient")));
        if (means.key == NULL)
            stop("no key");
    }
    if (redact(arena, &means, &report, &verdict, TLP_GREEN, &redacted, &err) != 0)
        stop(err.msg);
    print_left(&report, redacted);
    pseudonyms_free(pseudonyms);
}

static struct extra_fields *
read_extras(const char *path)
{
    static char text[LIST_BYTES_MAX];
    struct extra_fields *extras = NULL;
    struct err err;
    FILE *f = fopen(path, "r");
    size_t n = f == NULL ? 0 : fread(text, 1, sizeof text, f);

    if (f == NULL || extra_fields_parse((struct span){text, n}, path, &extras, &err) != 0)
        stop("the list of extra fields cannot be read");
    (void)fclose(f);
    return extras;
}

int
main(int argc, char **argv)
{
    struct json *json = json_new(CASE_BYTES_MAX);
    struct arena *arena = arena_new(ARENA_BYTES);
    struct extra_fields *extras = argc == 2 ? read_extras(argv[1]) : NULL;
    struct json_value root;
    struct err err;
    char *line = NULL;
    size_t size = 0;
    ssize_t n;

    if (json == NULL || arena == NULL || extras == NULL)
        stop("usage: oracle-redactions EXTRA-FIELDS.csv");
    while ((n = getline(&line, &size, stdin)) > 0) {
        arena_reset(arena);
        if (json_parse_copy(json, (struct span){line, (size_t)n}, &root, &err) != 0)
            stop(err.msg);
        run_case(arena, extras, root);
    }
    free(line);
    extra_fields_free(extras);
    arena_free(arena);
    json_free(json);
    return 0;
}
