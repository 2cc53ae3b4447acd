#include "edge/http_url.h"

#include "base/conf.h"
#include "model/address.h"

enum { PORT_HTTPS = 443, PORT_HTTP = 80 };

static int
wrong(struct span url, const char *what, struct err *err)
{
    return err_set(
        err, ERR_BAD_NAME, "%.*s is no address that is used here: %s", SPAN_ARGS(url), what);
}

static bool
is_plain_text(struct span url)
{
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '\\' || url.p[i] == '#')
            return false;
    return true;
}

/* RFC 1123's letters, digits, hyphens and points: nothing that libcurl would read as a pattern, and
 * no international names that have not been encoded. */
static bool
is_host(struct span host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
                || c == '.'))
            return false;
    }
    return host.n > 0 && host.n <= HTTP_URL_HOST_BYTES && host.p[host.n - 1] != '.';
}

/* HOST, [HOST], and :PORT behind it. */
static bool
split(struct span authority, struct span *host, struct span *port)
{
    const char *end = memchr(authority.p, ']', authority.n);
    const char *colon;

    *port = (struct span){NULL, 0};
    if (authority.n > 0 && authority.p[0] == '[') {
        if (end == NULL)
            return false;
        *host = (struct span){authority.p + 1, (size_t)(end - authority.p) - 1};
        colon = end + 1 < authority.p + authority.n ? end + 1 : NULL;
    } else {
        colon = memchr(authority.p, ':', authority.n);
        *host =
            (struct span){authority.p, colon == NULL ? authority.n : (size_t)(colon - authority.p)};
    }
    if (colon != NULL)
        *port = (struct span){colon + 1, (size_t)(authority.p + authority.n - colon) - 1};
    return colon == NULL || (*colon == ':' && port->n > 0);
}

int
http_url_authority(struct span authority, struct http_url *out, struct err *err)
{
    struct address address;
    struct span port;
    uint64_t number = out->port;

    if (memchr(authority.p, '@', authority.n) != NULL)
        return wrong(authority, "it names a user", err);
    if (!split(authority, &out->host, &port))
        return wrong(authority, "its host or port cannot be read", err);
    out->numeric = address_parse(out->host, &address, NULL) == 0;
    if ((!out->numeric || (address.family == 6) != (authority.p[0] == '['))
        && (authority.p[0] == '[' || !is_host(out->host)))
        return wrong(authority, "it names no host", err);
    if (port.n > 0 && (!span_u64(port, &number) || number == 0 || number > UINT16_MAX))
        return wrong(authority, "its port is none", err);
    out->port = (uint16_t)number;
    return 0;
}

int
http_url_check(struct span url, bool plain, struct http_url *out, struct err *err)
{
    bool tls = span_starts(url, SPAN("https://"));
    size_t scheme = tls ? 8 : 7;
    struct http_url found = {.tls = tls, .port = tls ? PORT_HTTPS : PORT_HTTP};

    if (url.n > HTTP_URL_BYTES_MAX || !is_plain_text(url))
        return wrong(url, "it is too long, or has bytes that no URL has", err);
    if (!tls && (!plain || !span_starts(url, SPAN("http://"))))
        return wrong(url, "it should begin with https://", err);
    struct span rest = {url.p + scheme, url.n - scheme};
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    int rc = http_url_authority((struct span){rest.p, n}, &found, err);
    if (rc != 0)
        return rc;
    if (!tls && (!found.numeric || !conf_is_loopback(found.host)))
        return wrong(url, "without TLS, only addresses of this machine are", err);
    if (out != NULL)
        *out = found;
    return 0;
}

bool
http_url_is_proxy(struct span url)
{
    struct address address;
    struct span host;
    struct span port;
    uint64_t number;

    if (!span_starts(url, SPAN("http://")))
        return false;
    return split((struct span){url.p + 7, url.n - 7}, &host, &port)
        && address_parse(host, &address, NULL) == 0 && (address.family == 6) == (url.p[7] == '[')
        && span_u64(port, &number) && number > 0 && number <= UINT16_MAX;
}
