/* str.h: which bytes are meant, and where are new ones put?
 *
 * A span borrows bytes that somebody else owns; it has no NUL behind it. A buf
 * owns bytes, grows, and cannot be made without a maximum.
 */
#ifndef COMITY_BASE_STR_H
#define COMITY_BASE_STR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *p;
    size_t n;
};

#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})
/* For printf's "%.*s", cut to what a message can carry. */
#define SPAN_ARGS(s) ((int)((s).n > 120 ? 120 : (s).n)), (s).p

static inline struct span
span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

/* The 4 to 16 bytes at P in two words, some of them twice: lengths are hard to foresee, so there is
 * no branch on them. */
struct two_words {
    uint64_t head;
    uint64_t tail;
};

static inline struct two_words
two_words(const char *p, size_t n)
{
    size_t half = n >> 3 << 2; /* 0 below 8 bytes, else 4; 8 for 16 */
    const char *last = p + n - 4;
    uint32_t a;
    uint32_t b;
    uint32_t c;
    uint32_t d;

    memcpy(&a, p, 4);
    memcpy(&b, p + half, 4);
    memcpy(&c, last, 4);
    memcpy(&d, last - half, 4);
    return (struct two_words){(uint64_t)a << 32 | b, (uint64_t)c << 32 | d};
}

static inline bool
span_equal(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    if (a.n < 4)
        return a.n == 0
            || (a.p[0] == b.p[0] && a.p[a.n / 2] == b.p[a.n / 2] && a.p[a.n - 1] == b.p[a.n - 1]);
    if (a.n > 32)
        return memcmp(a.p, b.p, a.n) == 0;
    size_t n = a.n < 16 ? a.n : 16;
    struct two_words x = two_words(a.p, n);
    struct two_words y = two_words(b.p, n);
    uint64_t differ = (x.head ^ y.head) | (x.tail ^ y.tail);
    if (a.n > 16) {
        x = two_words(a.p + a.n - 16, 16);
        y = two_words(b.p + a.n - 16, 16);
        differ |= (x.head ^ y.head) | (x.tail ^ y.tail);
    }
    return differ == 0;
}

/* The same where it is expected to be true, again and again with the same length: a branch on that
 * costs nothing then. */
static inline bool
span_still(struct span known, struct span s)
{
    uint64_t x[4];
    uint64_t y[4];

    if (known.n != s.n || s.n < 8 || s.n > 32)
        return span_equal(known, s);
    memcpy(&x[0], known.p, 8);
    memcpy(&y[0], s.p, 8);
    memcpy(&x[1], known.p + s.n - 8, 8);
    memcpy(&y[1], s.p + s.n - 8, 8);
    uint64_t differ = (x[0] ^ y[0]) | (x[1] ^ y[1]);
    if (s.n <= 16)
        return differ == 0;
    memcpy(&x[2], known.p + 8, 8);
    memcpy(&y[2], s.p + 8, 8);
    memcpy(&x[3], known.p + s.n - 16, 8);
    memcpy(&y[3], s.p + s.n - 16, 8);
    return (differ | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0;
}

/* ASCII only: TLP labels, domain names, header names. */
bool span_equal_nocase(struct span a, struct span b);
/* Does PART stand anywhere in TEXT? Likewise. */
bool span_holds_nocase(struct span text, struct span part);
bool span_starts(struct span s, struct span prefix);
bool span_ends(struct span s, struct span suffix);
/* Without ASCII white space at both ends. */
struct span span_trim(struct span s);
/* Up to the first SEPARATOR, which is taken off REST; false when REST is used up.
 * An empty REST yields nothing. */
bool span_next(struct span *rest, char separator, struct span *part);
/* Decimal digits only, the whole span; false on anything else or overflow. */
bool span_u64(struct span s, uint64_t *out);
/* Valid UTF-8 as RFC 3629 has it (no surrogates, no overlong forms)? */
bool span_is_utf8(struct span s);

struct buf {
    char *p;
    size_t n;
    size_t size;
    size_t max_bytes;
    bool full; /* an append did not fit: the content is cut there, check once at the end */
};

/* An empty buf of at most MAX_BYTES; takes no memory yet. */
struct buf buf_new(size_t max_bytes);
void buf_free(struct buf *buf);
/* Room for N more bytes behind n, or NULL (and full set). Does not move n. */
char *buf_reserve(struct buf *buf, size_t n);
void buf_add(struct buf *buf, const char *p, size_t n);
void buf_add_span(struct buf *buf, struct span s);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_u64(struct buf *buf, uint64_t value);
void buf_add_i64(struct buf *buf, int64_t value);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void
buf_add_char(struct buf *buf, char c)
{
    char *at = buf->n < buf->size ? buf->p + buf->n : buf_reserve(buf, 1);
    if (at == NULL)
        return;
    *at = c;
    buf->n++;
}
static inline struct span
buf_span(const struct buf *buf)
{
    return (struct span){buf->p, buf->n};
}
/* 0, or ERR_LIMIT when something did not fit. */
MUST_USE int buf_check(const struct buf *buf, const char *what, struct err *err);

#endif
