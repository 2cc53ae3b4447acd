#include "base/base64.h"

#include <sodium.h>

void
base64_add(struct buf *out, const void *bytes, size_t n)
{
    size_t room = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);
    char *at = buf_reserve(out, room);

    if (at == NULL)
        return;
    (void)sodium_bin2base64(at, room, bytes, n, sodium_base64_VARIANT_ORIGINAL);
    out->n += room - 1; /* less the NUL */
}

bool
base64_read(struct span text, void *out, size_t max, size_t *n)
{
    const char *end;

    *n = 0;
    if (text.n == 0)
        return true;
    return sodium_base642bin(
               out, max, text.p, text.n, NULL, n, &end, sodium_base64_VARIANT_ORIGINAL)
        == 0
        && end == text.p + text.n;
}

bool
base64_exact(struct span text, void *out, size_t n)
{
    size_t got;

    return base64_read(text, out, n, &got) && got == n;
}
