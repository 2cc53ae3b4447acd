#include "cli/shown.h"

/* Bytes of the UTF-8 character at TEXT if a terminal may see it; 0 if it must be escaped: control
 * characters, also C1, and those that turn the direction of writing. */
static size_t
harmless(struct span text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (p[0] < 0x20 || p[0] == 0x7f || n > text.n || !span_is_utf8((struct span){text.p, n}))
        return 0;
    if (n == 2 && p[0] == 0xc2 && p[1] < 0xa0)
        return 0;
    bool marks = n == 3 && p[0] == 0xe2 && p[1] == 0x80
        && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae));
    bool isolates = n == 3 && p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
    return marks || isolates ? 0 : n;
}

void
shown_add(struct buf *out, struct span text, size_t max)
{
    size_t columns = 0;

    for (size_t i = 0; i < text.n;) {
        size_t n = harmless((struct span){text.p + i, text.n - i});
        size_t width = n == 0 ? 4 : 1;
        if (columns + width > max) {
            buf_format(out, "... (%zu bytes)", text.n);
            return;
        }
        if (n == 0)
            buf_format(out, "\\x%02x", (unsigned char)text.p[i]);
        else
            buf_add(out, text.p + i, n);
        columns += width;
        i += n == 0 ? 1 : n;
    }
}
