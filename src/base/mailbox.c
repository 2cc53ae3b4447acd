#include "base/mailbox.h"

#include <stdio.h>
#include <string.h>

static bool
is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 5322, 3.2.3: atext. */
static bool
is_atext(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Parts of at most MOST characters that ALLOWED lets be, with points between them. */
static bool
is_dotted(struct span text, size_t most, bool (*allowed)(char c))
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '.' ? n == 0 : !allowed(text.p[i]))
            return false;
        n = text.p[i] == '.' ? 0 : n + 1;
        if (n > most)
            return false;
    }
    return n > 0;
}

static bool
is_ldh(char c)
{
    return is_alnum(c) || c == '-';
}

bool
mail_is_address(struct span address)
{
    const char *at = address.n == 0 ? NULL : memchr(address.p, '@', address.n);
    enum { LOCAL_MOST = 64, LABEL_MOST = 63 }; /* RFC 5321, 4.5.3.1; RFC 1035, 2.3.4 */

    if (at == NULL || address.n > MAIL_ADDRESS_BYTES)
        return false;
    struct span local = {address.p, (size_t)(at - address.p)};
    struct span domain = {at + 1, address.n - local.n - 1};
    return local.n <= LOCAL_MOST && is_dotted(local, LOCAL_MOST, is_atext)
        && is_dotted(domain, LABEL_MOST, is_ldh) && domain.p[0] != '-';
}

struct span
mail_reply(struct span reply, struct span batch, char out[MAIL_REPLY_BYTES])
{
    const char *at = reply.n == 0 ? NULL : memmem(reply.p, reply.n, "BATCH", 5);

    if (at == NULL)
        return reply;
    struct span before = {reply.p, (size_t)(at - reply.p)};
    struct span behind = {at + 5, reply.n - before.n - 5};
    int n = snprintf(out, MAIL_REPLY_BYTES, "%.*s%.*s%.*s", SPAN_ARGS(before), SPAN_ARGS(batch),
        SPAN_ARGS(behind));
    return (struct span){out, n > 0 && n < MAIL_REPLY_BYTES ? (size_t)n : 0};
}
