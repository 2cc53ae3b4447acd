#include "fmt/generic_map.h"

#include "fmt/json.h"
#include "fmt/shadowvalue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAP_BYTES_MAX = 1024 * 1024, HEADER_CELLS_MAX = 512, MAPS_MAX = 256 };

struct load {
    struct generic_map *map;
    const char *path;
};

static int
wrong(const struct load *load, struct span key, const char *what, struct err *err)
{
    return err_set(err, ERR_BAD_CONFIG,
        "mapping %s: \"%.*s\": %s (doc/formats.md says what a mapping holds)", load->path,
        SPAN_ARGS(key), what);
}

static int
keep(const struct load *load, struct span text, struct span *out, struct err *err)
{
    char *copy = arena_copy(load->map->arena, text.p, text.n);

    *out = (struct span){copy, text.n};
    return copy != NULL ? 0 : arena_full(err, load->path);
}

static void *
room_for(const struct load *load, struct json_value list, size_t size, struct err *err)
{
    struct json_value item;
    struct span key;
    size_t count = 1;

    for (struct json_iter it = json_iter(list); json_next(&it, &key, &item);)
        count++;
    void *p = arena_zalloc(load->map->arena, count, size);
    if (p == NULL)
        (void)arena_full(err, load->path);
    return p;
}

static int
set_target(
    const struct load *load, struct generic_column *column, struct span name, struct err *err)
{
    column->field = (uint16_t)field_find(name);
    if (column->field == FIELD_OTHER && (!span_starts(name, SPAN("extra.")) || name.n == 6))
        return wrong(
            load, name, "no such field; use one of the IntelMQ data format, or extra.NAME", err);
    switch (column->field == FIELD_OTHER ? FIELD_TYPE_TEXT : field_type(column->field)) {
    case FIELD_TYPE_INT:
    case FIELD_TYPE_PORT:
    case FIELD_TYPE_ASN:
        column->conversion = CONVERSION_INT;
        break;
    case FIELD_TYPE_FLOAT:
        column->conversion = CONVERSION_FLOAT;
        break;
    case FIELD_TYPE_BOOL:
        column->conversion = CONVERSION_BOOL;
        break;
    case FIELD_TYPE_TIME:
        column->conversion = CONVERSION_TIME;
        break;
    default:
        column->conversion = CONVERSION_TEXT;
    }
    return keep(load, name, &column->target, err);
}

static int
set_type(const struct load *load, struct generic_column *column, struct span word, struct err *err)
{
    static const struct {
        const char *word;
        enum conversion conversion;
    } types[] = {{"text", CONVERSION_TEXT}, {"int", CONVERSION_INT}, {"float", CONVERSION_FLOAT},
        {"bool", CONVERSION_BOOL}, {"time", CONVERSION_TIME}};

    if (column->field != FIELD_OTHER)
        return wrong(
            load, column->target, "only extra fields may name a type; this field has its own", err);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (span_equal(word, span_of(types[i].word))) {
            column->conversion = (uint8_t)types[i].conversion;
            return 0;
        }
    return wrong(load, word, "no type; text, int, float, bool and time are", err);
}

static int
set_time(const struct load *load, struct generic_column *column, struct span word, struct err *err)
{
    static const char *const words[] = {"iso", "epoch", "epoch-ms"};

    if (column->conversion != CONVERSION_TIME)
        return wrong(load, column->target, "\"time\" fits only fields that hold a time", err);
    for (uint8_t i = 0; i < 3; i++)
        if (span_equal(word, span_of(words[i]))) {
            column->time = i;
            return 0;
        }
    return wrong(load, word, "no form of time; iso, epoch and epoch-ms are", err);
}

/* "field", null, or {"field": ..., "time": ..., "type": ...}. */
static int
read_column(const struct load *load, struct generic_column *column, struct json_value value,
    struct err *err)
{
    struct json_value item;
    struct span key;

    if (json_type(value) == JSON_NULL)
        return 0;
    if (json_type(value) == JSON_STRING)
        return set_target(load, column, json_string(value), err);
    if (!json_get(value, "field", &item) || json_type(item) != JSON_STRING)
        return wrong(load, column->name,
            "a column is a field's name, null, or an object with \"field\"", err);
    int rc = set_target(load, column, json_string(item), err);
    for (int pass = 0; pass < 2; pass++)
        for (struct json_iter it = json_iter(value); rc == 0 && json_next(&it, &key, &item);) {
            bool type = span_equal(key, SPAN("type"));
            if (json_type(item) != JSON_STRING)
                rc = wrong(load, key, "must be a text", err);
            else if (type && pass == 0)
                rc = set_type(load, column, json_string(item), err);
            else if (span_equal(key, SPAN("time")) && pass == 1)
                rc = set_time(load, column, json_string(item), err);
            else if (!type && !span_equal(key, SPAN("time")) && !span_equal(key, SPAN("field")))
                rc = wrong(load, key, "no key of a column; field, time and type are", err);
        }
    return rc;
}

static int
read_columns(const struct load *load, struct json_value value, struct err *err)
{
    struct generic_map *map = load->map;
    struct json_value item;
    struct span key;

    if (json_type(value) != (map->header ? JSON_OBJECT : JSON_ARRAY))
        return wrong(load, SPAN("columns"),
            map->header ? "must be an object, column to field"
                        : "must be a list of fields, as there is no header",
            err);
    map->columns = room_for(load, value, sizeof *map->columns, err);
    if (map->columns == NULL)
        return ERR_LIMIT;
    for (struct json_iter it = json_iter(value); json_next(&it, &key, &item);) {
        struct generic_column *column = &map->columns[map->column_count];
        int rc = keep(load, key, &column->name, err);
        if (rc == 0)
            rc = read_column(load, column, item, err);
        if (rc != 0)
            return rc;
        for (uint32_t i = 0; column->target.n > 0 && i < map->column_count; i++)
            if (span_equal(map->columns[i].target, column->target))
                return wrong(load, column->target, "two columns go into this field", err);
        if (++map->column_count > HEADER_CELLS_MAX)
            return wrong(load, SPAN("columns"), "too many columns", err);
    }
    return map->column_count > 0 ? 0 : wrong(load, SPAN("columns"), "names no column", err);
}

static int
read_constant(const struct load *load, struct span key, struct json_value item, struct err *err)
{
    struct field *field = &load->map->constants[load->map->constant_count];
    struct generic_column column = {{"", 0}, {"", 0}, 0, 0, 0};
    struct span text;

    if (json_type(item) != JSON_STRING)
        return wrong(load, key, "a constant is a text", err);
    int rc = set_target(load, &column, key, err);
    if (rc == 0)
        rc = keep(load, json_string(item), &text, err);
    if (rc != 0)
        return rc;
    *field = (struct field){.id = column.field,
        .type = VALUE_TEXT,
        .class = FIELD_CLASS_TEXT,
        .n = (uint32_t)text.n,
        .s = text.p,
        .name = column.target};
    if (field->id != FIELD_OTHER && shadowvalue_fit(field, load->map->arena) != SHADOWVALUE_SET)
        return wrong(load, key, "the constant does not fit the field", err);
    if (field->id == FIELD_CLASSIFICATION_TYPE
        && classification_find(text) == CLASSIFICATION_UNKNOWN)
        return wrong(load, text, "no type of the reference taxonomy", err);
    if (field->id == FIELD_TLP && tlp_find(text) == TLP_UNKNOWN)
        return wrong(load, text, "no TLP 2.0 label", err);
    load->map->constant_count++;
    return 0;
}

static int
read_set(const struct load *load, struct json_value value, struct err *err)
{
    struct json_value item;
    struct span key;
    int rc = 0;

    if (json_type(value) != JSON_OBJECT)
        return wrong(load, SPAN("set"), "must be an object, field to text", err);
    load->map->constants = room_for(load, value, sizeof *load->map->constants, err);
    if (load->map->constants == NULL)
        return ERR_LIMIT;
    for (struct json_iter it = json_iter(value); rc == 0 && json_next(&it, &key, &item);)
        rc = read_constant(load, key, item, err);
    return rc;
}

static int
read_skips(const struct load *load, struct json_value value, struct err *err)
{
    struct generic_map *map = load->map;
    struct json_value item;
    struct json_value part;
    struct span key;

    if (json_type(value) != JSON_ARRAY)
        return wrong(
            load, SPAN("skip"), "must be a list of {\"column\": ..., \"equals\": ...}", err);
    map->skips = room_for(load, value, sizeof *map->skips, err);
    if (map->skips == NULL)
        return ERR_LIMIT;
    for (struct json_iter it = json_iter(value); json_next(&it, &key, &item); map->skip_count++) {
        struct generic_skip *skip = &map->skips[map->skip_count];
        struct span *places[2] = {&skip->column, &skip->equals};
        static const char *const keys[2] = {"column", "equals"};
        for (struct json_iter in = json_iter(item);
             json_type(item) == JSON_OBJECT && json_next(&in, &key, &part);)
            if (!span_equal(key, SPAN("column")) && !span_equal(key, SPAN("equals")))
                return wrong(load, key, "no key of a skip rule; column and equals are", err);
        for (int i = 0; i < 2; i++) {
            if (!json_get(item, keys[i], &part) || json_type(part) != JSON_STRING)
                return wrong(
                    load, SPAN("skip"), "a rule needs the texts \"column\" and \"equals\"", err);
            int rc = keep(load, json_string(part), places[i], err);
            if (rc != 0)
                return rc;
        }
        bool known = false;
        for (uint32_t i = 0; i < map->column_count; i++)
            known |= span_equal(map->columns[i].name, skip->column);
        if (!known)
            return wrong(
                load, skip->column, "a skip rule names a column that \"columns\" does not", err);
    }
    return 0;
}

static int
read_empty(const struct load *load, struct json_value value, struct err *err)
{
    struct json_value item;
    struct span key;
    int rc = 0;

    if (json_type(value) != JSON_ARRAY)
        return wrong(load, SPAN("empty"), "must be a list of texts", err);
    load->map->empty = room_for(load, value, sizeof *load->map->empty, err);
    if (load->map->empty == NULL)
        return ERR_LIMIT;
    for (struct json_iter it = json_iter(value); rc == 0 && json_next(&it, &key, &item);
         load->map->empty_count++)
        rc = json_type(item) == JSON_STRING
            ? keep(load, json_string(item), &load->map->empty[load->map->empty_count], err)
            : wrong(load, SPAN("empty"), "must be a list of texts", err);
    return rc;
}

static int
read_char(
    const struct load *load, struct span key, struct json_value value, char *out, struct err *err)
{
    if (json_type(value) != JSON_STRING || json_string(value).n != 1
        || json_string(value).p[0] == '"' || (unsigned char)json_string(value).p[0] >= 0x80)
        return wrong(load, key, "must be one ASCII character, such as \";\", and no quote", err);
    *out = json_string(value).p[0];
    return 0;
}

static int
read_key(const struct load *load, struct span key, struct json_value value, struct err *err)
{
    if (span_equal(key, SPAN("separator")))
        return read_char(load, key, value, &load->map->form.separator, err);
    if (span_equal(key, SPAN("comment")))
        return read_char(load, key, value, &load->map->form.comment, err);
    if (span_equal(key, SPAN("set")))
        return read_set(load, value, err);
    if (span_equal(key, SPAN("skip")))
        return read_skips(load, value, err);
    if (span_equal(key, SPAN("empty")))
        return read_empty(load, value, err);
    if (span_equal(key, SPAN("header")) || span_equal(key, SPAN("columns")))
        return 0;
    if (span_equal(key, SPAN("about")))
        return json_type(value) == JSON_STRING ? 0 : wrong(load, key, "must be a text", err);
    return wrong(load, key,
        "no key of a mapping; about, separator, comment, header, columns, set, skip and empty are",
        err);
}

static int
read_map(const struct load *load, struct json_value root, struct err *err)
{
    struct json_value value;
    struct span key;
    struct err inner = {0};

    if (json_type(root) != JSON_OBJECT)
        return wrong(load, SPAN(""), "not a JSON object", err);
    if (json_check_duplicates(root, &inner) != 0)
        return wrong(load, span_of(inner.field), inner.msg, err);
    load->map->form.separator = ',';
    load->map->header = true;
    if (json_get(root, "header", &value)) {
        if (json_type(value) != JSON_TRUE && json_type(value) != JSON_FALSE)
            return wrong(load, SPAN("header"), "must be true or false", err);
        load->map->header = json_type(value) == JSON_TRUE;
    }
    if (!json_get(root, "columns", &value))
        return wrong(load, SPAN("columns"), "is missing", err);
    int rc = read_columns(load, value, err);
    for (struct json_iter it = json_iter(root); rc == 0 && json_next(&it, &key, &value);)
        rc = read_key(load, key, value, err);
    for (uint32_t i = 0; rc == 0 && i < load->map->constant_count; i++)
        for (uint32_t c = 0; rc == 0 && c < load->map->column_count; c++)
            if (span_equal(load->map->columns[c].target, load->map->constants[i].name))
                rc = wrong(load, load->map->constants[i].name, "is set and has a column, too", err);
    return rc;
}

static int
slurp(const char *path, struct buf *text, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 1;

    if (fd < 0)
        return err_set(
            err, ERR_NOT_FOUND, "mapping %s cannot be opened: %s", path, strerror(errno));
    while (n > 0) {
        char *at = buf_reserve(text, 64 * 1024);
        n = at == NULL ? -1 : read(fd, at, 64 * 1024);
        text->n += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    return n == 0
        ? 0
        : err_set(err, ERR_BAD_CONFIG, "mapping %s cannot be read or is larger than 1 MiB", path);
}

int
generic_map_parse(struct span text, const char *name, struct generic_map **out, struct err *err)
{
    struct generic_map *map = calloc(1, sizeof *map);
    struct load load = {map, name};
    struct json *json = json_new(MAP_BYTES_MAX);
    struct json_value root;
    struct err inner = {0};
    int rc = 0;

    if (map == NULL || json == NULL || (map->arena = arena_new(8 * (size_t)MAP_BYTES_MAX)) == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the mapping %s", name);
    if (rc == 0 && json_parse_copy(json, text, &root, &inner) != 0)
        rc = err_set(err, ERR_BAD_CONFIG, "mapping %s: %s", name, inner.msg);
    if (rc == 0)
        rc = read_map(&load, root, err);
    json_free(json);
    if (rc != 0)
        generic_map_free(map);
    else
        *out = map;
    return rc;
}

int
generic_map_load(const char *path, struct generic_map **out, struct err *err)
{
    struct buf text = buf_new(MAP_BYTES_MAX);
    int rc = slurp(path, &text, err);

    if (rc == 0)
        rc = generic_map_parse(buf_span(&text), path, out, err);
    buf_free(&text);
    return rc;
}

void
generic_map_free(struct generic_map *map)
{
    if (map == NULL)
        return;
    arena_free(map->arena);
    free(map);
}

static bool
fits(const struct generic_map *map, struct span header)
{
    struct span cells[HEADER_CELLS_MAX];
    struct buf line = buf_new(2 * (size_t)MAP_BYTES_MAX + INPUT_PADDING);
    char *copy = buf_reserve(&line, 2 * header.n + INPUT_PADDING);
    bool same = false;

    if (map->header && copy != NULL) {
        memset(copy, 0, 2 * header.n + INPUT_PADDING);
        memcpy(copy, header.p, header.n);
        char *scratch = copy + header.n + INPUT_PADDING / 2;
        int count = csv_split(
            (struct span){copy, header.n}, map->form, cells, HEADER_CELLS_MAX, &scratch, NULL);
        same = count > 0 && (uint32_t)count == map->column_count;
        for (uint32_t i = 0; same && i < map->column_count; i++)
            same = span_equal(span_trim(cells[i]), map->columns[i].name);
    }
    buf_free(&line);
    return same;
}

static int
is_json(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && span_ends(span_of(entry->d_name), SPAN(".json"));
}

struct generic_maps {
    size_t count;
    struct generic_map *maps[MAPS_MAX];
};

static void
load_one(struct generic_maps *maps, const char *folder, const char *name)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);

    if (maps->count < MAPS_MAX && n < (int)sizeof path
        && generic_map_load(path, &maps->maps[maps->count], NULL) == 0)
        maps->count++;
}

int
generic_maps_load(const char *folder, struct generic_maps **out, struct err *err)
{
    struct generic_maps *maps = calloc(1, sizeof *maps);
    struct dirent **entries = NULL;

    if (maps == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the mappings of %s", folder);
    int count = scandir(folder, &entries, is_json, alphasort);
    for (int i = 0; i < count; i++) {
        load_one(maps, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    *out = maps;
    return 0;
}

void
generic_maps_free(struct generic_maps *maps)
{
    for (size_t i = 0; maps != NULL && i < maps->count; i++)
        generic_map_free(maps->maps[i]);
    free(maps);
}

const struct generic_map *
generic_maps_find(const struct generic_maps *maps, struct span header)
{
    if (header.n > INPUT_HEAD_MAX)
        header.n = INPUT_HEAD_MAX;
    for (size_t i = 0; i < maps->count; i++)
        if (fits(maps->maps[i], header))
            return maps->maps[i];
    return NULL;
}
