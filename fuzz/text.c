/* Small texts by which records stand or fall: times, addresses, prefixes, names, URLs, labels. What
 * is written is read as the same. */
#include "fuzz.h"

#include "base/time.h"
#include "fmt/httpdate.h"
#include "model/address.h"
#include "model/domain.h"
#include "model/url.h"
#include "model/words.h"

static void
try_time(struct span text)
{
    char written[TIME_TEXT_BYTES];
    int64_t us;
    int64_t again;

    if (time_parse(text, &us, NULL) == 0) {
        size_t n = time_format(us, "Z", written);
        MUST(time_parse((struct span){written, n}, &again, NULL) == 0 && again == us);
    }
    (void)httpdate_parse(text, &us);
}

static void
try_address(struct span text)
{
    char written[ADDRESS_TEXT_BYTES];
    struct address address;
    struct address again;

    if (prefix_parse(text, &address, NULL) == 0) {
        size_t n = address_format(&address, written);
        MUST(prefix_parse((struct span){written, n}, &again, NULL) == 0);
        MUST(again.high == address.high && again.low == address.low && again.bits == address.bits);
    }
}

static void
try_name(struct span text)
{
    char normal[DOMAIN_BYTES];
    char twice[DOMAIN_BYTES];
    size_t n;
    size_t m;

    if (domain_normalise(text, normal, &n, NULL) != 0)
        return;
    MUST(domain_look((struct span){normal, n}) == (DOMAIN_SOUND | DOMAIN_ASCII | DOMAIN_LOWER));
    MUST(domain_normalise((struct span){normal, n}, twice, &m, NULL) == 0);
    MUST(span_equal((struct span){normal, n}, (struct span){twice, m}));
}

/* The parts stand one behind the other, with at most a colon or bracket's end between. */
static void
try_url(struct span text)
{
    struct url url;

    if (!url_split(text, &url))
        return;
    MUST(url.scheme.n + url.login.n + url.host.n + url.rest.n == text.n);
    (void)url_host_is_address(url.host);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {size == 0 ? "" : (const char *)data, size};

    try_time(text);
    try_address(text);
    try_name(text);
    try_url(text);
    (void)tlp_find(text);
    (void)classification_find(text);
    (void)economy_find(text);
    return 0;
}
