#include "flow/card_fields.h"

#include <stdarg.h>
#include <stdio.h>

struct card_place
card_fields_place(const char *format, ...)
{
    struct card_place at;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(at.text, sizeof at.text, format, args);
    va_end(args);
    return at;
}

int
card_fields_copy(struct card_reading *r, struct span text, struct span *out)
{
    char *p = arena_copy(r->arena, text.p, text.n);

    if (p == NULL)
        return arena_full(r->err, "reading team cards");
    *out = (struct span){p, text.n};
    return 0;
}

int
card_fields_text(struct card_reading *r, struct json_value v, const char *at, struct span *out)
{
    struct span text;

    if (json_type(v) != JSON_STRING)
        return CARD_WRONG(r, at, "must be a text in quotes");
    text = json_string(v);
    if (text.n == 0 || text.n > CARD_TEXT_MAX || memchr(text.p, '\0', text.n) != NULL)
        return CARD_WRONG(r, at,
            "must be a text of 1 to %d bytes without NUL; leave the member out if not known",
            CARD_TEXT_MAX);
    *out = text;
    return 0;
}

int
card_fields_kept(struct card_reading *r, struct json_value v, const char *at, struct span *out)
{
    struct span text = {0};
    int rc = card_fields_text(r, v, at, &text);

    return rc != 0 ? rc : card_fields_copy(r, text, out);
}

int
card_fields_truth(struct card_reading *r, struct json_value v, const char *at, bool *out)
{
    enum json_type type = json_type(v);

    if (type != JSON_TRUE && type != JSON_FALSE)
        return CARD_WRONG(r, at, "must be true or false");
    *out = type == JSON_TRUE;
    return 0;
}

bool
card_fields_among(struct span word, const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (span_equal(word, span_of(words[i])))
            return true;
    return false;
}

bool
card_fields_is_id(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9')
            && (i == 0 || (c != '-' && c != '.' && c != '_')))
            return false;
    }
    return s.n > 0 && s.n <= CARD_ID_MAX;
}

int
card_fields_any_text(struct card_reading *r, struct json_value v, const char *at)
{
    struct span ignored;

    return card_fields_text(r, v, at, &ignored);
}

int
card_fields_array(struct card_reading *r, struct json_value v, const char *at, size_t size,
    size_t *count, void *out)
{
    struct json_iter it;
    struct json_value item;
    struct span key;
    void *items;

    if (json_type(v) != JSON_ARRAY)
        return CARD_WRONG(r, at, "must be an array in []");
    *count = 0;
    for (it = json_iter(v); json_next(&it, &key, &item);)
        (*count)++;
    items = arena_zalloc(r->arena, *count + 1, size);
    if (items == NULL)
        return arena_full(r->err, "reading team cards");
    memcpy(out, &items, sizeof items);
    return 0;
}

int
card_fields_object(
    struct card_reading *r, struct json_value v, const char *at, const struct card_member *members)
{
    const char *dot = at[0] == '\0' ? "" : ".";
    struct json_iter it;
    struct json_value item;
    struct span key;

    if (json_type(v) != JSON_OBJECT)
        return CARD_WRONG(r, at, "must be an object in {}");
    for (it = json_iter(v); json_next(&it, &key, &item);) {
        const struct card_member *m = members;
        struct card_place inner = card_fields_place("%s%s%.*s", at, dot, SPAN_ARGS(key));
        while (m->name != NULL && !span_equal(key, span_of(m->name)))
            m++;
        if (m->name == NULL && !span_starts(key, SPAN("x_")))
            return CARD_WRONG(
                r, inner.text, "no member of a team card is called so; own members begin with x_");
        int rc = m->name == NULL ? 0 : m->read(r, item, inner.text);
        if (rc != 0)
            return rc;
    }
    for (const struct card_member *m = members; m->name != NULL; m++)
        if (m->required && !json_get(v, m->name, &item)) {
            struct card_place inner = card_fields_place("%s%s%s", at, dot, m->name);
            return CARD_WRONG(r, inner.text, "is missing");
        }
    return 0;
}

int
card_fields_any(struct card_reading *r, struct json_value v, const char *at)
{
    return (void)r, (void)v, (void)at, 0;
}

int
card_fields_each(struct card_reading *r, struct json_value v, const char *at,
    int (*read)(struct card_reading *r, struct json_value v, const char *at))
{
    struct json_iter it;
    struct json_value item;
    struct span key;
    int rc = 0;

    if (json_type(v) != JSON_ARRAY)
        return CARD_WRONG(r, at, "must be an array in []");
    it = json_iter(v);
    for (size_t i = 0; rc == 0 && json_next(&it, &key, &item); i++) {
        struct card_place inner = card_fields_place("%s[%zu]", at, i);
        rc = read(r, item, inner.text);
    }
    return rc;
}
