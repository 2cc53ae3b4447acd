/* value.h: how is a field's value written in JSON?
 */
#ifndef COMITY_FMT_VALUE_H
#define COMITY_FMT_VALUE_H

#include "fmt/json.h"
#include "model/report.h"

/* Here, as the writers spend their time in it. */
static inline void
value_add(struct buf *out, const struct field *field)
{
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

#endif
