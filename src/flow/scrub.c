#include "flow/scrub.h"

#include <stdlib.h>

#define REMOVED SPAN("[removed]")

void
scrub_init(struct scrub *scrub, struct arena *arena, const struct extra_fields *extras,
    const uint8_t *treatments)
{
    scrub->arena = arena;
    scrub->extras = extras;
    scrub->treatments = treatments;
    scrub->count = 0;
    scrub->overflow = false;
    scrub->sorted = true;
}

void
scrub_add(struct scrub *scrub, struct span value, struct span stands)
{
    if (value.n < SCRUB_VALUE_MIN)
        return;
    if (scrub->count == SCRUB_VALUES_MAX) {
        scrub->overflow = true;
        return;
    }
    scrub->values[scrub->count++] = (struct scrub_value){value, stands.n > 0 ? stands : REMOVED};
    scrub->sorted = false;
}

enum scrub_name
scrub_name(const struct scrub *scrub, struct span name, enum field_class unlisted)
{
    const uint8_t *treatments = scrub->treatments;
    enum field_id id = field_find(name);
    enum field_class class = id != FIELD_OTHER ? field_class(id) : FIELD_CLASS_TEXT;
    bool listed = id != FIELD_OTHER;

    if (id == FIELD_OTHER) {
        class = extra_fields_member_class(scrub->extras, name);
        listed = class != FIELD_CLASS_TEXT;
    }
    if (!listed)
        return treatments[unlisted] == TREATMENT_KEEP ? SCRUB_NAME_KEPT
            : unlisted == FIELD_CLASS_TEXT            ? SCRUB_NAME_GONE
                                                      : SCRUB_NAME_GONE_COUNTED;
    /* A listed name is text as well, as a field of that name is. */
    if (treatments[class] == TREATMENT_KEEP
        && (id != FIELD_OTHER || treatments[FIELD_CLASS_TEXT] == TREATMENT_KEEP))
        return SCRUB_NAME_KEPT;
    return class == FIELD_CLASS_TEXT || class == FIELD_CLASS_OPEN ? SCRUB_NAME_GONE
                                                                  : SCRUB_NAME_GONE_COUNTED;
}

/* ---- matching ---- */

static unsigned char
lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Bytes of TEXT that stand for C, at its beginning: people write "." and "@" so that nothing is
 * clicked by mistake. */
static size_t
match_byte(char c, struct span text)
{
    static const struct span points[] = {
        {"[.]", 3}, {"(.)", 3}, {"[dot]", 5}, {"(dot)", 5}, {NULL, 0}};
    static const struct span ats[] = {{"[@]", 3}, {"(@)", 3}, {"[at]", 4}, {"(at)", 4}, {NULL, 0}};

    if (lower(text.p[0]) == lower(c))
        return 1;
    if ((c != '.' && c != '@') || (text.p[0] != '[' && text.p[0] != '('))
        return 0;
    for (const struct span *form = c == '.' ? points : ats; form->n > 0; form++)
        if (text.n >= form->n && span_equal_nocase((struct span){text.p, form->n}, *form))
            return form->n;
    return 0;
}

/* Bytes at the beginning of TEXT that are VALUE; 0: they are not. */
static size_t
match_value(struct span value, struct span text)
{
    size_t at = 0;

    for (size_t i = 0; i < value.n; i++) {
        size_t n =
            at < text.n ? match_byte(value.p[i], (struct span){text.p + at, text.n - at}) : 0;
        if (n == 0)
            return 0;
        at += n;
    }
    return at;
}

/* The longest first, of two the earlier. */
static void
sort_values(struct scrub *scrub)
{
    struct scrub_value *v = scrub->values;

    memset(scrub->first, 0, sizeof scrub->first);
    for (uint32_t i = 0; i < scrub->count; i++) {
        struct scrub_value moved = v[i];
        unsigned char c = lower(moved.value.p[0]);
        uint32_t at = i;
        for (; at > 0 && v[at - 1].value.n < moved.value.n; at--)
            v[at] = v[at - 1];
        v[at] = moved;
        scrub->first[c] = true;
        if (c >= 'a' && c <= 'z')
            scrub->first[c - 32] = true;
        if (c == '.' || c == '@')
            scrub->first['['] = scrub->first['('] = true;
    }
    scrub->sorted = true;
}

/* The first match in TEXT from *AT on, which moves there; NULL: none. */
static const struct scrub_value *
find(struct scrub *scrub, struct span text, size_t *at, size_t *n)
{
    if (!scrub->sorted)
        sort_values(scrub);
    for (; scrub->count > 0 && *at < text.n; ++*at) {
        if (!scrub->first[(unsigned char)text.p[*at]])
            continue;
        const struct span rest = {text.p + *at, text.n - *at};
        for (uint32_t i = 0; i < scrub->count; i++) {
            *n = match_value(scrub->values[i].value, rest);
            if (*n > 0)
                return &scrub->values[i];
        }
    }
    return NULL;
}

bool
scrub_matches(struct scrub *scrub, struct span text)
{
    size_t at = 0;
    size_t n;

    return scrub->overflow || find(scrub, text, &at, &n) != NULL;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'              ? c - '0'
        : lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10
                                             : -1;
}

struct span
scrub_decode(struct scrub *scrub, struct span text)
{
    size_t n = 0;

    if (text.n == 0 || memchr(text.p, '%', text.n) == NULL)
        return text;
    char *out = arena_alloc(scrub->arena, text.n);
    if (out == NULL)
        return (struct span){NULL, 0};
    for (size_t i = 0; i < text.n; i++) {
        int high = text.p[i] == '%' && i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.p[i + 2]) : -1;
        out[n++] = low >= 0 ? (char)(high * 16 + low) : text.p[i];
        i += low >= 0 ? 2 : 0;
    }
    return (struct span){out, n};
}

bool
scrub_matches_encoded(struct scrub *scrub, struct span text)
{
    struct span decoded = scrub_decode(scrub, text);

    return (decoded.p == NULL && text.n > 0) || scrub_matches(scrub, text)
        || scrub_matches(scrub, decoded);
}

size_t
scrub_replace(struct scrub *scrub, struct span text, char *out)
{
    const struct scrub_value *found;
    size_t total = 0;
    size_t from = 0;
    size_t at = 0;
    size_t n = 0;

    do {
        found = find(scrub, text, &at, &n);
        if (out != NULL && at > from)
            memcpy(out + total, text.p + from, at - from);
        total += at - from;
        if (found == NULL)
            break;
        if (out != NULL)
            memcpy(out + total, found->stands.p, found->stands.n);
        total += found->stands.n;
        at += n;
        from = at;
    } while (true);
    return total;
}

/* ---- fields ---- */

bool
scrub_text(struct scrub *scrub, struct span *value)
{
    if (!scrub_matches(scrub, *value))
        return true;
    if (scrub->overflow)
        return false;
    size_t n = scrub_replace(scrub, *value, NULL);
    char *out = arena_alloc(scrub->arena, n);
    if (out == NULL)
        return false;
    (void)scrub_replace(scrub, *value, out);
    *value = (struct span){out, n};
    return true;
}

static bool
number_is_clean(struct scrub *scrub, const struct field *field)
{
    struct buf text = buf_new(64);

    if (field->type == VALUE_INT)
        buf_add_i64(&text, field->i);
    else
        buf_add_u64(&text, field->u);
    bool clean = !text.full && !scrub_matches(scrub, buf_span(&text));
    buf_free(&text);
    return clean;
}

bool
scrub_field(struct scrub *scrub, struct field *field)
{
    struct span value = {field->s, field->n};
    bool left;

    bool listed = field->id != FIELD_OTHER
        || extra_fields_class(scrub->extras, field->name) != FIELD_CLASS_TEXT;
    if (!listed && scrub_matches(scrub, field->name))
        return false;
    if (field->type == VALUE_INT || field->type == VALUE_UINT)
        return number_is_clean(scrub, field);
    if (field->type != VALUE_TEXT && field->type != VALUE_JSON)
        return true;
    if (field->type == VALUE_JSON)
        left = scrub_json(scrub, &value);
    else if (field->class == FIELD_CLASS_URL)
        left = scrub_url(scrub, &value);
    else
        left = scrub_text(scrub, &value);
    field->s = value.p;
    field->n = (uint32_t)value.n;
    return left && value.n <= UINT32_MAX;
}
