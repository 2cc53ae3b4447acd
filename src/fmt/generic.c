/* Any CSV, read by a mapping file (doc/formats.md): the one named, else the one of SHARE/mappings
 * whose columns are exactly the header's. */
#include "base/time.h"
#include "fmt/generic_map.h"
#include "fmt/reader.h"
#include "fmt/shadowvalue.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCRATCH_BYTES = 16 * 1024 * 1024, COLUMNS_MAX = 512 };

struct generic {
    const struct reader_options *options;
    const struct reader_sink *sink;
    const struct generic_map *map;
    struct arena *scratch;
    struct field *fields;
    struct generic_column columns[COLUMNS_MAX]; /* in the file's order */
    uint32_t count;
    struct report report;
};

static bool
is_blank(struct input *input)
{
    struct span head;

    return input_peek(input, &head, NULL) == 0 && head.n < INPUT_HEAD_MAX && span_trim(head).n == 0;
}

/* The first line that is no comment, without a byte order mark. */
static struct span
first_line(struct span head)
{
    struct span line = {"", 0};

    if (span_starts(head, SPAN("\xef\xbb\xbf")))
        head = (struct span){head.p + 3, head.n - 3};
    while (span_next(&head, '\n', &line))
        if (line.n > 0 && line.p[0] != '#' && line.p[0] != '\r')
            break;
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

/* What a mapping is borrowed from: whatever was made only for this input is here. */
struct lent {
    struct generic_map *map;
    struct generic_maps *maps;
};

/* The mapping for HEADER: of those read before, else of FOLDER. NULL: there is none. */
static int
match(const struct reader_options *options, const char *folder, struct span header,
    const struct generic_map **out, struct lent *lent, struct err *err)
{
    int rc = options->maps != NULL ? 0 : generic_maps_load(folder, &lent->maps, err);

    if (rc == 0)
        *out = generic_maps_find(options->maps != NULL ? options->maps : lent->maps, header);
    return rc;
}

static int
find_map(struct input *input, const struct reader_options *options, const struct generic_map **out,
    struct lent *lent, struct err *err)
{
    char folder[4096];
    struct span head;

    if (reader_has_mapping(options)) {
        int rc = options->mapping.n > 0
            ? generic_map_parse(options->mapping, "that was sent", &lent->map, err)
            : generic_map_load(options->mapping_path, &lent->map, err);
        *out = lent->map;
        return rc;
    }
    int rc = input_peek(input, &head, err);
    if (rc != 0)
        return rc;
    struct span header = first_line(head);
    (void)snprintf(folder, sizeof folder, "%s/mappings", options->share_dir);
    rc = match(options, folder, header, out, lent, err);
    if (rc == 0 && *out == NULL)
        rc = err_set(err, ERR_NO_MAPPING,
            "no mapping says what the columns \"%.*s\" mean; write a file like {\"columns\": "
            "{\"COLUMN\": "
            "\"source.ip\", ...}, \"set\": {\"classification.type\": \"...\"}} (doc/formats.md) "
            "and name it with "
            "--mapping, or put it into %s",
            SPAN_ARGS(header), folder);
    return rc;
}

static int
bind_header(struct generic *generic, const struct csv_record *record, struct err *err)
{
    const struct generic_map *map = generic->map;
    bool used[COLUMNS_MAX] = {false};

    for (uint32_t i = 0; i < record->count; i++) {
        struct span name = span_trim(record->cells[i]);
        uint32_t c = 0;
        while (c < map->column_count && !span_equal(map->columns[c].name, name))
            c++;
        if (c == map->column_count)
            return err_set_field(err, ERR_UNKNOWN_FIELD, name.p, name.n,
                "the mapping does not name this column; give it a field, or null to leave it out");
        if (used[c])
            return err_set_field(
                err, ERR_DUPLICATE_KEY, name.p, name.n, "the header names this column twice");
        used[c] = true;
        generic->columns[i] = map->columns[c];
    }
    for (uint32_t c = 0; c < map->column_count; c++)
        if (!used[c])
            return err_set_field(err, ERR_MISSING_FIELD, map->columns[c].name.p,
                map->columns[c].name.n, "the mapping names this column and the header does not");
    generic->count = record->count;
    return 0;
}

static int
bind_columns(struct generic *generic, struct csv *csv, struct err *err)
{
    struct csv_record record;

    if (!generic->map->header) {
        memcpy(generic->columns, generic->map->columns,
            generic->map->column_count * sizeof generic->columns[0]);
        generic->count = generic->map->column_count;
        return 1;
    }
    int rc = csv_next(csv, &record, err);
    if (rc <= 0)
        return rc;
    rc = record.count > COLUMNS_MAX
        ? err_set(err, ERR_LIMIT, "the header has more than %d columns", COLUMNS_MAX)
        : bind_header(generic, &record, err);
    if (rc == 0)
        return 1;
    err->line = record.line;
    return rc;
}

/* Whole seconds or milliseconds since 1970. */
static int
from_epoch(const struct generic_column *column, struct span cell, struct arena *scratch,
    struct field *field, struct err *err)
{
    static const uint64_t limit_s = 253402300800; /* the year 10000 */
    char text[TIME_TEXT_BYTES];
    uint64_t value;
    uint64_t unit = column->time == GENERIC_TIME_EPOCH ? 1000000 : 1000;

    if (!span_u64(span_trim(cell), &value) || value / (1000000 / unit) >= limit_s)
        return err_set(err, ERR_BAD_TIME, "\"%.*s\" is no count of %s since 1970", SPAN_ARGS(cell),
            unit == 1000 ? "milliseconds" : "seconds");
    size_t n = time_format((int64_t)(value * unit), "+00:00", text);
    field->type = VALUE_TEXT;
    field->n = (uint32_t)n;
    field->s = arena_copy(scratch, text, n);
    return field->s != NULL ? SHADOWVALUE_SET : arena_full(err, "a record's values");
}

static bool
says_nothing(const struct generic_map *map, struct span cell)
{
    if (cell.n == 0)
        return true;
    for (uint32_t i = 0; i < map->empty_count; i++)
        if (span_equal(map->empty[i], cell))
            return true;
    return false;
}

static int
add_cell(
    struct generic *generic, const struct generic_column *column, struct span cell, struct err *why)
{
    const struct shadowvalue_row row = {.scratch = generic->scratch,
        .http_host = -1,
        .hostname = -1,
        .ip = -1,
        .application = -1,
        .detail = -1};
    struct field field = {.id = column->field, .class = FIELD_CLASS_TEXT, .name = column->target};
    int rc;

    if (column->conversion == CONVERSION_TIME && column->time != GENERIC_TIME_ISO)
        rc = from_epoch(column, cell, generic->scratch, &field, why);
    else
        rc = shadowvalue_convert((enum conversion)column->conversion, cell, &row, &field, why);
    if (rc == SHADOWVALUE_NONE)
        return err_set(why, ERR_BAD_VALUE, "\"%.*s\" is neither true nor false", SPAN_ARGS(cell));
    if (rc == SHADOWVALUE_SET && field.id != FIELD_OTHER)
        rc = (int)shadowvalue_fit(&field, generic->scratch);
    if (rc == SHADOWVALUE_BAD)
        return err_set(why, ERR_BAD_VALUE, "\"%.*s\" does not fit %.*s", SPAN_ARGS(cell),
            SPAN_ARGS(column->target));
    return rc == SHADOWVALUE_SET ? report_add(&generic->report, &field, why) : rc;
}

static int
read_row(struct generic *generic, const struct csv_record *record, struct err *why)
{
    const struct generic_map *map = generic->map;
    int rc = 0;

    if (record->count != generic->count)
        return err_set(why, ERR_COLUMN_COUNT, "the row has %u columns and there should be %u",
            record->count, generic->count);
    for (uint32_t i = 0; rc == 0 && i < map->constant_count; i++)
        rc = report_add(&generic->report, &map->constants[i], why);
    for (uint32_t i = 0; rc == 0 && i < record->count; i++) {
        const struct generic_column *column = &generic->columns[i];
        struct span cell = span_trim(record->cells[i]);
        if (column->target.n == 0 || says_nothing(map, cell))
            continue;
        rc = add_cell(generic, column, cell, why);
        if (rc < 0 && why->field[0] == '\0') {
            struct err inner = *why;
            struct span name = column->name.n > 0 ? column->name : column->target;
            rc = err_set_field(why, (enum err_code)rc, name.p, name.n, "%s", inner.msg);
        }
    }
    if (rc == 0 && generic->options->provider != NULL
        && generic->report.at[FIELD_FEED_PROVIDER] == 0)
        rc = report_add_text(
            &generic->report, FIELD_FEED_PROVIDER, span_of(generic->options->provider), why);
    return rc;
}

static bool
is_skipped(const struct generic *generic, const struct csv_record *record)
{
    const struct generic_map *map = generic->map;

    for (uint32_t s = 0; s < map->skip_count; s++)
        for (uint32_t i = 0; i < record->count && i < generic->count; i++)
            if (span_equal(generic->columns[i].name, map->skips[s].column)
                && span_equal(span_trim(record->cells[i]), map->skips[s].equals))
                return true;
    return false;
}

static int
read_rows(struct generic *generic, struct csv *csv, struct err *err)
{
    struct csv_record record;

    for (;;) {
        struct err why = {0};
        int rc = csv_next(csv, &record, &why);
        if (rc == 0)
            return 0;
        if (!csv_goes_on(rc)) {
            *err = why;
            return rc;
        }
        if (rc > 0 && is_skipped(generic, &record))
            continue;
        report_reset(&generic->report, generic->fields, REPORT_FIELDS_MAX);
        generic->report.line = record.line;
        arena_reset(generic->scratch);
        if (rc > 0)
            rc = read_row(generic, &record, &why);
        rc = reader_end_record(generic->sink, &generic->report, rc, &why, record.record, err);
        if (rc != 0)
            return rc;
    }
}

int
generic_read(struct input *input, const struct reader_options *options,
    const struct reader_sink *sink, struct err *err)
{
    struct generic *generic = calloc(1, sizeof *generic);
    const struct generic_map *map = NULL;
    struct lent lent = {NULL, NULL};
    struct csv *csv = NULL;

    if (generic == NULL || (generic->scratch = arena_new(SCRATCH_BYTES)) == NULL
        || (generic->fields = calloc(REPORT_FIELDS_MAX, sizeof *generic->fields)) == NULL) {
        if (generic != NULL)
            arena_free(generic->scratch);
        free(generic);
        return err_set(err, ERR_NO_MEMORY, "no memory to read %s", input_name(input));
    }
    generic->options = options;
    generic->sink = sink;
    bool blank = is_blank(input);
    int rc = blank ? 0 : find_map(input, options, &map, &lent, err);
    generic->map = map;
    if (rc == 0 && !blank)
        rc = csv_new(input, map->form, &csv, err);
    if (rc == 0 && !blank)
        rc = bind_columns(generic, csv, err);
    if (rc > 0)
        rc = read_rows(generic, csv, err);
    csv_free(csv);
    generic_map_free(lent.map);
    generic_maps_free(lent.maps);
    arena_free(generic->scratch);
    free(generic->fields);
    free(generic);
    return rc;
}

bool
generic_recognise(struct span head, struct span name, const struct reader_options *options)
{
    char folder[4096];
    const struct generic_map *map = NULL;
    struct lent lent = {NULL, NULL};

    (void)name;
    if (reader_has_mapping(options))
        return true;
    (void)snprintf(folder, sizeof folder, "%s/mappings", options->share_dir);
    bool found = match(options, folder, first_line(head), &map, &lent, NULL) == 0 && map != NULL;
    generic_maps_free(lent.maps);
    return found;
}
