#include "model/asked.h"

#include "model/domain.h"

static bool
is_asn(struct span text, uint32_t *asn)
{
    struct span digits = text;
    uint64_t value;

    if (digits.n > 2 && (digits.p[0] | 0x20) == 'a' && (digits.p[1] | 0x20) == 's')
        digits = (struct span){text.p + 2, text.n - 2};
    if (!span_u64(digits, &value) || value > UINT32_MAX)
        return false;
    *asn = (uint32_t)value;
    return true;
}

static bool
looks_like_address(struct span text)
{
    bool dotted = text.n > 0;

    if (memchr(text.p, ':', text.n) != NULL || memchr(text.p, '/', text.n) != NULL)
        return true;
    for (size_t i = 0; i < text.n; i++)
        dotted = dotted && (text.p[i] == '.' || (text.p[i] >= '0' && text.p[i] <= '9'));
    return dotted;
}

static int
read_name(struct span text, struct endpoint *out, struct err *err)
{
    char name[DOMAIN_BYTES];
    size_t n;
    int rc = domain_normalise(text, name, &n, err);

    out->name = text;
    return rc != 0 || memchr(name, '.', n) != NULL
        ? rc
        : err_set(err, ERR_BAD_NAME,
            "\"%.*s\" is no address, AS number or domain name with a dot in it", SPAN_ARGS(text));
}

int
asked_understand(struct span text, struct asked *out, struct err *err)
{
    *out = (struct asked){.kind = "domain"};
    if (text.n == 0)
        return err_set(
            err, ERR_BAD_NAME, "the query is empty; ask for an address, an AS number or a domain");
    if (is_asn(text, &out->endpoint.asn)) {
        out->kind = "asn";
        return out->endpoint.asn != 0
            ? 0
            : err_set(err, ERR_BAD_NUMBER, "AS numbers go from 1 to 4294967295");
    }
    if (!looks_like_address(text))
        return read_name(text, &out->endpoint, err);
    out->kind = "address";
    int rc = prefix_parse(text, &out->endpoint.ip, err);
    if (rc == 0)
        out->endpoint.ip.bits = out->endpoint.ip.family == 4 ? 32 : 128;
    return rc;
}
