#include "model/link.h"

#include "model/url.h"

#include <stdio.h>

/* The least that a link takes: its numbers, and the lengths of its texts. */
enum { LINK_BYTES_MIN = 4 + 1 + 1 + 3 * 4 + 8 * LINK_WHAT_COUNT };

/* A name, or an address with its brackets. */
static bool
is_host(struct span host)
{
    static const char others[] = "0123456789.-:[]";

    for (size_t i = 0; i < host.n; i++)
        if ((unsigned)((host.p[i] | 0x20) - 'a') >= 26
            && memchr(others, host.p[i], sizeof others - 1) == NULL)
            return false;
    return host.n > 0;
}

const char *
link_way_word(enum link_flag flag)
{
    return flag == LINK_PUSH ? "push" : flag == LINK_POLL ? "poll" : "witness";
}

bool
link_url_is(struct span url)
{
    struct url parts;
    uint64_t port = 443;

    if (url.n > LINK_URL_BYTES || !span_starts(url, SPAN("https://")) || !url_split(url, &parts))
        return false;
    if (parts.rest.n > 0
        && (parts.rest.p[0] != ':'
            || !span_u64((struct span){parts.rest.p + 1, parts.rest.n - 1}, &port)))
        return false;
    return parts.login.n == 0 && is_host(parts.host) && port >= 1 && port <= 65535;
}

bool
link_pin_is(struct span pin)
{
    for (size_t i = 0; i < pin.n; i++)
        if ((pin.p[i] < '0' || pin.p[i] > '9') && (pin.p[i] < 'a' || pin.p[i] > 'f'))
            return false;
    return pin.n == LINK_PIN_BYTES;
}

void
link_add(struct buf *out, const struct link *link)
{
    wire_add_u32(out, link->team);
    wire_add_u8(out, link->flags);
    wire_add_u8(out, link->waits);
    wire_add_text(out, link->id);
    wire_add_text(out, link->url);
    wire_add_text(out, link->pin);
    for (size_t i = 0; i < LINK_WHAT_COUNT; i++)
        wire_add_i64(out, link->polled_us[i]);
}

static void
take_one(struct wire_in *in, struct link *out)
{
    out->team = wire_u32(in);
    out->flags = wire_u8(in);
    out->waits = wire_u8(in) != 0;
    out->id = wire_text(in);
    out->url = wire_text(in);
    out->pin = wire_text(in);
    for (size_t i = 0; i < LINK_WHAT_COUNT; i++)
        out->polled_us[i] = wire_i64(in);
}

int
links_take(
    struct arena *arena, struct span body, struct link **list, size_t *count, struct err *err)
{
    struct wire_in in = wire_in(body);
    uint32_t n = wire_u32(&in);

    *list = NULL;
    *count = 0;
    if (n > in.n / LINK_BYTES_MIN)
        return err_set(err, ERR_INTERNAL, "%u links do not fit into %zu bytes", n, in.n);
    struct link *links = arena_zalloc(arena, (size_t)n + 1, sizeof *links);
    if (links == NULL)
        return arena_full(err, "links are read");
    for (uint32_t i = 0; i < n; i++)
        take_one(&in, &links[i]);
    int rc = wire_end(&in, "a list of links", err);
    if (rc == 0) {
        *list = links;
        *count = n;
    }
    return rc;
}

void
link_parcel_add(struct buf *out, const struct link_parcel *parcel)
{
    wire_add_i64(out, parcel->from_us);
    wire_add_i64(out, parcel->through_us);
    wire_add_u32(out, parcel->objects);
    wire_add_text(out, parcel->envelope);
}

int
link_parcel_take(struct span body, struct link_parcel *out, struct err *err)
{
    struct wire_in in = wire_in(body);

    out->from_us = wire_i64(&in);
    out->through_us = wire_i64(&in);
    out->objects = wire_u32(&in);
    out->envelope = wire_text(&in);
    return wire_end(&in, "what goes to a link", err);
}

size_t
link_dates_format(const struct link_dates *dates, char out[LINK_DATES_BYTES])
{
    return (size_t)snprintf(out, LINK_DATES_BYTES, "%lld %lld",
        (long long)(dates->from_us < 0 ? 0 : dates->from_us), (long long)dates->through_us);
}

bool
link_dates_parse(struct span text, struct link_dates *out)
{
    struct span first;
    uint64_t from;
    uint64_t through;

    if (!span_next(&text, ' ', &first) || !span_u64(first, &from) || !span_u64(text, &through)
        || from >= through || through > INT64_MAX)
        return false;
    *out = (struct link_dates){(int64_t)from, (int64_t)through};
    return true;
}

void
link_dates_add(struct buf *out, const struct link_dates *dates)
{
    wire_add_i64(out, dates->from_us);
    wire_add_i64(out, dates->through_us);
}

int
link_dates_take(struct span body, struct link_dates *out, struct err *err)
{
    struct wire_in in = wire_in(body);

    out->from_us = wire_i64(&in);
    out->through_us = wire_i64(&in);
    return wire_end(&in, "a parcel's dates", err);
}

void
link_failure_add(struct buf *out, const struct link_failure *failure)
{
    wire_add_u32(out, failure->team);
    wire_add_u8(out, failure->flag);
    wire_add_u8(out, failure->refused);
    wire_add_u16(out, failure->status);
    wire_add_i64(out, failure->again_us);
    wire_add_text(out, failure->why);
}

int
link_failure_take(struct span body, struct link_failure *out, struct err *err)
{
    struct wire_in in = wire_in(body);

    out->team = wire_u32(&in);
    out->flag = wire_u8(&in);
    out->refused = wire_u8(&in) != 0;
    out->status = wire_u16(&in);
    out->again_us = wire_i64(&in);
    out->why = wire_text(&in);
    return wire_end(&in, "a link's failure", err);
}
