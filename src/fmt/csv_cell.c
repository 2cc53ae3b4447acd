#include "fmt/csv_cell.h"

static bool
is_formula(struct span text)
{
    return text.n > 0 && memchr("=+-@\t\r", text.p[0], 6) != NULL;
}

void
csv_cell_add(struct buf *out, struct span text, bool guard)
{
    bool quote = guard && is_formula(text);

    for (size_t i = 0; i < text.n && !quote; i++)
        quote = memchr(",\"\r\n", text.p[i], 4) != NULL;
    if (!quote) {
        buf_add_span(out, text);
        return;
    }
    buf_add_char(out, '"');
    if (guard && is_formula(text))
        buf_add_char(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, text.p[i]);
    }
    buf_add_char(out, '"');
}
