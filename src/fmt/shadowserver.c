/* Shadowserver's report files: CSV with a header, one type of report a file. What a column means
 * is said by the schema (shadowschema.h), what becomes of a cell by shadowvalue.h; here rows are
 * read and put together. Columns that no rule names, and cells that do not fit their field, are
 * kept as extra.COLUMN. */
#include "fmt/csv.h"
#include "fmt/late.h"
#include "fmt/shadowmemory.h"
#include "fmt/shadowschema.h"
#include "fmt/shadowvalue.h"

#include <stdlib.h>

/* Reports of some years escape quotes with a backslash and double them as well. */
static const struct csv_form form = {.separator = ',', .lenient = true};

enum { NAMES_BYTES = 16 * 1024 * 1024, COLUMNS_MAX = 512 };

/* One rule bound to this file's header. */
struct step {
    struct field field;
    uint32_t column;
    uint8_t conversion;
    bool empty; /* runs on an empty cell, too */
    bool required;
    bool mute;  /* a constant of the type stands in this field anyway */
    bool again; /* an earlier step has the same target */
    bool alone; /* its conversion looks at no other cell */
    bool fits;  /* what it makes is in the field's form already */
    struct shadowmemory memory;
};

struct column {
    struct span name;  /* as the header has it */
    struct span extra; /* extra.NAME */
    bool ruled;        /* some rule reads it */
};

struct shadow {
    const struct reader_options *options;
    struct csv *csv;
    struct shadowschema *schema;
    const struct shadow_type *type;
    struct arena *names; /* lives as long as the file */
    struct late late;
    struct arena *scratch; /* this record's */
    struct column *columns;
    uint32_t column_count;
    struct step *steps;
    uint32_t step_count;
    struct field *constants;
    uint32_t constant_count;
    struct shadowmemory_part constants_part;
    bool names_differ;             /* no two fields of a row can have the same name */
    struct shadowmemory_part part; /* of all fields of this record so far */
    uint8_t *left;                 /* a column: its cell is still to be kept as it is */
    struct shadowvalue_row row;
    struct report *report; /* this record's */
};

static int32_t
column_find(const struct shadow *shadow, struct span name)
{
    for (uint32_t i = 0; i < shadow->column_count; i++)
        if (span_equal(shadow->columns[i].name, name))
            return (int32_t)i;
    return -1;
}

/* Field names are of lower-case letters, digits, '_' and '.'. */
static int
name_extra(struct shadow *shadow, struct column *column, struct err *err)
{
    char *name = arena_alloc(shadow->names, 6 + column->name.n);

    if (name == NULL)
        return arena_full(err, "the header");
    memcpy(name, "extra.", 6);
    for (size_t i = 0; i < column->name.n; i++) {
        char c = column->name.p[i];
        if ((unsigned)(c - 'A') < 26)
            c = (char)(c | 0x20);
        bool good = (unsigned)(c - 'a') < 26 || (unsigned)(c - '0') < 10 || c == '.';
        name[6 + i] = good ? c : '_';
    }
    column->extra = (struct span){name, 6 + column->name.n};
    return 0;
}

static int
read_header(struct shadow *shadow, const struct csv_record *record, struct err *err)
{
    if (record->count > COLUMNS_MAX)
        return err_set(err, ERR_LIMIT, "the header has %u columns; at most %d are read",
            record->count, COLUMNS_MAX);
    shadow->columns = arena_zalloc(shadow->names, record->count, sizeof *shadow->columns);
    shadow->left = arena_zalloc(shadow->names, record->count, 1);
    if (shadow->columns == NULL || shadow->left == NULL)
        return arena_full(err, "the header");
    for (uint32_t i = 0; i < record->count; i++) {
        struct column *column = &shadow->columns[i];
        struct span name = span_trim(record->cells[i]);
        if (name.n == 0 || name.n > 200)
            return err_set(err, ERR_BAD_NAME, "column %u of the header has no usable name", i + 1);
        if (column_find(shadow, name) >= 0)
            return err_set_field(
                err, ERR_DUPLICATE_KEY, name.p, name.n, "the header names this column twice");
        column->name = (struct span){arena_copy(shadow->names, name.p, name.n), name.n};
        if (column->name.p == NULL)
            return arena_full(err, "the header");
        int rc = name_extra(shadow, column, err);
        if (rc != 0)
            return rc;
        shadow->column_count++;
    }
    return 0;
}

static int
choose_type(struct shadow *shadow, struct span file_name, struct err *err)
{
    const char *named = shadow->options->report_type;
    struct span columns[COLUMNS_MAX];
    bool several = false;

    if (named != NULL) {
        shadow->type = shadowschema_find(shadow->schema, span_of(named));
        return shadow->type != NULL
            ? 0
            : err_set(err, ERR_NO_MAPPING, "Shadowserver has no report type \"%.100s\"", named);
    }
    shadow->type = shadowschema_by_file(shadow->schema, file_name);
    if (shadow->type != NULL)
        return 0;
    for (uint32_t i = 0; i < shadow->column_count; i++)
        columns[i] = shadow->columns[i].name;
    shadow->type = shadowschema_by_header(shadow->schema, columns, shadow->column_count, &several);
    if (shadow->type != NULL)
        return 0;
    return err_set(err, ERR_NO_MAPPING,
        "%s Shadowserver report types have these columns, and \"%.*s\" names none: keep "
        "Shadowserver's file name "
        "(2026-11-23-scan_http-...csv) or give the report type",
        several ? "several" : "no", SPAN_ARGS(file_name));
}

static bool
is_constant(const struct shadow_type *type, const struct shadow_rule *rule)
{
    for (uint32_t i = 0; rule->field != FIELD_OTHER && i < type->constant_count; i++)
        if (type->constants[i].field == rule->field)
            return true;
    return false;
}

static int
bind_rules(struct shadow *shadow, struct err *err)
{
    const struct shadow_type *type = shadow->type;

    shadow->steps = arena_zalloc(shadow->names, type->rule_count + 1, sizeof *shadow->steps);
    if (shadow->steps == NULL)
        return arena_full(err, "the header");
    for (uint32_t i = 0; i < type->rule_count; i++) {
        const struct shadow_rule *rule = &type->rules[i];
        int32_t column = column_find(shadow, rule->column);
        if (column < 0 && rule->required)
            return err_set_field(err, ERR_MISSING_FIELD, rule->column.p, rule->column.n,
                "the header lacks this column, which every %.*s report has", SPAN_ARGS(type->type));
        if (column < 0)
            continue;
        struct step *step = &shadow->steps[shadow->step_count++];
        step->field =
            (struct field){.id = rule->field, .class = FIELD_CLASS_TEXT, .name = rule->target};
        step->column = (uint32_t)column;
        step->conversion = rule->conversion;
        step->required = rule->required;
        step->empty = rule->conversion == CONVERSION_CATEGORY || rule->conversion == CONVERSION_TIME
            || (rule->conversion == CONVERSION_TEXT && rule->field == FIELD_OTHER);
        step->mute = is_constant(type, rule);
        step->alone = rule->conversion != CONVERSION_CATEGORY && rule->conversion != CONVERSION_URL;
        shadow->columns[column].ruled = true;
        for (const struct step *s = shadow->steps; s < step; s++)
            step->again |= span_equal(s->field.name, step->field.name);
    }
    return 0;
}

static void
add_constant(struct shadow *shadow, enum field_id id, struct span text)
{
    struct field field = {.id = (uint16_t)id,
        .type = VALUE_TEXT,
        .n = (uint32_t)text.n,
        .s = text.p,
        .name = field_name(id)};

    if (shadowvalue_fit(&field, shadow->names) == SHADOWVALUE_SET)
        shadow->constants[shadow->constant_count++] = field;
}

static int
bind_constants(struct shadow *shadow, struct err *err)
{
    const struct shadow_type *type = shadow->type;
    const char *provider = shadow->options->provider;

    shadow->constants =
        arena_zalloc(shadow->names, type->constant_count + 3, sizeof *shadow->constants);
    if (shadow->constants == NULL)
        return arena_full(err, "the header");
    add_constant(
        shadow, FIELD_FEED_PROVIDER, span_of(provider != NULL ? provider : "Shadowserver"));
    add_constant(shadow, FIELD_FEED_NAME, type->name);
    add_constant(shadow, FIELD_FEED_DOCUMENTATION, type->page);
    for (uint32_t i = 0; i < type->constant_count; i++)
        add_constant(shadow, (enum field_id)type->constants[i].field, type->constants[i].text);
    shadow->constants_part = (struct shadowmemory_part){.sure = true};
    for (uint32_t i = 0; i < shadow->constant_count; i++) {
        const struct shadowmemory_part part = shadowmemory_part(&shadow->constants[i]);
        shadowmemory_add(&shadow->constants_part, &part);
    }
    return 0;
}

/* Steps of one target and the rest of columns with a rule look before they add; columns without a
 * rule do not. */
static bool
names_differ(const struct shadow *shadow)
{
    for (uint32_t i = 0; i < shadow->column_count; i++) {
        const struct column *column = &shadow->columns[i];
        for (uint32_t k = 0; k < i; k++)
            if (span_equal(shadow->columns[k].extra, column->extra))
                return false;
        for (uint32_t k = 0; !column->ruled && k < shadow->step_count; k++)
            if (span_equal(shadow->steps[k].field.name, column->extra))
                return false;
    }
    return true;
}

static int
start(struct shadow *shadow, struct span file_name, struct err *err)
{
    struct csv_record record;
    int rc = csv_next(shadow->csv, &record, err);

    if (rc <= 0)
        return rc;
    rc = read_header(shadow, &record, err);
    if (rc == 0)
        rc = choose_type(shadow, file_name, err);
    if (rc == 0)
        rc = bind_rules(shadow, err);
    if (rc == 0)
        rc = bind_constants(shadow, err);
    shadow->names_differ = rc == 0 && names_differ(shadow);
    if (rc != 0 && err->line == 0)
        err->line = record.line;
    shadow->row = (struct shadowvalue_row){.http_host = column_find(shadow, SPAN("http_host")),
        .hostname = column_find(shadow, SPAN("hostname")),
        .ip = column_find(shadow, SPAN("ip")),
        .application = column_find(shadow, SPAN("application")),
        .detail = column_find(shadow, SPAN("detail"))};
    return rc == 0 ? 1 : rc;
}

static bool
has_field(const struct report *report, struct span name)
{
    for (uint32_t i = 0; i < report->count; i++)
        if (span_equal(report->fields[i].name, name))
            return true;
    return false;
}

static int
add_step(struct shadow *shadow, const struct step *step, struct field *field,
    const struct shadowmemory_part *part, struct err *why)
{
    if (step->again && has_field(shadow->report, field->name))
        return 0;
    shadowmemory_add(&shadow->part, part);
    return report_add(shadow->report, field, why);
}

static int
convert(const struct shadow *shadow, const struct step *step, struct span cell, struct field *field,
    struct err *why)
{
    int rc = shadowvalue_convert((enum conversion)step->conversion, cell, &shadow->row, field, why);

    if (rc == SHADOWVALUE_SET && field->id != FIELD_OTHER && !(step->fits && field->n > 1))
        return (int)shadowvalue_fit(field, shadow->scratch);
    return rc == SHADOWVALUE_NONE && step->required ? SHADOWVALUE_BAD : rc;
}

/* A cell that says nothing about its field is done with; a required one that says the wrong thing
 * is kept unless a later rule can use it. */
static int
run_step(struct shadow *shadow, struct step *step, struct span cell, struct err *why)
{
    struct field field = step->field;
    int rc = convert(shadow, step, cell, &field, why);
    const struct shadowmemory_part part =
        rc == SHADOWVALUE_SET ? shadowmemory_part(&field) : (struct shadowmemory_part){0};

    if (step->alone && shadowmemory_worth(&step->memory, shadow->report->line))
        shadowmemory_keep(&step->memory, cell, &field, rc, &part);
    if (rc < 0)
        return rc;
    shadow->left[step->column] = rc == SHADOWVALUE_BAD;
    if (rc != SHADOWVALUE_SET || step->mute)
        return 0;
    return add_step(shadow, step, &field, &part, why);
}

/* The same with what the step remembers of this very cell. */
static int
recall_step(struct shadow *shadow, struct step *step, struct span cell, struct err *why)
{
    struct shadowmemory *memory = &step->memory;

    memory->misses = 0;
    shadow->left[step->column] = memory->outcome == SHADOWVALUE_BAD;
    if (memory->outcome != SHADOWVALUE_SET || step->mute
        || (step->again && has_field(shadow->report, step->field.name)))
        return 0;
    struct field *field =
        report_next(shadow->report, (enum field_id)step->field.id, step->field.name);
    if (field == NULL)
        return report_add_failed(shadow->report, &step->field, why);
    shadowmemory_add(&shadow->part, &memory->part);
    field->type = memory->type;
    field->n = memory->bytes;
    if (memory->type == VALUE_TEXT)
        field->s = cell.p + memory->from;
    else
        field->u = memory->number;
    return 0;
}

static int
keep_rest(struct shadow *shadow, struct err *why)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < shadow->row.count; i++) {
        if (!shadow->left[i])
            continue;
        const struct column *column = &shadow->columns[i];
        struct span cell = shadow->row.cells[i];
        shadow->left[i] = !column->ruled;
        if (cell.n == 0)
            continue;
        if (column->ruled && has_field(shadow->report, column->extra))
            continue;
        struct field field = {.id = FIELD_OTHER,
            .type = VALUE_TEXT,
            .class = FIELD_CLASS_TEXT,
            .n = (uint32_t)cell.n,
            .s = cell.p,
            .name = column->extra};
        const struct shadowmemory_part part = shadowmemory_part(&field);
        shadowmemory_add(&shadow->part, &part);
        rc = report_add(shadow->report, &field, why);
    }
    return rc;
}

/* Shadowserver appends columns to reports in use, and then rows without the newest one come: one
 * may be missing at the end. */
static int
check_count(const struct shadow *shadow, const struct csv_record *record, struct err *why)
{
    if (record->count == shadow->column_count || record->count + 1 == shadow->column_count)
        return 0;
    return err_set(why, ERR_COLUMN_COUNT, "the row has %u columns and the header has %u",
        record->count, shadow->column_count);
}

static int
read_row(struct shadow *shadow, const struct csv_record *record, struct err *why)
{
    int rc = check_count(shadow, record, why);

    shadow->part = shadow->constants_part;
    shadow->row.cells = record->cells;
    shadow->row.count = record->count;
    shadow->report->names_differ = shadow->names_differ;
    for (uint32_t i = 0; rc == 0 && i < shadow->constant_count; i++)
        rc = report_add(shadow->report, &shadow->constants[i], why);
    for (uint32_t i = 0; rc == 0 && i < shadow->step_count; i++) {
        struct step *step = &shadow->steps[i];
        if (step->column >= record->count)
            continue;
        struct span cell = record->cells[step->column];
        if (cell.n == 0 && !step->empty)
            continue;
        rc = shadowmemory_has(&step->memory, cell) ? recall_step(shadow, step, cell, why)
                                                   : run_step(shadow, step, cell, why);
        if (rc < 0 && why->field[0] == '\0') {
            struct err inner = *why;
            struct span name = shadow->columns[step->column].name;
            rc = err_set_field(why, (enum err_code)rc, name.p, name.n, "%s", inner.msg);
        }
    }
    if (rc == 0)
        rc = keep_rest(shadow, why);
    if (rc == 0 && shadow->part.sure)
        shadow->report->digest = report_digest_of(shadow->part.sum, shadow->part.fields);
    return rc;
}

static void
begin_row(struct shadow *shadow, uint64_t line)
{
    struct late_slot *slot = late_begin(&shadow->late, line);

    shadow->report = &slot->report;
    shadow->scratch = shadow->row.scratch = slot->scratch;
}

static int
read_rows(struct shadow *shadow, struct err *err)
{
    struct csv_record record;

    for (uint32_t i = 0; i < shadow->column_count; i++)
        shadow->left[i] = !shadow->columns[i].ruled;
    for (;;) {
        struct err why;
        why.code = ERR_OK;
        why.line = 0;
        why.field[0] = '\0';
        int rc = csv_next(shadow->csv, &record, &why);
        if (rc == 0)
            return 0;
        if (!csv_goes_on(rc)) {
            *err = why;
            return rc;
        }
        begin_row(shadow, record.line);
        if (rc > 0)
            rc = read_row(shadow, &record, &why);
        for (uint32_t i = 0; rc < 0 && i < shadow->column_count; i++)
            shadow->left[i] = !shadow->columns[i].ruled;
        rc = late_end(&shadow->late, rc, &why, record.record, err);
        if (rc == 0 && !record.stays)
            rc = late_flush(&shadow->late, err);
        if (rc != 0)
            return rc;
    }
}

static int
before_move(void *ctx, struct err *err)
{
    return late_flush(ctx, err);
}

static int
open_schema(const struct reader_options *options, struct shadowschema **out, struct err *err)
{
    if (options->schema != NULL && *options->schema != NULL) {
        *out = *options->schema;
        return 0;
    }
    int rc = shadowschema_new(options->share_dir, out, err);
    if (rc == 0 && options->schema != NULL)
        *options->schema = *out;
    return rc;
}

static void
close_schema(const struct reader_options *options, struct shadowschema *schema)
{
    if (options->schema == NULL)
        shadowschema_free(schema);
}

int
shadowserver_read(struct input *input, const struct reader_options *options,
    const struct reader_sink *sink, struct err *err)
{
    struct shadow shadow = {.options = options};
    int rc = late_open(&shadow.late, sink, err);

    shadow.names = arena_new(NAMES_BYTES);
    if (rc == 0 && shadow.names == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory to read %s", input_name(input));
    if (rc == 0)
        rc = open_schema(options, &shadow.schema, err);
    if (rc == 0)
        rc = csv_new(input, form, &shadow.csv, err);
    if (rc == 0) {
        csv_before_move(shadow.csv, before_move, &shadow.late);
        rc = start(&shadow, input_base_name(input), err);
    }
    if (rc > 0) {
        rc = read_rows(&shadow, err);
        int late = late_flush(&shadow.late, rc == 0 ? err : NULL);
        rc = rc != 0 ? rc : late;
    }
    csv_free(shadow.csv);
    close_schema(options, shadow.schema);
    arena_free(shadow.names);
    late_close(&shadow.late);
    return rc;
}

bool
shadowserver_recognise(struct span head, struct span name, const struct reader_options *options)
{
    struct shadowschema *schema;
    struct span columns[COLUMNS_MAX];
    const char *lf = head.n == 0 ? NULL : memchr(head.p, '\n', head.n);
    bool several;
    bool found = false;

    struct span header = {head.p, lf == NULL ? head.n : (size_t)(lf - head.p)};
    if (reader_has_mapping(options) || header.n == 0
        || memmem(header.p, header.n, "timestamp", 9) == NULL)
        return false;
    struct input *input;
    struct csv *csv = NULL;
    struct csv_record record;
    if (open_schema(options, &schema, NULL) != 0)
        return false;
    if (input_open_bytes(header, "header", &input, NULL) != 0) {
        close_schema(options, schema);
        return false;
    }
    if (csv_new(input, form, &csv, NULL) == 0 && csv_next(csv, &record, NULL) == 1
        && record.count <= COLUMNS_MAX) {
        memcpy(columns, record.cells, record.count * sizeof columns[0]);
        found = shadowschema_by_file(schema, name) != NULL
            || shadowschema_by_header(schema, columns, record.count, &several) != NULL || several;
    }
    csv_free(csv);
    input_close(input);
    close_schema(options, schema);
    return found;
}
