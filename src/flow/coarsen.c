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

static bool
coarsen_name(struct arena *arena, struct field *field)
{
    char name[256];

    if (field->type != VALUE_TEXT || field->n >= sizeof name)
        return false;
    for (uint32_t i = 0; i < field->n; i++)
        name[i] = (char)(field->s[i] >= 'A' && field->s[i] <= 'Z' ? field->s[i] + 32 : field->s[i]);
    name[field->n] = '\0';
    const char *registrable = psl_registrable_domain(psl_builtin(), name);
    return registrable != NULL && set_text(arena, field, registrable, strlen(registrable));
}

/* "https://user:pw@host:8080/path" -> "https://host" */
static bool
coarsen_url(struct arena *arena, struct field *field)
{
    const char *after = field->type == VALUE_TEXT ? memmem(field->s, field->n, "://", 3) : NULL;

    if (after == NULL)
        return false;
    struct span scheme = {field->s, (size_t)(after + 3 - field->s)};
    struct span host = {after + 3, field->n - scheme.n};
    for (size_t i = 0; i < host.n; i++)
        if (memchr("/?#\\", host.p[i], 4) != NULL)
            host.n = i;
    const char *user = host.n == 0 ? NULL : memrchr(host.p, '@', host.n);
    if (user != NULL)
        host = (struct span){user + 1, (size_t)(host.p + host.n - user - 1)};
    const char *port = host.n > 0 && host.p[0] == '[' ? memchr(host.p, ']', host.n)
        : host.n > 0                                  ? memchr(host.p, ':', host.n)
                                                      : NULL;
    if (port != NULL)
        host.n = (size_t)(port - host.p) + (*port == ']' ? 1 : 0);
    char *text = host.n == 0 ? NULL : arena_alloc(arena, scheme.n + host.n);
    if (text == NULL)
        return false;
    memcpy(text, scheme.p, scheme.n);
    memcpy(text + scheme.n, host.p, host.n);
    field->s = text;
    field->n = (uint32_t)(scheme.n + host.n);
    return true;
}

static bool
coarsen_account(struct field *field)
{
    const char *at =
        field->type == VALUE_TEXT && field->n > 0 ? memrchr(field->s, '@', field->n) : NULL;

    if (at == NULL || at + 1 == field->s + field->n)
        return false;
    field->n -= (uint32_t)(at + 1 - field->s);
    field->s = at + 1;
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
        return true;
    case FIELD_CLASS_TEXT:
    case FIELD_CLASS_COUNT:
        break;
    }
    return false;
}
