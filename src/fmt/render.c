#include "fmt/render.h"

#include "fmt/json.h"
#include "fmt/writer.h"

/* `"name":` of every known field, so that one copy does it. */
static const struct span keys[FIELD_COUNT] = {
#define FIELD(name, idf, type, class) [FIELD_##name] = {"\"" idf "\":", sizeof(idf) + 2},
#include "tables/fields.def"
#undef FIELD
};

/* Room for NAME and N bytes of text in the worst case: every byte escaped. */
static inline bool
has_room(const struct buf *out, size_t name, size_t n)
{
    return out->size - out->n >= name + 8 + 6 * n;
}

/* Copy N bytes at P if none needs an escape; 8 at a time, the last 8 overlapping. */
static inline bool
copy_plain(char *to, const char *p, size_t n)
{
    uint64_t w;

    if (n < 8) {
        for (size_t i = 0; i < n; i++) {
            if (json_must_escape((unsigned char)p[i]))
                return false;
            to[i] = p[i];
        }
        return true;
    }
    for (size_t i = 0; i + 8 < n; i += 8) {
        memcpy(&w, p + i, 8);
        if (json_eight_must_escape(w))
            return false;
        memcpy(to + i, &w, 8);
    }
    memcpy(&w, p + n - 8, 8);
    memcpy(to + n - 8, &w, 8);
    return !json_eight_must_escape(w);
}

static inline void
render_text(struct buf *out, const struct field *field)
{
    char *at = out->p + out->n;

    if (has_room(out, 0, field->n) && copy_plain(at + 1, field->s, field->n)) {
        at[0] = '"';
        at[field->n + 1] = '"';
        out->n += field->n + 2;
        return;
    }
    json_add_string(out, (struct span){field->s, field->n});
}

static inline void
render_name(struct buf *out, const struct field *field)
{
    if (field->id == FIELD_OTHER) {
        json_add_string(out, field->name);
        buf_add_char(out, ':');
        return;
    }
    struct span key = keys[field->id];
    if (!has_room(out, key.n, 0)) {
        buf_add_span(out, key);
        return;
    }
    memcpy(out->p + out->n, key.p, key.n);
    out->n += key.n;
}

void
render_field(struct buf *out, const struct field *field)
{
    render_name(out, field);
    switch ((enum value_type)field->type) {
    case VALUE_TEXT:
        render_text(out, field);
        break;
    case VALUE_INT:
        buf_add_i64(out, field->i);
        break;
    case VALUE_UINT:
        buf_add_u64(out, field->u);
        break;
    case VALUE_FLOAT:
        json_add_float(out, field->d);
        break;
    case VALUE_BOOL:
        buf_add_text(out, field->b ? "true" : "false");
        break;
    case VALUE_JSON:
        buf_add(out, field->s, field->n);
        break;
    }
}

void
render_idf(struct buf *out, const struct report *report)
{
    buf_add_char(out, '{');
    for (uint32_t i = 0; i < report->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        render_field(out, &report->fields[i]);
    }
    buf_add(out, "}\n", 2);
}

/* The label is written in TLP 2.0's words, whatever the input called it, and always. */
void
idf_write(struct buf *out, const struct redacted *redacted)
{
    size_t count = redacted_count(redacted);

    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        const struct field *field = redacted_field(redacted, i);
        if (field->id == FIELD_TLP)
            continue;
        render_field(out, field);
        buf_add_char(out, ',');
    }
    buf_add_text(out, "\"tlp\":\"");
    buf_add_text(out, tlp_label(redacted_tlp(redacted)));
    buf_add(out, "\"}\n", 3);
}
