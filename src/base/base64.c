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

/* sodium_base642bin takes bytes from 0x80 on for letters, so that one value had many texts. */
static int
sextet(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A'
        : c >= 'a' && c <= 'z'  ? c - 'a' + 26
        : c >= '0' && c <= '9'  ? c - '0' + 52
        : c == '+'              ? 62
        : c == '/'              ? 63
                                : -1;
}

/* Four characters: 1 to 3 bytes at OUT; 0: they are none, or have bits that count for nothing. */
static size_t
read_four(const char *p, bool last, uint8_t out[3])
{
    size_t n = !last || p[3] != '=' ? 3 : p[2] != '=' ? 2 : 1;
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i <= n ? sextet(p[i]) : 0;
        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i < 3; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    return n == 3 || out[n] == 0 ? n : 0;
}

bool
base64_read(struct span text, void *out, size_t max, size_t *n)
{
    uint8_t *to = out;
    uint8_t three[3];

    *n = 0;
    if (text.n % 4 != 0)
        return false;
    for (size_t i = 0; i < text.n; i += 4) {
        size_t got = read_four(text.p + i, i + 4 == text.n, three);
        if (got == 0 || got > max - *n)
            return false;
        memcpy(to + *n, three, got);
        *n += got;
    }
    return true;
}

bool
base64_exact(struct span text, void *out, size_t n)
{
    size_t got;

    return base64_read(text, out, n, &got) && got == n;
}
