#include "base/str.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool
span_equal_nocase(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool
span_holds_nocase(struct span text, struct span part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (span_equal_nocase((struct span){text.p + i, part.n}, part))
            return true;
    return false;
}

bool
span_starts(struct span s, struct span prefix)
{
    return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

bool
span_ends(struct span s, struct span suffix)
{
    return s.n >= suffix.n && memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0;
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct span
span_trim(struct span s)
{
    while (s.n > 0 && is_space(s.p[0]))
        s = (struct span){s.p + 1, s.n - 1};
    while (s.n > 0 && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool
span_next(struct span *rest, char separator, struct span *part)
{
    if (rest->n == 0)
        return false;
    const char *at = memchr(rest->p, separator, rest->n);
    *part = (struct span){rest->p, at == NULL ? rest->n : (size_t)(at - rest->p)};
    size_t used = part->n + (at == NULL ? 0 : 1);
    *rest = (struct span){rest->p + used, rest->n - used};
    return true;
}

bool
span_u64(struct span s, uint64_t *out)
{
    uint64_t value = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* Length of the UTF-8 sequence at P with LEFT bytes, 0 if it is none. */
static size_t
utf8_sequence(const unsigned char *p, size_t left)
{
    size_t n = p[0] < 0x80 ? 1
        : p[0] < 0xc2      ? 0
        : p[0] < 0xe0      ? 2
        : p[0] < 0xf0      ? 3
        : p[0] < 0xf5      ? 4
                           : 0;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)
        || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

bool
span_is_utf8(struct span s)
{
    const unsigned char *p = (const unsigned char *)s.p;

    for (size_t i = 0; i < s.n;) {
        uint64_t eight;
        if (s.n - i >= 8) {
            memcpy(&eight, p + i, 8);
            if ((eight & 0x8080808080808080u) == 0) {
                i += 8;
                continue;
            }
        }
        size_t n = utf8_sequence(p + i, s.n - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

struct buf
buf_new(size_t max_bytes)
{
    return (struct buf){.max_bytes = max_bytes};
}

void
buf_free(struct buf *buf)
{
    free(buf->p);
    *buf = (struct buf){.max_bytes = buf->max_bytes};
}

char *
buf_reserve(struct buf *buf, size_t n)
{
    if (n <= buf->size - buf->n)
        return buf->p + buf->n;
    if (buf->full || n > buf->max_bytes - buf->n) {
        buf->full = true;
        return NULL;
    }
    size_t size = buf->size < 256 ? 256 : buf->size * 2;
    if (size < buf->n + n)
        size = buf->n + n;
    if (size > buf->max_bytes)
        size = buf->max_bytes;
    char *p = realloc(buf->p, size);
    if (p == NULL) {
        buf->full = true;
        return NULL;
    }
    buf->p = p;
    buf->size = size;
    return buf->p + buf->n;
}

void
buf_add(struct buf *buf, const char *p, size_t n)
{
    char *at = n == 0 ? NULL : buf_reserve(buf, n);

    if (at == NULL)
        return;
    memcpy(at, p, n);
    buf->n += n;
}

void
buf_add_span(struct buf *buf, struct span s)
{
    buf_add(buf, s.p, s.n);
}

void
buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

enum { U64_DIGITS = 20 };

void
buf_add_u64(struct buf *buf, uint64_t value)
{
    char *at = buf_reserve(buf, U64_DIGITS);
    char digits[U64_DIGITS];
    unsigned n = 0;

    if (at == NULL)
        return;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    buf->n += n;
    while (n > 0)
        *at++ = digits[--n];
}

void
buf_add_i64(struct buf *buf, int64_t value)
{
    if (value < 0)
        buf_add_char(buf, '-');
    buf_add_u64(buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void
buf_format(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || buf_reserve(buf, (size_t)n + 1) == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(buf->p + buf->n, (size_t)n + 1, format, args);
    va_end(args);
    buf->n += (size_t)n;
}

int
buf_check(const struct buf *buf, const char *what, struct err *err)
{
    if (!buf->full)
        return 0;
    return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", what, buf->max_bytes);
}
