#include "fmt/json.h"

#include "base/hash.h"
#include "fmt/input.h"
#include "fmt/json_tape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct json {
    void *parser;
    char *copy;
    size_t copy_size;
    size_t max_bytes;
};

struct json *
json_new(size_t max_document_bytes)
{
    struct json *json = calloc(1, sizeof *json);

    if (json == NULL)
        return NULL;
    json->max_bytes = max_document_bytes;
    json->parser = json_tape_new(max_document_bytes, JSON_DEPTH_MAX);
    if (json->parser == NULL) {
        free(json);
        return NULL;
    }
    return json;
}

void
json_free(struct json *json)
{
    if (json == NULL)
        return;
    json_tape_free(json->parser);
    free(json->copy);
    free(json);
}

static int
explain(int rc, const char *what, struct span text, struct err *err)
{
    if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
        return err_set(err, ERR_NUL_BYTE,
            "the JSON text holds a NUL byte; write it as \\u0000 inside a string");
    if (rc == ERR_LIMIT)
        return err_set(err, ERR_LIMIT, "the JSON text is too large or nested deeper than %d levels",
            JSON_DEPTH_MAX);
    if (rc == ERR_BAD_NUMBER)
        return err_set(
            err, ERR_BAD_NUMBER, "a number in the JSON text is malformed or beyond 64 bits");
    return err_set(err, (enum err_code)rc, "not JSON as RFC 8259 has it: %s", what);
}

int
json_parse(struct json *json, struct span text, struct json_value *root, struct err *err)
{
    struct json_tape tape;
    const char *what = "";
    int rc = json_tape_parse(json->parser, text.p, text.n, &tape, &what);

    if (rc != 0)
        return explain(rc, what, text, err);
    *root = (struct json_value){tape.words, tape.strings, 1};
    return 0;
}

bool
json_tokens(struct json *json, struct span text, const uint32_t **tokens, size_t *count)
{
    return json_tape_tokens(json->parser, text.p, text.n, tokens, count) == 0;
}

int
json_parse_copy(struct json *json, struct span text, struct json_value *root, struct err *err)
{
    if (text.n > json->max_bytes)
        return explain(ERR_LIMIT, "", (struct span){NULL, 0}, err);
    if (text.n + INPUT_PADDING > json->copy_size) {
        char *copy = realloc(json->copy, text.n + INPUT_PADDING);
        if (copy == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for a JSON text of %zu bytes", text.n);
        json->copy = copy;
        json->copy_size = text.n + INPUT_PADDING;
    }
    if (text.n > 0)
        memcpy(json->copy, text.p, text.n);
    memset(json->copy + text.n, 0, INPUT_PADDING);
    return json_parse(json, (struct span){json->copy, text.n}, root, err);
}

bool
json_get(struct json_value v, const char *key, struct json_value *out)
{
    struct span wanted = span_of(key);
    struct span name;

    if (json_type(v) != JSON_OBJECT)
        return false;
    for (struct json_iter it = json_iter(v); json_next(&it, &name, out);)
        if (span_equal(name, wanted))
            return true;
    return false;
}

enum { FEW_KEYS = 32, KEYS_MAX = 1 << 20 };

/* Few members: compare each with each. */
static int
check_few(struct json_value v, struct err *err)
{
    struct span keys[FEW_KEYS];
    struct json_value item;
    size_t count = 0;

    for (struct json_iter it = json_iter(v); json_next(&it, &keys[count], &item); count++)
        for (size_t i = 0; i < count; i++)
            if (span_equal(keys[i], keys[count]))
                return err_set_field(err, ERR_DUPLICATE_KEY, keys[i].p, keys[i].n,
                    "an object names this key twice; name it once");
    return 0;
}

static int
check_many(struct json_value v, struct err *err)
{
    struct table *table = table_new(KEYS_MAX);
    struct json_value item;
    struct span key;
    uint32_t index;
    int rc = table == NULL ? err_set(err, ERR_NO_MEMORY, "no memory to check keys") : 0;

    for (struct json_iter it = json_iter(v); rc == 0 && json_next(&it, &key, &item);) {
        size_t before = table_count(table);
        rc = table_add(table, key, &index, err);
        if (rc == 0 && table_count(table) == before)
            rc = err_set_field(err, ERR_DUPLICATE_KEY, key.p, key.n,
                "an object names this key twice; name it once");
    }
    table_free(table);
    return rc;
}

int
json_check_duplicates(struct json_value v, struct err *err)
{
    struct json_value item;
    struct span key;
    size_t count = 0;
    int rc = 0;
    enum json_type type = json_type(v);

    if (type != JSON_OBJECT && type != JSON_ARRAY)
        return 0;
    for (struct json_iter it = json_iter(v); rc == 0 && json_next(&it, &key, &item); count++)
        rc = json_check_duplicates(item, err);
    if (rc != 0 || type == JSON_ARRAY || count < 2)
        return rc;
    return count <= FEW_KEYS ? check_few(v, err) : check_many(v, err);
}

static size_t
plain_length(struct span text, size_t from)
{
    size_t i = from;

    for (uint64_t w; i + 8 <= text.n; i += 8) {
        memcpy(&w, text.p + i, 8);
        if (json_eight_must_escape(w))
            break;
    }
    while (i < text.n && !json_must_escape((unsigned char)text.p[i]))
        i++;
    return i - from;
}

static void
add_escape(struct buf *buf, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char *two = c == '"' ? "\\\""
        : c == '\\'            ? "\\\\"
        : c == '\n'            ? "\\n"
        : c == '\r'            ? "\\r"
        : c == '\t'            ? "\\t"
                               : NULL;
    if (two != NULL) {
        buf_add(buf, two, 2);
        return;
    }
    char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    buf_add(buf, six, sizeof six);
}

/* Most texts are plain, and short: the last bytes are looked at in words, too. */
static bool
is_plain(struct span text)
{
    const char *p = text.p;
    uint32_t half[2];
    uint64_t w;

    if (text.n < 4) {
        for (size_t i = 0; i < text.n; i++)
            if (json_must_escape((unsigned char)p[i]))
                return false;
        return true;
    }
    if (text.n < 8) {
        memcpy(&half[0], p, 4);
        memcpy(&half[1], p + text.n - 4, 4);
        memcpy(&w, half, 8);
        return !json_eight_must_escape(w);
    }
    for (size_t i = 0; i + 8 < text.n; i += 8) {
        memcpy(&w, p + i, 8);
        if (json_eight_must_escape(w))
            return false;
    }
    memcpy(&w, p + text.n - 8, 8);
    return !json_eight_must_escape(w);
}

bool
json_add_plain(struct buf *buf, struct span text)
{
    if (!is_plain(text))
        return false;
    char *at = buf_reserve(buf, text.n + 2);
    if (at == NULL)
        return false;
    *at = '"';
    if (text.n > 0)
        memcpy(at + 1, text.p, text.n);
    at[text.n + 1] = '"';
    buf->n += text.n + 2;
    return true;
}

void
json_add_string(struct buf *buf, struct span text)
{
    if (json_add_plain(buf, text))
        return;
    buf_add_char(buf, '"');
    for (size_t i = 0; i < text.n;) {
        size_t plain = plain_length(text, i);
        buf_add(buf, text.p + i, plain);
        i += plain;
        if (i < text.n)
            add_escape(buf, (unsigned char)text.p[i++]);
    }
    buf_add_char(buf, '"');
}

/* Shortest of 15 to 17 digits that reads back the same; always with a point or exponent. */
void
json_add_float(struct buf *buf, double value)
{
    char text[40];

    if (!isfinite(value)) {
        buf_add_text(buf, "null");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_add_text(buf, text);
    if (strpbrk(text, ".e") == NULL)
        buf_add_text(buf, ".0");
}

static void
add_members(struct buf *buf, struct json_value v)
{
    struct json_value item;
    struct span key;
    bool object = json_type(v) == JSON_OBJECT;
    bool first = true;

    buf_add_char(buf, object ? '{' : '[');
    for (struct json_iter it = json_iter(v); json_next(&it, &key, &item); first = false) {
        if (!first)
            buf_add_char(buf, ',');
        if (object) {
            json_add_string(buf, key);
            buf_add_char(buf, ':');
        }
        json_add_value(buf, item);
    }
    buf_add_char(buf, object ? '}' : ']');
}

void
json_add_value(struct buf *buf, struct json_value v)
{
    switch (json_type(v)) {
    case JSON_NULL:
        buf_add_text(buf, "null");
        break;
    case JSON_FALSE:
        buf_add_text(buf, "false");
        break;
    case JSON_TRUE:
        buf_add_text(buf, "true");
        break;
    case JSON_INT:
        buf_add_i64(buf, json_int(v));
        break;
    case JSON_UINT:
        buf_add_u64(buf, json_uint(v));
        break;
    case JSON_FLOAT:
        json_add_float(buf, json_float(v));
        break;
    case JSON_STRING:
        json_add_string(buf, json_string(v));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        add_members(buf, v);
        break;
    }
}
