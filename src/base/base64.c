#include "base/base64.h"

#include <sodium.h>

static void
add(struct buf *out, const void *bytes, size_t n, int variant)
{
    size_t room = sodium_base64_encoded_len(n, variant);
    char *at = buf_reserve(out, room);

    if (at == NULL)
        return;
    (void)sodium_bin2base64(at, room, bytes, n, variant);
    out->n += room - 1; /* less the NUL */
}

void
base64_add(struct buf *out, const void *bytes, size_t n)
{
    add(out, bytes, n, sodium_base64_VARIANT_ORIGINAL);
}

void
base64_add_url(struct buf *out, const void *bytes, size_t n)
{
    add(out, bytes, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* sodium_base642bin takes bytes from 0x80 on for letters, so that one value had many texts. */
static int
sextet(char c, const char last[2])
{
    return c >= 'A' && c <= 'Z' ? c - 'A'
        : c >= 'a' && c <= 'z'  ? c - 'a' + 26
        : c >= '0' && c <= '9'  ? c - '0' + 52
        : c == last[0]          ? 62
        : c == last[1]          ? 63
                                : -1;
}

/* TEXT has no padding; LAST are the letters for 62 and 63. *REST: bits that count for nothing. */
static bool
decode(struct span text, const char last[2], uint8_t *out, size_t max, size_t *n, uint32_t *rest)
{
    uint32_t bits = 0;
    unsigned held = 0;

    *n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int value = sextet(text.p[i], last);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held < 8)
            continue;
        if (*n == max)
            return false;
        held -= 8;
        out[(*n)++] = (uint8_t)(bits >> held);
    }
    *rest = bits & ((1u << held) - 1);
    return held < 6;
}

static struct span
without_padding(struct span text, size_t most)
{
    while (most-- > 0 && text.n > 0 && text.p[text.n - 1] == '=')
        text.n--;
    return text;
}

bool
base64_read(struct span text, void *out, size_t max, size_t *n)
{
    uint32_t rest;

    return text.n % 4 == 0 && decode(without_padding(text, 2), "+/", out, max, n, &rest)
        && rest == 0;
}

bool
base64_read_url(struct span text, void *out, size_t max, size_t *n)
{
    uint32_t rest;

    return decode(text, "-_", out, max, n, &rest) && rest == 0;
}

bool
base64_read_lax(struct span text, void *out, size_t max, size_t *n)
{
    uint32_t rest;

    return decode(without_padding(text, text.n), "+/", out, max, n, &rest);
}

bool
base64_exact(struct span text, void *out, size_t n)
{
    size_t got = 0;

    return base64_read(text, out, n, &got) && got == n;
}
