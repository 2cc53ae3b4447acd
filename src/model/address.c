#include "model/address.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>

static int
bad(struct span text, const char *what, struct err *err)
{
    return err_set(err, ERR_BAD_ADDRESS, "\"%.*s\" %s", SPAN_ARGS(text), what);
}

static const uint64_t ones = 0x0101010101010101u;

/* The 7 to 15 bytes of TEXT as two words, zeros behind them; its first byte lowest. */
static void
split_text(struct span text, uint64_t words[2])
{
    uint32_t head;
    uint32_t tail;

    if (text.n < 8) {
        memcpy(&head, text.p, 4);
        memcpy(&tail, text.p + text.n - 4, 4);
        words[0] = htole32(head) | (uint64_t)htole32(tail) << 8 * (text.n - 4);
        words[1] = 0;
        return;
    }
    memcpy(&words[0], text.p, 8);
    memcpy(&words[1], text.p + text.n - 8, 8);
    words[0] = htole64(words[0]);
    words[1] = text.n == 8 ? 0 : htole64(words[1]) >> 8 * (16 - text.n);
}

/* One bit a byte of W that is no digit; the bytes are XORed with '0'. */
static unsigned
no_digits(uint64_t w)
{
    uint64_t high = (((w & ones * 0x7f) + ones * 0x76) | w) & ones * 0x80;

    return (unsigned)((high >> 7) * 0x0102040810204080u >> 56);
}

static unsigned
dots(uint64_t w)
{
    uint64_t x = w ^ ones * ('.' ^ '0');
    uint64_t zero = ~(((x & ones * 0x7f) + ones * 0x7f) | x | ones * 0x7f);

    return (unsigned)((zero >> 7) * 0x0102040810204080u >> 56);
}

/* The last N of the three digits in THREE, the first of them lowest, as a number; more than 255 if
 * N is not 1 to 3, or they begin with a zero for nothing. */
static uint32_t
octet(uint32_t three, unsigned n)
{
    static const uint32_t least[4] = {UINT32_MAX, 0, 10, 100};

    if (n > 3)
        return UINT32_MAX;
    three &= 0xffffffu & 0xffffffu << 8 * (3 - n);
    uint32_t value = (three & 255) * 100 + (three >> 8 & 255) * 10 + (three >> 16 & 255);
    return value >= least[n] ? value : UINT32_MAX;
}

/* The octet between the dots at FROM and END. */
static uint32_t
octet_between(unsigned __int128 digits, unsigned from, unsigned end)
{
    return octet((uint32_t)(digits >> 8 * (end - 3)), end - from - 1);
}

/* Dotted quad, no leading zeros: hot, so by hand and without a branch a character. */
static bool
parse4(struct span text, uint32_t *out)
{
    uint64_t words[2];

    if (text.n < 7 || text.n > 15)
        return false;
    split_text(text, words);
    words[0] ^= ones * '0';
    words[1] ^= ones * '0';
    unsigned mask = (1u << text.n) - 1;
    unsigned dot = (dots(words[0]) | dots(words[1]) << 8) & mask;
    unsigned other = (no_digits(words[0]) | no_digits(words[1]) << 8) & mask;
    unsigned second = dot & (dot - 1);
    unsigned third = second & (second - 1);
    if (other != dot || third == 0 || (third & (third - 1)) != 0)
        return false;
    unsigned __int128 digits = (unsigned __int128)words[1] << 64 | words[0];
    unsigned ends[4] = {(unsigned)__builtin_ctz(dot), (unsigned)__builtin_ctz(second),
        (unsigned)__builtin_ctz(third), (unsigned)text.n};
    if (ends[0] > 3 || ends[1] < 3)
        return false;
    uint32_t a = octet((uint32_t)digits << 8 * (3 - ends[0]), ends[0]);
    uint32_t b = octet_between(digits, ends[0], ends[1]);
    uint32_t c = octet_between(digits, ends[1], ends[2]);
    uint32_t d = octet_between(digits, ends[2], ends[3]);
    *out = a << 24 | b << 16 | c << 8 | d;
    return (a | b | c | d) <= 255;
}

static uint64_t
big64(const unsigned char *p)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | p[i];
    return value;
}

static bool
parse6(struct span text, struct address *out)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char bytes[16];

    if (text.n >= sizeof copy || memchr(text.p, '\0', text.n) != NULL)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET6, copy, bytes) != 1)
        return false;
    *out =
        (struct address){.high = big64(bytes), .low = big64(bytes + 8), .family = 6, .bits = 128};
    return true;
}

int
address_parse(struct span text, struct address *out, struct err *err)
{
    uint32_t v4;

    *out = (struct address){0};
    if (parse4(text, &v4)) {
        *out = (struct address){.low = v4, .family = 4, .bits = 32};
        return 0;
    }
    if (memchr(text.p, ':', text.n) != NULL && parse6(text, out))
        return 0;
    return bad(text, "is no IP address; one looks like 192.0.2.1 or 2001:db8::1", err);
}

static uint64_t
mask(unsigned bits)
{
    return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : UINT64_MAX << (64 - bits);
}

static void
masks(const struct address *prefix, uint64_t *high, uint64_t *low)
{
    if (prefix->family == 4) {
        *high = 0;
        *low = mask(prefix->bits + 32u);
        return;
    }
    *high = mask(prefix->bits < 64 ? prefix->bits : 64);
    *low = mask(prefix->bits < 64 ? 0 : prefix->bits - 64u);
}

int
prefix_parse(struct span text, struct address *out, struct err *err)
{
    const char *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
    uint64_t bits;
    uint64_t high;
    uint64_t low;

    if (slash == NULL)
        return address_parse(text, out, err);
    size_t n = (size_t)(slash - text.p);
    if (address_parse((struct span){text.p, n}, out, NULL) != 0)
        return bad(text, "is no prefix; one looks like 192.0.2.0/24 or 2001:db8::/32", err);
    if (!span_u64((struct span){slash + 1, text.n - n - 1}, &bits) || bits > out->bits)
        return bad(text, "has an impossible prefix length", err);
    out->bits = (uint8_t)bits;
    masks(out, &high, &low);
    if ((out->high & ~high) != 0
        || (out->low & ~low & (out->family == 4 ? UINT32_MAX : UINT64_MAX)) != 0)
        return bad(text, "has bits set behind its prefix length", err);
    return 0;
}

size_t
address_format(const struct address *address, char *out)
{
    unsigned char bytes[16];
    unsigned whole = address->family == 4 ? 32 : 128;

    if (address->family == 4) {
        uint32_t a = (uint32_t)address->low;
        (void)snprintf(
            out, ADDRESS_TEXT_BYTES, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
    } else {
        for (unsigned i = 0; i < 8; i++) {
            bytes[i] = (unsigned char)(address->high >> (56 - 8 * i));
            bytes[i + 8] = (unsigned char)(address->low >> (56 - 8 * i));
        }
        (void)inet_ntop(AF_INET6, bytes, out, ADDRESS_TEXT_BYTES);
    }
    size_t n = strlen(out);
    if (address->bits != whole)
        n += (size_t)snprintf(out + n, ADDRESS_TEXT_BYTES - n, "/%u", address->bits);
    return n;
}

bool
address_in(const struct address *address, const struct address *prefix)
{
    uint64_t high;
    uint64_t low;

    if (address->family != prefix->family || address->bits < prefix->bits)
        return false;
    masks(prefix, &high, &low);
    return ((address->high ^ prefix->high) & high) == 0
        && ((address->low ^ prefix->low) & low) == 0;
}
