#include "flow/coarsen.h"

#include "base/time.h"

#include <libpsl.h>

enum { V4_BITS = 24, V6_BITS = 48 };
#define HOUR_US ((int64_t)3600 * 1000000)

static bool
set_text(struct arena *arena, struct field *field, const char *p, size_t n)
{
    char *copy = arena_copy(arena, p, n);

    if (copy == NULL)
        return false;
    field->type = VALUE_TEXT;
    field->s = copy;
    field->n = (uint32_t)n;
    return true;
}

/* The field that carries a network where this one carried an address. */
static enum field_id
network_of(uint16_t id)
{
    return id == FIELD_SOURCE_IP || id == FIELD_SOURCE_NETWORK          ? FIELD_SOURCE_NETWORK
        : id == FIELD_DESTINATION_IP || id == FIELD_DESTINATION_NETWORK ? FIELD_DESTINATION_NETWORK
                                                                        : FIELD_OTHER;
}

static void
cut(struct address *address, uint8_t bits)
{
    if (address->bits < bits)
        return;
    address->bits = bits;
    if (address->family == 4) {
        address->low &= UINT32_MAX & (UINT64_MAX << (32 - bits));
        return;
    }
    address->high &= UINT64_MAX << (64 - bits);
    address->low = 0;
}

static bool
coarsen_address(struct arena *arena, struct field *field)
{
    struct address address;
    char text[ADDRESS_TEXT_BYTES];
    enum field_id id = network_of(field->id);

    if (field->type != VALUE_TEXT || (field->id != FIELD_OTHER && id == FIELD_OTHER))
        return false;
    if (prefix_parse((struct span){field->s, field->n}, &address, NULL) != 0)
        return false;
    cut(&address, address.family == 4 ? V4_BITS : V6_BITS);
    size_t n = address_format(&address, text);
    if (id != FIELD_OTHER) {
        field->id = (uint16_t)id;
        field->name = field_name(id);
    }
    return set_text(arena, field, text, n);
}

/* Only what names of hosts are made of; anything else may hide a password or a path. */
static bool
is_host(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool letter = (unsigned)((c | 0x20) - 'a') < 26 || (unsigned)(c - '0') < 10 || c >= 0x80;
        if (!letter && c != '.' && c != '-' && c != '_')
            return false;
    }
    return s.n > 0;
}

/* An address, in whichever notation? No name's last label begins with a digit. */
static bool
is_numeric(struct span host)
{
    if (host.p[0] == '[')
        return true;
    if (host.p[host.n - 1] == '.')
        host.n--;
    const char *dot = host.n == 0 ? NULL : memrchr(host.p, '.', host.n);
    struct span last = {dot == NULL ? host.p : dot + 1, 0};
    last.n = (size_t)(host.p + host.n - last.p);
    return last.n == 0 || (unsigned)(last.p[0] - '0') < 10;
}

/* Under a suffix that no registry has ("pc.local") nothing was registered. */
static const char *
registrable_of(const char *name)
{
    const psl_ctx_t *list = psl_builtin();
    const char *registrable = psl_registrable_domain(list, name);
    const char *suffix = registrable == NULL ? NULL : psl_unregistrable_domain(list, name);

    return suffix != NULL
            && psl_is_public_suffix2(list, suffix, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE)
        ? registrable
        : NULL;
}

static bool
coarsen_name(struct arena *arena, struct field *field)
{
    char name[256];
    struct span text = {field->s, field->n};

    if (field->type != VALUE_TEXT || text.n >= sizeof name || !is_host(text) || is_numeric(text))
        return false;
    for (uint32_t i = 0; i < field->n; i++)
        name[i] = (char)(field->s[i] >= 'A' && field->s[i] <= 'Z' ? field->s[i] + 32 : field->s[i]);
    name[field->n] = '\0';
    const char *registrable = registrable_of(name);
    return registrable != NULL && set_text(arena, field, registrable, strlen(registrable));
}

/* "https://", or nothing where "://" stands further behind. */
static struct span
scheme_of(struct span url)
{
    size_t n = 0;

    while (n < url.n
        && ((unsigned)((url.p[n] | 0x20) - 'a') < 26
            || (n > 0 && memchr("0123456789+-.", url.p[n], 13) != NULL)))
        n++;
    bool whole = n > 0 && span_starts((struct span){url.p + n, url.n - n}, SPAN("://"));
    return (struct span){url.p, whole ? n + 3 : 0};
}

/* The host in "user:pw@host:8080/path"; n 0 if it is none. */
static struct span
host_of(struct span host)
{
    for (size_t i = 0; i < host.n; i++)
        if (memchr("/?#\\", host.p[i], 4) != NULL)
            host.n = i;
    const char *user = host.n == 0 ? NULL : memrchr(host.p, '@', host.n);
    if (user != NULL)
        host = (struct span){user + 1, (size_t)(host.p + host.n - user - 1)};
    if (host.n > 0 && host.p[0] == '[') {
        size_t n = 1;
        while (n < host.n && memchr("0123456789abcdefABCDEF:.", host.p[n], 24) != NULL)
            n++;
        return (struct span){host.p, n < host.n && host.p[n] == ']' ? n + 1 : 0};
    }
    const char *port = host.n == 0 ? NULL : memchr(host.p, ':', host.n);
    if (port != NULL)
        host.n = (size_t)(port - host.p);
    return is_host(host) ? host : (struct span){host.p, 0};
}

/* "https://user:pw@host:8080/path" -> "https://host" */
static bool
coarsen_url(struct arena *arena, struct field *field)
{
    if (field->type != VALUE_TEXT)
        return false;
    struct span scheme = scheme_of((struct span){field->s, field->n});
    if (scheme.n == 0)
        return false;
    struct span host = host_of((struct span){field->s + scheme.n, field->n - scheme.n});
    char *text = host.n == 0 ? NULL : arena_alloc(arena, scheme.n + host.n);
    if (text == NULL)
        return false;
    memcpy(text, scheme.p, scheme.n);
    memcpy(text + scheme.n, host.p, host.n);
    field->s = text;
    field->n = (uint32_t)(scheme.n + host.n);
    return true;
}

bool
coarsen_left_address(const struct field *url)
{
    struct span text = {url->s, url->n};
    struct span scheme = scheme_of(text);

    return is_numeric((struct span){text.p + scheme.n, text.n - scheme.n});
}

static bool
coarsen_account(struct field *field)
{
    const char *at =
        field->type == VALUE_TEXT && field->n > 0 ? memrchr(field->s, '@', field->n) : NULL;

    if (at == NULL)
        return false;
    struct span domain = {at + 1, (size_t)(field->s + field->n - at - 1)};
    if (!is_host(domain) || is_numeric(domain))
        return false; /* "bob@example.org:secret" */
    field->s = domain.p;
    field->n = (uint32_t)domain.n;
    return true;
}

/* Only a MAC address ("00:11:22:33:44:55", also with '-') has a vendor part. */
static bool
coarsen_device(struct field *field)
{
    if (field->type != VALUE_TEXT || field->n != 17)
        return false;
    for (uint32_t i = 0; i < field->n; i++) {
        unsigned char c = (unsigned char)field->s[i];
        bool hex = (unsigned)(c - '0') < 10 || (unsigned)((c | 0x20) - 'a') < 6;
        if (i % 3 == 2 ? c != ':' && c != '-' : !hex)
            return false;
    }
    field->n = 8;
    return true;
}

static bool
coarsen_time(struct arena *arena, struct field *field)
{
    char text[TIME_TEXT_BYTES];
    int64_t us;

    if (field->type != VALUE_TEXT || time_parse((struct span){field->s, field->n}, &us, NULL) != 0)
        return false;
    int64_t over = us % HOUR_US;
    size_t n = time_format(us - (over < 0 ? over + HOUR_US : over), "+00:00", text);
    return set_text(arena, field, text, n);
}

bool
coarsen_field(struct arena *arena, struct field *field)
{
    switch ((enum field_class)field->class) {
    case FIELD_CLASS_ADDRESS:
        return coarsen_address(arena, field);
    case FIELD_CLASS_NAME:
        return coarsen_name(arena, field);
    case FIELD_CLASS_URL:
        return coarsen_url(arena, field);
    case FIELD_CLASS_ACCOUNT:
        return coarsen_account(field);
    case FIELD_CLASS_DEVICE:
        return coarsen_device(field);
    case FIELD_CLASS_TIME:
        return coarsen_time(arena, field);
    case FIELD_CLASS_OPEN:
    case FIELD_CLASS_TEXT:
    case FIELD_CLASS_COUNT:
        break;
    }
    return false;
}
