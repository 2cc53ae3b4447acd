#include "fmt/jcs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEW = 24 }; /* members, on the stack of each level */

struct member {
    struct span key;
    struct json_value value;
};

/* ---- strings ---- */

static void
add_escape(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "\"\"\\\\\bb\tt\nn\ff\rr";

    for (size_t i = 0; i + 1 < sizeof letters; i += 2)
        if (letters[i] == (char)c) {
            char two[2] = {'\\', letters[i + 1]};
            buf_add(out, two, sizeof two);
            return;
        }
    char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    buf_add(out, six, sizeof six);
}

void
jcs_add_string(struct buf *out, struct span text)
{
    size_t from = 0;

    if (json_add_plain(out, text))
        return;
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(out, text.p + from, i - from);
        add_escape(out, c);
        from = i + 1;
    }
    if (from < text.n)
        buf_add(out, text.p + from, text.n - from);
    buf_add_char(out, '"');
}

/* In the order of UTF-16 code units. That is the order of UTF-8's bytes, but that characters
 * beyond U+FFFF (first byte F0 and up) stand as surrogates before U+E000 to U+FFFF (EE, EF). */
static int
compare_keys(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    size_t i = 0;

    while (i < n && a.p[i] == b.p[i])
        i++;
    if (i == n)
        return (a.n > n) - (b.n > n);
    unsigned char x = (unsigned char)a.p[i];
    unsigned char y = (unsigned char)b.p[i];
    bool turned = x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0);
    return (x < y) != turned ? -1 : 1;
}

/* ---- numbers ---- */

/* The decimal next to TEXT ("d.ddde-nn"), away from zero; false if it would need another exponent.
 */
static bool
step_up(char *text)
{
    char *p = strchr(text, 'e');

    while (p != NULL && p-- > text)
        if (*p == '9')
            *p = '0';
        else if (*p != '.') {
            (*p)++;
            return true;
        }
    return false;
}

/* The fewest digits that read back as VALUE, without a point, and the power of ten of the first.
 * Above a power of two there is more room than below it, so that the decimal next to the nearest
 * one can be right where the nearest is not. */
static size_t
shortest(double value, char digits[24], int *exponent)
{
    char text[40] = "";
    size_t n = 0;

    for (int more = 0; more <= 16; more++) {
        (void)snprintf(text, sizeof text, "%.*e", more, value);
        if (strtod(text, NULL) == value || (step_up(text) && strtod(text, NULL) == value))
            break;
    }
    const char *e = strchr(text, 'e');
    for (const char *p = text; e != NULL && p < e; p++)
        if (*p != '.')
            digits[n++] = *p;
    *exponent = e == NULL ? 0 : (int)strtol(e + 1, NULL, 10);
    return n;
}

static void
add_zeros(struct buf *out, int count)
{
    while (count-- > 0)
        buf_add_char(out, '0');
}

/* ECMAScript's Number::toString. */
int
jcs_add_number(struct buf *out, double value, struct err *err)
{
    char digits[24];
    int e;

    if (!isfinite(value))
        return err_set(err, ERR_BAD_NUMBER, "a number is infinite or none; JSON has no such");
    if (value == 0) {
        buf_add_char(out, '0');
        return 0;
    }
    if (value < 0)
        buf_add_char(out, '-');
    size_t n = shortest(fabs(value), digits, &e);
    int k = (int)n;
    if (e >= -6 && e < 0) {
        buf_add_text(out, "0.");
        add_zeros(out, -e - 1);
        buf_add(out, digits, n);
    } else if (e >= 0 && e < 21) {
        size_t whole = k > e + 1 ? (size_t)e + 1 : n;
        buf_add(out, digits, whole);
        add_zeros(out, e + 1 - k);
        if (whole < n) {
            buf_add_char(out, '.');
            buf_add(out, digits + whole, n - whole);
        }
    } else {
        buf_add_char(out, digits[0]);
        if (n > 1) {
            buf_add_char(out, '.');
            buf_add(out, digits + 1, n - 1);
        }
        buf_format(out, "e%+d", e);
    }
    return 0;
}

static int
add_integer(struct buf *out, struct json_value v, struct err *err)
{
    bool big = json_type(v) == JSON_UINT;
    int64_t value = big ? INT64_MAX : json_int(v);
    const int64_t exact = (int64_t)1 << 53;

    if (big || value > exact || value < -exact)
        return err_set(err, ERR_BAD_NUMBER,
            "an integer is beyond 2^53, so that not every reader sees the same; write it in "
            "quotes");
    buf_add_i64(out, value);
    return 0;
}

/* ---- values ---- */

static int
by_key(const void *a, const void *b)
{
    return compare_keys(((const struct member *)a)->key, ((const struct member *)b)->key);
}

/* Few, as a rule, and often in order already. */
static void
sort(struct member *members, size_t count)
{
    if (count > FEW) {
        qsort(members, count, sizeof *members, by_key);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct member moved = members[i];
        size_t at = i;
        for (; at > 0 && compare_keys(members[at - 1].key, moved.key) > 0; at--)
            members[at] = members[at - 1];
        members[at] = moved;
    }
}

static bool
among(struct span key, const char *const *names)
{
    for (; names != NULL && *names != NULL; names++)
        if (span_equal(key, span_of(*names)))
            return true;
    return false;
}

static int
add_sorted(struct buf *out, const struct member *members, size_t count, struct err *err)
{
    int rc = 0;

    buf_add_char(out, '{');
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (i > 0 && span_equal(members[i - 1].key, members[i].key))
            return err_set(err, ERR_DUPLICATE_KEY, "the key \"%.*s\" is given twice; keep one",
                SPAN_ARGS(members[i].key));
        if (i > 0)
            buf_add_char(out, ',');
        jcs_add_string(out, members[i].key);
        buf_add_char(out, ':');
        rc = jcs_add(out, members[i].value, err);
    }
    buf_add_char(out, '}');
    return rc;
}

static size_t
take_members(struct json_value v, const char *const *left_out, struct member *members, size_t room)
{
    struct json_value item;
    struct span key;
    size_t count = 0;

    for (struct json_iter it = json_iter(v); json_next(&it, &key, &item);) {
        if (among(key, left_out))
            continue;
        if (count < room)
            members[count] = (struct member){key, item};
        count++;
    }
    return count;
}

int
jcs_add_without(struct buf *out, struct json_value v, const char *const *left_out, struct err *err)
{
    struct member few[FEW];
    struct member *members = few;

    if (json_type(v) != JSON_OBJECT)
        return err_set(err, ERR_BAD_TYPE, "the JSON text is no object");
    size_t count = take_members(v, left_out, few, FEW);
    if (count > FEW) {
        members = calloc(count, sizeof *members);
        if (members == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for %zu members", count);
        (void)take_members(v, left_out, members, count);
    }
    sort(members, count);
    int rc = add_sorted(out, members, count, err);
    if (members != few)
        free(members);
    return rc;
}

static int
add_array(struct buf *out, struct json_value v, struct err *err)
{
    struct json_value item;
    struct span none;
    bool first = true;
    int rc = 0;

    buf_add_char(out, '[');
    for (struct json_iter it = json_iter(v); rc == 0 && json_next(&it, &none, &item);) {
        if (!first)
            buf_add_char(out, ',');
        first = false;
        rc = jcs_add(out, item, err);
    }
    buf_add_char(out, ']');
    return rc;
}

int
jcs_add(struct buf *out, struct json_value v, struct err *err)
{
    switch (json_type(v)) {
    case JSON_NULL:
        buf_add_text(out, "null");
        return 0;
    case JSON_FALSE:
        buf_add_text(out, "false");
        return 0;
    case JSON_TRUE:
        buf_add_text(out, "true");
        return 0;
    case JSON_INT:
    case JSON_UINT:
        return add_integer(out, v, err);
    case JSON_FLOAT:
        return jcs_add_number(out, json_float(v), err);
    case JSON_STRING:
        jcs_add_string(out, json_string(v));
        return 0;
    case JSON_ARRAY:
        return add_array(out, v, err);
    case JSON_OBJECT:
        break;
    }
    return jcs_add_without(out, v, NULL, err);
}

int
jcs_add_text(struct buf *out, struct span text, struct err *err)
{
    struct json *json = json_new(text.n + 1);
    struct json_value root;
    int rc = json == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for %zu bytes of JSON", text.n)
                          : json_parse_copy(json, text, &root, err);

    if (rc == 0)
        rc = jcs_add(out, root, err);
    json_free(json);
    return rc;
}
