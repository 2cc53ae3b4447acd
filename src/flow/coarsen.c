#include "flow/coarsen.h"

#include "base/time.h"

#include "model/url.h"

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

/* The registrable domain of NAME at ROOM; n 0 if it has none. */
static struct span
registrable(struct span name, char room[256])
{
    if (name.n >= 256 || !is_host(name) || url_host_is_address(name))
        return (struct span){NULL, 0};
    for (size_t i = 0; i < name.n; i++)
        room[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    room[name.n] = '\0';
    const char *domain = registrable_of(room);
    return domain == NULL ? (struct span){NULL, 0} : span_of(domain);
}

static bool
coarsen_name(struct arena *arena, struct field *field)
{
    char room[256];

    if (field->type != VALUE_TEXT)
        return false;
    struct span domain = registrable((struct span){field->s, field->n}, room);
    return domain.n > 0 && set_text(arena, field, domain.p, domain.n);
}

/* A host whose bytes are a host's, or an IPv6 address in brackets. */
static bool
is_url_host(struct span host)
{
    if (host.n < 3 || host.p[0] != '[')
        return is_host(host);
    for (size_t i = 1; i + 1 < host.n; i++)
        if (memchr("0123456789abcdefABCDEF:.", host.p[i], 24) == NULL)
            return false;
    return host.p[host.n - 1] == ']';
}

bool
coarsen_url(struct arena *arena, struct field *field, struct coarsen_url keep)
{
    char room[256];
    struct url url;

    if (field->type != VALUE_TEXT || !url_split((struct span){field->s, field->n}, &url))
        return false;
    if (!is_url_host(url.host))
        return false; /* what a path or password looks like is not known */
    if (keep.suffix)
        url.host = registrable(url.host, room);
    if (keep.suffix && url.host.n > 0 && url.host.p[url.host.n - 1] == '.')
        url.host.n--;
    if (url.host.n == 0)
        return false;
    const struct span parts[] = {url.scheme, keep.login ? url.login : (struct span){NULL, 0},
        url.host, keep.path ? url.rest : (struct span){NULL, 0}};
    char *text = arena_alloc(arena, field->n);
    size_t n = 0;
    for (size_t i = 0; text != NULL && i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].n > 0)
            memcpy(text + n, parts[i].p, parts[i].n);
        n += parts[i].n;
    }
    field->s = text;
    field->n = (uint32_t)n;
    return text != NULL;
}

static bool
coarsen_account(struct field *field)
{
    const char *at =
        field->type == VALUE_TEXT && field->n > 0 ? memrchr(field->s, '@', field->n) : NULL;

    if (at == NULL)
        return false;
    struct span domain = {at + 1, (size_t)(field->s + field->n - at - 1)};
    if (!is_host(domain) || url_host_is_address(domain))
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
        return coarsen_url(arena, field, (struct coarsen_url){0});
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
