#include "fmt/shadowvalue.h"

#include "base/time.h"
#include "fmt/httpdate.h"
#include "model/domain.h"

#include <idn2.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_BYTES_MAX = 64, CVES_MAX = 64 };

static int
set_text(struct field *field, struct span text)
{
    field->type = VALUE_TEXT;
    field->s = text.p;
    field->n = (uint32_t)text.n;
    return SHADOWVALUE_SET;
}

static int
set_copy(struct field *field, struct arena *scratch, const char *p, size_t n, struct err *err)
{
    const char *copy = arena_copy(scratch, p, n);

    return copy == NULL ? arena_full(err, "a record's values")
                        : set_text(field, (struct span){copy, n});
}

static struct span
cell_at(const struct shadowvalue_row *row, int32_t at)
{
    return at >= 0 && (uint32_t)at < row->count ? row->cells[at] : (struct span){"", 0};
}

static int
to_int(struct span cell, struct field *field, struct err *err)
{
    uint64_t value;
    struct span digits = span_trim(cell);
    bool minus = digits.n > 0 && digits.p[0] == '-';

    if (digits.n > 0 && (minus || digits.p[0] == '+'))
        digits = (struct span){digits.p + 1, digits.n - 1};
    if (!span_u64(digits, &value) || (minus && value > INT64_MAX))
        return err_set(
            err, ERR_BAD_NUMBER, "\"%.*s\" is no whole number of at most 64 bits", SPAN_ARGS(cell));
    field->type = value > INT64_MAX ? VALUE_UINT : VALUE_INT;
    if (minus)
        field->i = -(int64_t)value;
    else
        field->u = value;
    return SHADOWVALUE_SET;
}

static int
to_nonzero(struct span cell, struct field *field, struct err *err)
{
    int rc = to_int(cell, field, err);

    return rc == SHADOWVALUE_SET && field->u == 0 ? SHADOWVALUE_NONE : rc;
}

static int
to_float(struct span cell, struct field *field, struct err *err)
{
    char text[NUMBER_BYTES_MAX + 1];
    char *end = text;
    struct span trimmed = span_trim(cell);

    if (trimmed.n > 0 && trimmed.n <= NUMBER_BYTES_MAX
        && memchr(trimmed.p, 'x', trimmed.n) == NULL) {
        memcpy(text, trimmed.p, trimmed.n);
        text[trimmed.n] = '\0';
        field->d = strtod(text, &end);
    }
    if (end == text || *end != '\0' || !isfinite(field->d))
        return err_set(
            err, ERR_BAD_NUMBER, "\"%.*s\" is no finite decimal number", SPAN_ARGS(cell));
    field->type = VALUE_FLOAT;
    return SHADOWVALUE_SET;
}

static int
to_bool(struct span cell, struct field *field)
{
    static const char *const words[2][4] = {{"n", "no", "false", "0"}, {"y", "yes", "true", "1"}};

    for (int value = 0; value < 2; value++)
        for (int i = 0; i < 4; i++)
            if (span_equal_nocase(cell, span_of(words[value][i]))) {
                field->type = VALUE_BOOL;
                field->b = value == 1;
                return SHADOWVALUE_SET;
            }
    return SHADOWVALUE_NONE;
}

static int
set_time(int64_t us, struct field *field, struct arena *scratch, struct err *err)
{
    char text[TIME_TEXT_BYTES];
    size_t n = time_format(us, "+00:00", text);

    return set_copy(field, scratch, text, n, err);
}

static int
to_date(struct span cell, struct field *field, struct arena *scratch, struct err *err)
{
    int64_t us;

    if (httpdate_parse(cell, &us) || time_parse(cell, &us, NULL) == 0)
        return set_time(us, field, scratch, err);
    return SHADOWVALUE_NONE;
}

/* "2026-11-23 08:15:00", which time_parse took, needs no way through a number. Second 60 does. */
static int
set_usual_time(struct span cell, struct field *field, struct arena *scratch, struct err *err)
{
    char text[25];

    memcpy(text, cell.p, 19);
    text[10] = 'T';
    memcpy(text + 19, "+00:00", 6);
    return set_copy(field, scratch, text, sizeof text, err);
}

static int
to_time(struct span cell, struct field *field, struct arena *scratch, struct err *err)
{
    int64_t us;
    struct span text = span_trim(cell);
    int rc = time_parse(text, &us, err);

    if (rc != 0)
        return rc;
    bool usual = text.n == 19 && text.p[16] == ':' && text.p[17] != '6';
    return usual ? set_usual_time(text, field, scratch, err) : set_time(us, field, scratch, err);
}

static int
set_address(
    const struct address *address, struct field *field, struct arena *scratch, struct err *err)
{
    char text[ADDRESS_TEXT_BYTES];
    size_t n = address_format(address, text);

    return set_copy(field, scratch, text, n, err);
}

static int
to_ip(struct span cell, struct field *field, struct arena *scratch, struct err *err)
{
    struct address address;

    cell = span_trim(cell);
    if (address_parse(cell, &address, NULL) != 0)
        return SHADOWVALUE_NONE;
    if (address.family == 4)
        return set_text(field, cell); /* the only form there is */
    return set_address(&address, field, scratch, err);
}

/* Bits behind the length are cleared: feeds name a network by an address inside it. */
static int
to_network(struct span cell, struct field *field, struct arena *scratch, struct err *err)
{
    struct address network;
    uint64_t bits;
    struct span rest = span_trim(cell);
    struct span base;

    if (memchr(rest.p, '/', rest.n) == NULL || !span_next(&rest, '/', &base)
        || address_parse(base, &network, NULL) != 0 || !span_u64(rest, &bits)
        || bits > network.bits)
        return SHADOWVALUE_NONE;
    unsigned host = network.bits - (unsigned)bits;
    network.bits = (uint8_t)bits;
    if (host >= 64) {
        network.low = 0;
        network.high = host == 128 ? 0 : network.high >> (host - 64) << (host - 64);
    } else {
        network.low = network.low >> host << host;
    }
    char text[ADDRESS_TEXT_BYTES];
    size_t n = address_format(&network, text);
    if (memchr(text, '/', n) == NULL)
        n += (size_t)snprintf(text + n, sizeof text - n, "/%u", (unsigned)bits);
    return set_copy(field, scratch, text, n, err);
}

static char *
lower(struct span s, struct arena *scratch)
{
    char *copy = arena_copy(scratch, s.p, s.n);

    for (size_t i = 0; copy != NULL && i < s.n; i++)
        if ((unsigned)(copy[i] - 'A') < 26)
            copy[i] = (char)(copy[i] | 0x20);
    return copy;
}

/* Names in other scripts become their ASCII form (RFC 5891). */
static bool
to_ascii_name(struct span *s, struct arena *scratch)
{
    char *in = arena_copy(scratch, s->p, s->n);
    char *out = NULL;

    if (in == NULL || s->n > 4 * DOMAIN_NAME_MAX || memchr(in, '\0', s->n) != NULL
        || idn2_to_ascii_8z(in, &out, IDN2_NONTRANSITIONAL) != IDN2_OK)
        return false;
    size_t n = strlen(out);
    *s = (struct span){arena_copy(scratch, out, n), n};
    idn2_free(out);
    return s->p != NULL;
}

/* A domain name that is no address, in lower case, without the root's dot. */
static int
to_name(struct span cell, struct field *field, struct arena *scratch)
{
    struct address address;
    struct span name = span_trim(cell);
    unsigned look = domain_look(name);

    if ((look & DOMAIN_ASCII) == 0) {
        if (!to_ascii_name(&name, scratch))
            return SHADOWVALUE_BAD;
        look = domain_look(name);
    }
    if (name.n > 1 && name.p[name.n - 1] == '.') {
        name.n--;
        look = domain_look(name);
    }
    if ((look & DOMAIN_SOUND) == 0)
        return SHADOWVALUE_BAD;
    if ((unsigned)(name.p[name.n - 1] - '0') < 10 && address_parse(name, &address, NULL) == 0)
        return SHADOWVALUE_BAD;
    if ((look & DOMAIN_LOWER) == 0)
        name.p = lower(name, scratch);
    return name.p == NULL ? SHADOWVALUE_BAD : set_text(field, name);
}

/* Reports split a URL into host and path columns: scheme by application, host by the best column
 * there is. */
static int
to_url(struct span cell, const struct shadowvalue_row *row, struct field *field, struct err *err)
{
    struct span host = cell_at(row, row->http_host);
    struct span scheme = SPAN("http");

    if (host.n == 0)
        host = cell_at(row, row->hostname);
    if (host.n == 0)
        host = cell_at(row, row->ip);
    if (host.n == 0)
        return set_text(field, cell);
    if (span_equal(cell_at(row, row->application), SPAN("https")))
        scheme = SPAN("https");
    const char *path = memchr(cell.p, '/', cell.n);
    size_t n = path == NULL ? 0 : (size_t)(cell.p + cell.n - path);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)path[i] <= ' ')
            n = i;
    char *url = arena_alloc(row->scratch, scheme.n + 3 + host.n + n + 1);
    if (url == NULL)
        return arena_full(err, "a record's values");
    memcpy(url, scheme.p, scheme.n);
    memcpy(url + scheme.n, "://", 3);
    memcpy(url + scheme.n + 3, host.p, host.n);
    if (n > 0)
        memcpy(url + scheme.n + 3 + host.n, path, n);
    return set_text(field, (struct span){url, scheme.n + 3 + host.n + n});
}

/* "cve-2020-1234" and nothing else? */
static bool
is_cve(struct span tag)
{
    struct span part;
    uint64_t number;

    if (!span_starts(tag, SPAN("cve-")))
        return false;
    tag = (struct span){tag.p + 4, tag.n - 4};
    return span_next(&tag, '-', &part) && span_u64(part, &number) && span_u64(tag, &number);
}

static int
by_text(const void *a, const void *b)
{
    const struct span *x = a;
    const struct span *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

static int
to_cve(struct span cell, struct field *field, struct arena *scratch, struct err *err)
{
    struct span found[CVES_MAX];
    struct span tag;
    size_t count = 0;
    size_t n = 0;

    if (cell.n < 4 || memmem(cell.p, cell.n, "cve-", 4) == NULL)
        return SHADOWVALUE_NONE;
    char *text = arena_alloc(scratch, cell.n + 1);
    if (text == NULL)
        return arena_full(err, "a record's values");
    while (count < CVES_MAX && span_next(&cell, ';', &tag))
        if (is_cve(tag))
            found[count++] = tag;
    qsort(found, count, sizeof found[0], by_text);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && span_equal(found[i], found[i - 1]))
            continue;
        if (n > 0)
            text[n++] = ';';
        memcpy(text + n, found[i].p, found[i].n);
        n += found[i].n;
    }
    return n == 0 ? SHADOWVALUE_NONE : set_text(field, (struct span){text, n});
}

static int
base64_digit(char c)
{
    if ((unsigned)(c - 'A') < 26)
        return c - 'A';
    if ((unsigned)(c - 'a') < 26)
        return c - 'a' + 26;
    if ((unsigned)(c - '0') < 10)
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Canonical (RFC 4648 section 3.5): padded, nothing else inside, unused bits zero. */
static bool
is_base64(struct span s)
{
    size_t pad = 0;

    if (s.n == 0 || s.n % 4 != 0)
        return false;
    while (pad < 2 && s.p[s.n - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < s.n - pad; i++)
        if (base64_digit(s.p[i]) < 0)
            return false;
    int last = base64_digit(s.p[s.n - 1 - pad]);
    return pad == 0 || (pad == 1 ? last % 4 == 0 : last % 16 == 0);
}

static int
to_base64(struct span cell, struct field *field, struct arena *scratch, struct err *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)cell.p;

    for (size_t i = 0; i < cell.n; i++)
        if (p[i] >= 0x80)
            return err_set(err, ERR_BAD_VALUE, "raw bytes must come as ASCII text or base64");
    if (is_base64(cell))
        return set_text(field, cell);
    char *out = arena_alloc(scratch, (cell.n + 2) / 3 * 4);
    if (out == NULL)
        return arena_full(err, "a record's values");
    size_t n = 0;
    for (size_t i = 0; i < cell.n; i += 3) {
        size_t left = cell.n - i;
        uint32_t bits = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0)
            | (left > 2 ? p[i + 2] : 0);
        out[n++] = digits[bits >> 18];
        out[n++] = digits[bits >> 12 & 63];
        out[n++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        out[n++] = left > 2 ? digits[bits & 63] : '=';
    }
    return set_text(field, (struct span){out, n});
}

/* Exchange servers are reported as vulnerable, and as broken into when a web shell was found. */
static int
to_exchange(enum conversion conversion, struct span cell, struct field *field)
{
    bool shell = memmem(cell.p, cell.n, "webshell", 8) != NULL;

    if (conversion == CONVERSION_EXCHANGE_TAXONOMY)
        return set_text(field, shell ? SPAN("intrusions") : SPAN("vulnerable"));
    if (conversion == CONVERSION_EXCHANGE_TYPE)
        return set_text(field, shell ? SPAN("system-compromise") : SPAN("vulnerable-system"));
    return set_text(
        field, shell ? SPAN("exchange-server-webshell") : SPAN("vulnerable-exchange-server"));
}

int
shadowvalue_convert(enum conversion conversion, struct span cell, const struct shadowvalue_row *row,
    struct field *field, struct err *err)
{
    switch (conversion) {
    case CONVERSION_NONE:
        if ((cell.n == 1 && cell.p[0] == '0') || span_equal(cell, SPAN("unknown")))
            return SHADOWVALUE_NONE;
        return set_text(field, cell);
    case CONVERSION_NONZERO:
        return to_nonzero(cell, field, err);
    case CONVERSION_INT:
        return to_int(cell, field, err);
    case CONVERSION_FLOAT:
        return to_float(cell, field, err);
    case CONVERSION_BOOL:
        return to_bool(cell, field);
    case CONVERSION_TIME:
        return to_time(cell, field, row->scratch, err);
    case CONVERSION_DATE:
    case CONVERSION_DATE_UTC:
        return to_date(cell, field, row->scratch, err);
    case CONVERSION_IP:
        return to_ip(cell, field, row->scratch, err);
    case CONVERSION_NETWORK:
        return to_network(cell, field, row->scratch, err);
    case CONVERSION_NAME:
        return to_name(cell, field, row->scratch) == SHADOWVALUE_SET ? SHADOWVALUE_SET
                                                                     : SHADOWVALUE_NONE;
    case CONVERSION_URL:
        return to_url(cell, row, field, err);
    case CONVERSION_CVE:
        return to_cve(cell, field, row->scratch, err);
    case CONVERSION_CATEGORY:
        return set_text(field, cell.n > 0 ? cell : cell_at(row, row->detail));
    case CONVERSION_BASE64:
        return to_base64(cell, field, row->scratch, err);
    case CONVERSION_EXCHANGE_TAXONOMY:
    case CONVERSION_EXCHANGE_TYPE:
    case CONVERSION_EXCHANGE_IDENTIFIER:
        return to_exchange(conversion, cell, field);
    case CONVERSION_TEXT:
    case CONVERSION_COUNT:
        break;
    }
    return set_text(field, cell);
}

static bool
is_printable_ascii(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned)(s.p[i] - ' ') > '~' - ' ')
            return false;
    return true;
}

/* Names of /etc/protocols that reports have been seen with, and their neighbours. */
static bool
is_protocol(struct span s)
{
    static const char *const names[] = {"tcp", "udp", "icmp", "ip", "ipv6-icmp", "sctp", "gre",
        "esp", "ah", "igmp", "ipv6", "ipip", "ospf", "eigrp", "egp", "igp", "ggp", "rdp", "rsvp",
        "l2tp", "vrrp", "pim", "isis", "dccp", "ipcomp", "etherip", "encap", "ipv6-route",
        "ipv6-frag", "ipv6-nonxt", "ipv6-opts", "st", "pup", "hmp", "xns-idp", "iso-tp4", "xtp",
        "ddp", "idpr-cmtp", "idrp", "skip", "vmtp", "ax.25", "pgm", "fc", "divert"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (span_equal(s, span_of(names[i])))
            return true;
    return false;
}

static enum shadowvalue
fit_lower(struct field *field, struct span text, struct arena *scratch)
{
    if (!is_printable_ascii(text))
        return SHADOWVALUE_BAD;
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned)(text.p[i] - 'A') < 26) {
            text.p = lower(text, scratch);
            break;
        }
    if (text.p == NULL || (field->id == FIELD_PROTOCOL_TRANSPORT && !is_protocol(text)))
        return SHADOWVALUE_BAD;
    return (enum shadowvalue)set_text(field, text);
}

static enum shadowvalue
fit_economy(struct field *field, struct span text, struct arena *scratch)
{
    struct economy economy = economy_find(text);
    char *code;

    if (economy.index == 0)
        return SHADOWVALUE_BAD;
    if ((unsigned)(text.p[0] - 'A') < 26 && (unsigned)(text.p[1] - 'A') < 26)
        return (enum shadowvalue)set_text(field, text);
    code = arena_alloc(scratch, 3);
    if (code == NULL)
        return SHADOWVALUE_BAD;
    economy_code(economy, code);
    return (enum shadowvalue)set_text(field, (struct span){code, 2});
}

static enum shadowvalue
fit_url(struct field *field, struct span text)
{
    const char *colon = memchr(text.p, ':', text.n);

    if (colon != NULL
        && !span_starts((struct span){colon, (size_t)(text.p + text.n - colon)}, SPAN("://")))
        colon = memmem(text.p, text.n, "://", 3);
    if (colon == NULL || colon == text.p || colon + 3 == text.p + text.n)
        return SHADOWVALUE_BAD;
    return (enum shadowvalue)set_text(field, text);
}

enum shadowvalue
shadowvalue_fit(struct field *field, struct arena *scratch)
{
    const enum field_type type = (enum field_type)field_rows[field->id].type;

    if (type == FIELD_TYPE_ASN
        && (field->type != VALUE_INT || field->i <= 0 || field->i > UINT32_MAX))
        return SHADOWVALUE_BAD;
    if (field->type != VALUE_TEXT)
        return SHADOWVALUE_SET;
    struct span text = {field->s, field->n};
    if (text.n == 0 || (text.n == 1 && text.p[0] == '-') || span_equal(text, SPAN("N/A")))
        return SHADOWVALUE_NONE;
    text = span_trim(text);
    if (text.n == 0)
        return SHADOWVALUE_BAD;
    switch (field->id) {
    case FIELD_MALWARE_NAME:
    case FIELD_PROTOCOL_APPLICATION:
    case FIELD_PROTOCOL_TRANSPORT:
        return fit_lower(field, text, scratch);
    case FIELD_MALWARE_MD5:
    case FIELD_MALWARE_SHA1:
    case FIELD_MALWARE_SHA256:
        return is_printable_ascii(text) ? (enum shadowvalue)set_text(field, text) : SHADOWVALUE_BAD;
    default:
        break;
    }
    switch (type) {
    case FIELD_TYPE_ECONOMY:
        return fit_economy(field, text, scratch);
    case FIELD_TYPE_NAME:
        return (enum shadowvalue)to_name(text, field, scratch);
    case FIELD_TYPE_URL:
        return fit_url(field, text);
    default:
        return (enum shadowvalue)set_text(field, text);
    }
}
