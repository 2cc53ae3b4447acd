#include "fmt/shadowschema.h"

#include "fmt/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SCHEMA_BYTES_MAX = 16 * 1024 * 1024, TYPES_MAX = 4096 };

struct shadowschema {
    struct arena *arena;
    struct shadow_type *types;
    size_t count;
};

/* Where a load stands: for messages. */
struct load {
    struct shadowschema *schema;
    const char *path;
    struct span type;
    bool theirs; /* Shadowserver's own form */
};

static int
wrong(const struct load *load, const char *what, struct span name, struct err *err)
{
    return err_set(err, ERR_BAD_CONFIG, "%s: report type \"%.*s\": %s \"%.*s\"", load->path,
        SPAN_ARGS(load->type), what, SPAN_ARGS(name));
}

static int
keep(const struct load *load, struct json_value value, struct span *out, struct err *err)
{
    if (json_type(value) != JSON_STRING)
        return wrong(load, "a text was expected in", load->type, err);
    struct span s = json_string(value);
    char *copy = arena_copy(load->schema->arena, s.p, s.n);
    if (copy == NULL)
        return arena_full(err, "the Shadowserver schema");
    *out = (struct span){copy, s.n};
    return 0;
}

static int
keep_member(const struct load *load, struct json_value object, const char *key, struct span *out,
    struct err *err)
{
    struct json_value value;

    *out = (struct span){"", 0};
    return json_get(object, key, &value) ? keep(load, value, out, err) : 0;
}

static int
find_conversion(struct span word, bool theirs)
{
    static const char *const words[][2] = {
#define CONVERSION(name, ours, shadowservers) {ours, shadowservers},
#include "tables/conversions.def"
#undef CONVERSION
    };

    for (int i = 0; i < CONVERSION_COUNT; i++)
        if (span_equal(word, span_of(words[i][theirs])))
            return i;
    return -1;
}

/* IDF has no field for the product or the severity in the version that Shadowserver's schema
 * shares with its other readers: they get them under "extra.". */
static bool
is_core(struct span name)
{
    return !span_starts(name, SPAN("product.")) && !span_equal(name, SPAN("severity"))
        && field_find(name) != FIELD_OTHER;
}

static int
set_target(const struct load *load, struct shadow_rule *rule, struct span target, struct err *err)
{
    static const struct span extra = {"extra.", 6};
    bool bare = span_equal(target, SPAN(".")) || span_equal(target, extra);

    rule->field = FIELD_OTHER;
    if (!bare && is_core(target)) {
        rule->field = (uint16_t)field_find(target);
        rule->target = field_name(rule->field);
        return 0;
    }
    if (!bare && span_starts(target, extra)) {
        rule->target = target;
        return 0;
    }
    struct span tail = bare ? rule->column : target;
    char *name = arena_alloc(load->schema->arena, extra.n + tail.n);
    if (name == NULL)
        return arena_full(err, "the Shadowserver schema");
    memcpy(name, extra.p, extra.n);
    memcpy(name + extra.n, tail.p, tail.n);
    rule->target = (struct span){name, extra.n + tail.n};
    return 0;
}

/* Theirs: [field, column, conversion, ...]; ours: [column, "field conversion"]. */
static int
read_rule(
    const struct load *load, struct json_value item, struct shadow_rule *rule, struct err *err)
{
    struct span parts[3] = {{"", 0}, {"", 0}, {"", 0}};
    struct json_value part;
    struct span key;
    size_t n = 0;
    int rc = 0;

    if (json_type(item) != JSON_ARRAY)
        return wrong(load, "a rule is no array in", load->type, err);
    for (struct json_iter it = json_iter(item); rc == 0 && n < 3 && json_next(&it, &key, &part);
         n++)
        rc = keep(load, part, &parts[n], err);
    if (rc != 0)
        return rc;
    if (n < 2 || parts[0].n == 0 || parts[1].n == 0)
        return wrong(load, "a rule is too short in", load->type, err);
    struct span target = parts[0];
    struct span word = parts[2];
    rule->column = parts[1];
    if (!load->theirs) {
        struct span rest = parts[1];
        rule->column = parts[0];
        (void)span_next(&rest, ' ', &target);
        word = rest.n > 0 ? rest : SPAN("text");
    }
    int conversion = find_conversion(word, load->theirs);
    if (conversion < 0)
        return wrong(load, "no conversion is named", word, err);
    rule->conversion = (uint8_t)conversion;
    return set_target(load, rule, target, err);
}

static uint32_t
count_items(struct json_value list)
{
    struct json_value item;
    struct span key;
    uint32_t n = 0;

    for (struct json_iter it = json_iter(list); json_next(&it, &key, &item);)
        n++;
    return n;
}

static int
read_rules(
    const struct load *load, struct json_value object, struct shadow_type *type, struct err *err)
{
    const char *const keys[2] = {
        load->theirs ? "required_fields" : "must", load->theirs ? "optional_fields" : "may"};
    struct json_value lists[2];
    uint32_t count = 0;

    for (int i = 0; i < 2; i++) {
        if (!json_get(object, keys[i], &lists[i]) || json_type(lists[i]) != JSON_ARRAY)
            return wrong(load, "there is no list", span_of(keys[i]), err);
        count += count_items(lists[i]);
    }
    struct shadow_rule *rules = arena_zalloc(load->schema->arena, count + 1, sizeof *rules);
    if (rules == NULL)
        return arena_full(err, "the Shadowserver schema");
    for (int i = 0; i < 2; i++) {
        struct json_value item;
        struct span key;
        for (struct json_iter it = json_iter(lists[i]); json_next(&it, &key, &item);) {
            struct shadow_rule *rule = &rules[type->rule_count];
            rule->required = i == 0;
            int rc = read_rule(load, item, rule, err);
            if (rc != 0)
                return rc;
            type->rule_count++;
        }
    }
    type->rules = rules;
    return 0;
}

static int
read_constants(
    const struct load *load, struct json_value object, struct shadow_type *type, struct err *err)
{
    const char *key = load->theirs ? "constant_fields" : "set";
    struct json_value set;
    struct json_value item;
    struct span name;

    if (!json_get(object, key, &set) || json_type(set) != JSON_OBJECT)
        return wrong(load, "there is no object", span_of(key), err);
    struct shadow_constant *constants =
        arena_zalloc(load->schema->arena, count_items(set) + 1, sizeof *constants);
    if (constants == NULL)
        return arena_full(err, "the Shadowserver schema");
    for (struct json_iter it = json_iter(set); json_next(&it, &name, &item);
         type->constant_count++) {
        struct shadow_constant *constant = &constants[type->constant_count];
        int rc = keep(load, item, &constant->text, err);
        if (rc != 0)
            return rc;
        constant->field = (uint16_t)field_find(name);
        if (constant->field == FIELD_OTHER)
            return wrong(load, "a constant is set for the unknown field", name, err);
        constant->name = field_name(constant->field);
    }
    type->constants = constants;
    return 0;
}

static int
read_type(struct load *load, struct span name, struct json_value object, struct err *err)
{
    struct shadow_type *type = &load->schema->types[load->schema->count];

    load->type = name;
    if (load->schema->count >= TYPES_MAX)
        return err_set(err, ERR_BAD_CONFIG, "%s: more than %d report types", load->path, TYPES_MAX);
    if (json_type(object) != JSON_OBJECT)
        return wrong(load, "an object was expected for", name, err);
    *type = (struct shadow_type){.type = {arena_copy(load->schema->arena, name.p, name.n), name.n}};
    if (type->type.p == NULL)
        return arena_full(err, "the Shadowserver schema");
    int rc = keep_member(load, object, load->theirs ? "file_name" : "file", &type->file, err);
    if (rc == 0)
        rc = keep_member(load, object, load->theirs ? "feed_name" : "name", &type->name, err);
    if (rc == 0)
        rc = keep_member(load, object, load->theirs ? "url" : "page", &type->page, err);
    if (rc == 0)
        rc = read_constants(load, object, type, err);
    if (rc == 0)
        rc = read_rules(load, object, type, err);
    if (rc == 0 && type->file.n == 0)
        type->file = type->type;
    load->schema->count += rc == 0;
    return rc;
}

static int
read_types(struct load *load, struct json_value root, struct err *err)
{
    struct json_value types;
    struct json_value item;
    struct span name;
    int rc = 0;

    if (json_type(root) != JSON_OBJECT)
        return err_set(err, ERR_BAD_CONFIG, "%s: not a JSON object of report types", load->path);
    load->theirs = !json_get(root, "types", &types);
    if (load->theirs)
        types = root;
    for (struct json_iter it = json_iter(types); rc == 0 && json_next(&it, &name, &item);)
        if (name.n > 0 && name.p[0] != '_')
            rc = read_type(load, name, item, err);
    if (rc == 0 && load->schema->count == 0)
        rc = err_set(err, ERR_BAD_CONFIG, "%s: names no report type", load->path);
    return rc;
}

/* The whole file, or 0 bytes (and errno). */
static struct buf
slurp(const char *path)
{
    struct buf text = buf_new(SCHEMA_BYTES_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;

    while (fd >= 0) {
        char *at = buf_reserve(&text, 256 * 1024);
        n = at == NULL ? -1 : read(fd, at, 256 * 1024);
        if (n <= 0)
            break;
        text.n += (size_t)n;
    }
    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        text.n = 0;
    return text;
}

static int
parse(struct load *load, struct span text, struct err *err)
{
    struct json *json = json_new(SCHEMA_BYTES_MAX);
    struct json_value root;
    struct err inner = {0};

    if (json == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %s", load->path);
    int rc = json_parse_copy(json, text, &root, &inner);
    if (rc != 0)
        rc = err_set(err, ERR_BAD_CONFIG, "%s: %s", load->path, inner.msg);
    else
        rc = read_types(load, root, err);
    json_free(json);
    return rc;
}

static int
open_first(const char *share_dir, char *path, size_t size, struct buf *text, struct err *err)
{
    const char *named = getenv("COMITY_SHADOWSERVER_SCHEMA");
    static const char *const names[] = {"intelmq.json", "mapping.json"};

    if (named != NULL && named[0] != '\0') {
        (void)snprintf(path, size, "%s", named);
        *text = slurp(path);
        return text->n > 0 ? 0
                           : err_set(err, ERR_NO_MAPPING,
                               "%s, which COMITY_SHADOWSERVER_SCHEMA names, cannot be read", path);
    }
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, size, "%s/shadowserver/%s", share_dir, names[i]);
        *text = slurp(path);
        if (text->n > 0)
            return 0;
        buf_free(text);
        *text = buf_new(0);
    }
    return err_set(err, ERR_NO_MAPPING,
        "no Shadowserver schema: neither intelmq.json nor mapping.json can be read in "
        "%s/shadowserver",
        share_dir);
}

int
shadowschema_new(const char *share_dir, struct shadowschema **out, struct err *err)
{
    struct shadowschema *schema = calloc(1, sizeof *schema);
    char path[4096];
    struct load load = {.schema = schema, .path = path};
    struct buf text = buf_new(0);
    int rc = 0;

    if (schema == NULL || (schema->arena = arena_new(4 * (size_t)SCHEMA_BYTES_MAX)) == NULL
        || (schema->types = arena_zalloc(schema->arena, TYPES_MAX + 1, sizeof *schema->types))
            == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the Shadowserver schema");
    if (rc == 0)
        rc = open_first(share_dir, path, sizeof path, &text, err);
    if (rc == 0)
        rc = parse(&load, buf_span(&text), err);
    buf_free(&text);
    if (rc != 0)
        shadowschema_free(schema);
    else
        *out = schema;
    return rc;
}

void
shadowschema_free(struct shadowschema *schema)
{
    if (schema == NULL)
        return;
    arena_free(schema->arena);
    free(schema);
}

size_t
shadowschema_count(const struct shadowschema *schema)
{
    return schema->count;
}

const struct shadow_type *
shadowschema_at(const struct shadowschema *schema, size_t i)
{
    return &schema->types[i];
}

const struct shadow_type *
shadowschema_find(const struct shadowschema *schema, struct span name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (span_equal(schema->types[i].type, name) || span_equal(schema->types[i].file, name))
            return &schema->types[i];
    return NULL;
}

static bool
is_word(char c)
{
    return (unsigned)((c | 0x20) - 'a') < 26 || (unsigned)(c - '0') < 10 || c == '_';
}

/* Does NAME hold WORD with nothing that would make it another word at either end? */
static bool
holds_word(struct span name, struct span word)
{
    const char *end = name.p + name.n;

    for (const char *p = name.p; word.n > 0 && (size_t)(end - p) >= word.n; p++) {
        p = memmem(p, (size_t)(end - p), word.p, word.n);
        if (p == NULL)
            return false;
        bool before = p == name.p || !is_word(p[-1]);
        bool behind = p + word.n == end || !is_word(p[word.n]);
        if (before && behind)
            return true;
    }
    return false;
}

const struct shadow_type *
shadowschema_by_file(const struct shadowschema *schema, struct span name)
{
    const struct shadow_type *best = NULL;

    for (size_t i = 0; i < schema->count; i++)
        if ((best == NULL || schema->types[i].file.n > best->file.n)
            && holds_word(name, schema->types[i].file))
            best = &schema->types[i];
    return best;
}

static bool
has_column(const struct span *columns, uint32_t count, struct span name)
{
    for (uint32_t i = 0; i < count; i++)
        if (span_equal(columns[i], name))
            return true;
    return false;
}

/* How well do the columns fit: known ones less those of either side that the other lacks; below 0:
 * not. */
static int
fit(const struct shadow_type *type, const struct span *columns, uint32_t count)
{
    int known = 0;
    int missing = 0;

    for (uint32_t i = 0; i < type->rule_count; i++) {
        const struct shadow_rule *rule = &type->rules[i];
        if (has_column(columns, count, rule->column))
            known++;
        else if (rule->required)
            return -1;
        else
            missing++;
    }
    for (uint32_t c = 0; c < count; c++) {
        bool used = false;
        for (uint32_t i = 0; !used && i < type->rule_count; i++)
            used = span_equal(type->rules[i].column, columns[c]);
        missing += !used;
    }
    return 2 * missing > known ? -1 : known - missing;
}

const struct shadow_type *
shadowschema_by_header(
    const struct shadowschema *schema, const struct span *columns, uint32_t count, bool *several)
{
    const struct shadow_type *best = NULL;
    int most = -1;

    *several = false;
    if (count > 512)
        return NULL;
    for (size_t i = 0; i < schema->count; i++) {
        int score = fit(&schema->types[i], columns, count);
        if (score < 0 || score < most)
            continue;
        *several = score == most;
        most = score;
        best = &schema->types[i];
    }
    return *several ? NULL : best;
}
