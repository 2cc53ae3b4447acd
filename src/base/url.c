#include "base/url.h"

void
url_add(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((unsigned)((c | 0x20) - 'a') < 26 || (unsigned)(c - '0') < 10
            || (c != 0 && strchr("-._~", c) != NULL))
            buf_add_char(out, (char)c);
        else
            buf_format(out, "%%%02X", c);
    }
}
