#include "model/address.h"

#include <arpa/inet.h>
#include <stdio.h>

static int
bad(struct span text, const char *what, struct err *err)
{
    return err_set(err, ERR_BAD_ADDRESS, "\"%.*s\" %s", SPAN_ARGS(text), what);
}

/* Dotted quad, no leading zeros: hot, so by hand. */
static bool
parse4(struct span text, uint32_t *out)
{
    uint32_t value = 0;
    uint32_t octet = 0;
    unsigned dots = 0;
    unsigned digits = 0;

    if (text.n < 7 || text.n > 15)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned digit = (unsigned)(unsigned char)text.p[i] - '0';
        if (digit <= 9) {
            if (digits > 0 && octet == 0)
                return false;
            octet = octet * 10 + digit;
            if (++digits > 3 || octet > 255)
                return false;
            continue;
        }
        if (text.p[i] != '.' || digits == 0 || ++dots > 3)
            return false;
        value = value << 8 | octet;
        octet = digits = 0;
    }
    if (dots != 3 || digits == 0)
        return false;
    *out = value << 8 | octet;
    return true;
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
