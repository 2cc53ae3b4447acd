#include "fmt/render.h"

#include "fmt/json.h"
#include "fmt/writer.h"

/* `"name":` of every known field, so that one copy does it. */
static const struct span keys[FIELD_COUNT] = {
#define FIELD(name, idf, type, class) [FIELD_##name] = {"\"" idf "\":", sizeof(idf) + 2},
#include "tables/fields.def"
#undef FIELD
};

void
render_field(struct buf *out, const struct field *field)
{
    if (field->id != FIELD_OTHER) {
        buf_add_span(out, keys[field->id]);
    } else {
        json_add_string(out, field->name);
        buf_add_char(out, ':');
    }
    switch ((enum value_type)field->type) {
    case VALUE_TEXT:
        json_add_string(out, (struct span){field->s, field->n});
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

void
idf_write(struct buf *out, const struct redacted *redacted)
{
    size_t count = redacted_count(redacted);

    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        render_field(out, redacted_field(redacted, i));
    }
    buf_add(out, "}\n", 2);
}
