#include "model/domain.h"

#include <idn2.h>

enum { FINE = 1, UPPER = 2, WIDE = 4, DOT = 8 };

static const uint8_t byte_kinds[256] = {['a' ... 'z'] = FINE,
    ['0' ... '9'] = FINE,
    ['-'] = FINE,
    ['_'] = FINE,
    ['A' ... 'Z'] = FINE | UPPER,
    [0x80 ... 0xff] = FINE | WIDE,
    ['.'] = DOT};

static unsigned
look_by_byte(struct span name)
{
    unsigned all = 0;
    unsigned wrong = 0;
    unsigned label = 0;

    for (size_t i = 0; i < name.n; i++) {
        unsigned kind = byte_kinds[(unsigned char)name.p[i]];
        all |= kind;
        wrong |= (kind == 0) | ((kind == DOT) & (label == 0)) | (label > DOMAIN_LABEL_MAX);
        label = kind == DOT ? 0 : label + 1;
    }
    bool sound = !wrong && label > 0 && label <= DOMAIN_LABEL_MAX && name.n <= DOMAIN_NAME_MAX;
    return (sound ? DOMAIN_SOUND : 0) | ((all & WIDE) == 0 ? DOMAIN_ASCII : 0)
        | ((all & UPPER) == 0 ? DOMAIN_LOWER : 0);
}

typedef unsigned char sixteen __attribute__((vector_size(16))); /* gcc's and clang's */

static inline sixteen
between(sixteen bytes, unsigned char first, unsigned char last)
{
    return (sixteen)(bytes - first <= (unsigned char)(last - first));
}

/* What is wrong, wide or upper in sixteen bytes: 0xff at the bytes that are. */
struct looked {
    sixteen wrong; /* no byte of a name, or a dot behind a dot */
    sixteen wide;
    sixteen upper;
};

static inline void
look_at_sixteen(const char *p, struct looked *out)
{
    sixteen bytes;

    memcpy(&bytes, p, sizeof bytes);
    sixteen wide = between(bytes, 0x80, 0xff);
    sixteen dots = between(bytes, '.', '.');
    sixteen fine = between(bytes | 0x20, 'a', 'z') | between(bytes, '0', '9')
        | between(bytes, '-', '-') | between(bytes, '_', '_') | dots | wide;
    sixteen before = __builtin_shufflevector(
        dots, (sixteen){0}, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
    out->wrong |= ~fine | (dots & before);
    out->wide |= wide;
    out->upper |= between(bytes, 'A', 'Z');
}

static inline bool
is_none(sixteen bytes)
{
    uint64_t halves[2];

    memcpy(halves, &bytes, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

unsigned
domain_look(struct span name)
{
    struct looked all = {0};

    /* Shorter than the longest label, so that labels need no count. */
    if (name.n < 16 || name.n > DOMAIN_LABEL_MAX)
        return look_by_byte(name);
    /* Steps of fifteen: each pair of neighbours is in one of the loads. */
    for (size_t i = 0; i + 16 < name.n; i += 15)
        look_at_sixteen(name.p + i, &all);
    look_at_sixteen(name.p + name.n - 16, &all);
    bool sound = is_none(all.wrong) && name.p[0] != '.' && name.p[name.n - 1] != '.';
    return (sound ? DOMAIN_SOUND : 0) | (is_none(all.wide) ? DOMAIN_ASCII : 0)
        | (is_none(all.upper) ? DOMAIN_LOWER : 0);
}

bool
domain_is_ascii(struct span name)
{
    unsigned char any = 0;

    for (size_t i = 0; i < name.n; i++)
        any |= (unsigned char)name.p[i];
    return any < 0x80;
}

static int
bad(struct span name, const char *what, struct err *err)
{
    return err_set(err, ERR_BAD_NAME, "\"%.*s\" %s", SPAN_ARGS(name), what);
}

/* Lower the ASCII name in place and check its labels. */
static const char *
check(char *name, size_t n)
{
    size_t label = 0;

    if (n == 0 || n > DOMAIN_NAME_MAX)
        return "is no domain name: it should have 1 to 253 characters";
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c == '.' && label > 0) {
            label = 0;
            continue;
        }
        if (c >= 'A' && c <= 'Z')
            name[i] = (char)(c | 0x20);
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && c != '-'
            && c != '_')
            return "is no domain name: labels have letters, digits, '-' and '_'";
        if (++label > DOMAIN_LABEL_MAX)
            return "is no domain name: a label is longer than 63 characters";
    }
    return label > 0 ? NULL : "is no domain name: a label is empty";
}

static int
to_ascii(struct span name, char out[DOMAIN_BYTES], size_t *n, struct err *err)
{
    char text[4 * DOMAIN_BYTES];
    char *ascii = NULL;
    int rc;

    if (name.n >= sizeof text || memchr(name.p, '\0', name.n) != NULL)
        return bad(name, "is no domain name: it is too long or holds a NUL", err);
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    rc = idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK)
        return err_set(err, ERR_BAD_NAME, "\"%.*s\" is no internationalised domain name: %s",
            SPAN_ARGS(name), idn2_strerror(rc));
    *n = strlen(ascii);
    if (*n < DOMAIN_BYTES)
        memcpy(out, ascii, *n + 1);
    idn2_free(ascii);
    return *n < DOMAIN_BYTES ? 0 : bad(name, "is no domain name: it is too long", err);
}

int
domain_normalise(struct span name, char out[DOMAIN_BYTES], size_t *n, struct err *err)
{
    const char *wrong;

    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    if (!domain_is_ascii(name)) {
        int rc = to_ascii(name, out, n, err);
        if (rc != 0)
            return rc;
    } else {
        *n = name.n < DOMAIN_BYTES ? name.n : 0;
        memcpy(out, name.n > 0 ? name.p : "", *n);
        out[*n] = '\0';
    }
    wrong = check(out, *n);
    return wrong == NULL ? 0 : bad(name, wrong, err);
}
