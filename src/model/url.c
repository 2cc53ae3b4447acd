#include "model/url.h"

/* Where the "://" behind a scheme begins (RFC 3986 section 3.1). */
static const char *
scheme_end(struct span text)
{
    size_t n = 0;

    while (n < text.n
        && ((unsigned)((text.p[n] | 0x20) - 'a') < 26
            || (n > 0 && memchr("0123456789+-.", text.p[n], 13) != NULL)))
        n++;
    return n > 0 && span_starts((struct span){text.p + n, text.n - n}, SPAN("://")) ? text.p + n
                                                                                    : NULL;
}

bool
url_split(struct span text, struct url *out)
{
    const char *after = scheme_end(text);
    const char *end = text.p + text.n;

    *out = (struct url){0};
    if (after == NULL)
        return false;
    out->scheme = (struct span){text.p, (size_t)(after + 3 - text.p)};
    const char *from = after + 3;
    const char *stop = from;
    while (stop < end && *stop != '/' && *stop != '?' && *stop != '#' && *stop != '\\')
        stop++;
    const char *at = stop == from ? NULL : memrchr(from, '@', (size_t)(stop - from));
    if (at != NULL) {
        out->login = (struct span){from, (size_t)(at + 1 - from)};
        from = at + 1;
    }
    const char *bracket =
        from < stop && *from == '[' ? memchr(from, ']', (size_t)(stop - from)) : NULL;
    const char *port = bracket != NULL ? bracket + 1
        : from == stop                 ? NULL
                                       : memchr(from, ':', (size_t)(stop - from));
    if (port != NULL && port < stop)
        stop = port;
    out->host = (struct span){from, (size_t)(stop - from)};
    out->rest = (struct span){stop, (size_t)(end - stop)};
    return true;
}

/* Digits and dots, "0x..." parts: what inet_aton takes. No name of the DNS ends in a number. */
bool
url_host_is_address(struct span host)
{
    if (host.n > 0 && host.p[0] == '[')
        return true;
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    size_t at = host.n;
    while (at > 0 && host.p[at - 1] != '.')
        at--;
    struct span last = {host.p + at, host.n - at};
    bool hex = last.n > 2 && last.p[0] == '0' && (last.p[1] | 0x20) == 'x';
    for (size_t i = hex ? 2 : 0; i < last.n; i++) {
        unsigned char c = (unsigned char)last.p[i];
        if ((unsigned)(c - '0') > 9 && !(hex && (unsigned)((c | 0x20) - 'a') < 6))
            return false;
    }
    return last.n > 0;
}
