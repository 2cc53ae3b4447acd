/* The courier's pure parts: when it is tried again, which URLs it turns to, and which deliveries
 * are whole. */
#include "edge/gather.h"
#include "edge/http_url.h"
#include "edge/pause.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define SECOND INT64_C(1000000)

/* ---- pauses ---- */

static void
pauses_double_up_to_their_most(void **state)
{
    static const int64_t wanted[] = {10, 10, 20, 40, 60, 60, 60};

    (void)state;
    for (uint32_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        int64_t us = wanted[i] * SECOND;
        assert_int_equal(pause_us(i, 10 * SECOND, 60 * SECOND, 0), us - us / 4);
        for (uint64_t chance = 1; chance < 1000; chance += 7) {
            int64_t one =
                pause_us(i, 10 * SECOND, 60 * SECOND, chance * UINT64_C(0x9e3779b97f4a7c15));
            assert_true(one >= us - us / 4 && one <= us + us / 4 + 1);
        }
    }
    assert_int_equal(pause_us(UINT32_MAX, SECOND, 3600 * SECOND, 0), 2700 * SECOND);
    assert_true(pause_us(5, 0, 0, UINT64_MAX) >= 0);
}

static void
what_retry_after_asks_for(void **state)
{
    const int64_t now = INT64_C(784111777) * SECOND; /* Sun, 06 Nov 1994 08:49:37 GMT */

    (void)state;
    assert_int_equal(pause_asked_us(SPAN("7"), now), 7 * SECOND);
    assert_int_equal(pause_asked_us(SPAN("0"), now), 0);
    assert_int_equal(pause_asked_us(SPAN("86401"), now), 86400 * SECOND);
    assert_int_equal(pause_asked_us(SPAN("18446744073709551615"), now), 86400 * SECOND);
    assert_int_equal(pause_asked_us(SPAN("99999999999999999999999"), now), 0);
    assert_int_equal(pause_asked_us(SPAN("-1"), now), 0);
    assert_int_equal(pause_asked_us(SPAN("soon"), now), 0);
    assert_int_equal(pause_asked_us(SPAN(""), now), 0);
    assert_int_equal(pause_asked_us(SPAN("Sun, 06 Nov 1994 08:50:37 GMT"), now), 60 * SECOND);
    assert_int_equal(pause_asked_us(SPAN("Sun, 06 Nov 1994 08:48:37 GMT"), now), 0);
    assert_int_equal(pause_asked_us(SPAN("Sun, 06 Nov 2094 08:48:37 GMT"), now), 86400 * SECOND);
}

/* ---- URLs ---- */

static void
urls_that_are_turned_to(void **state)
{
    static const struct {
        const char *url;
        const char *host;
        uint16_t port;
        bool numeric;
    } good[] = {
        {"https://192.0.2.1:8444", "192.0.2.1", 8444, true},
        {"https://192.0.2.1/x?y=z", "192.0.2.1", 443, true},
        {"https://[2001:db8::1]:1", "2001:db8::1", 1, true},
        {"https://[2001:db8::1]", "2001:db8::1", 443, true},
        {"https://node.south.test:65535/", "node.south.test", 65535, false},
        {"https://south.test?a@b", "south.test", 443, false},
    };
    struct http_url url;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(http_url_check(span_of(good[i].url), false, &url, &err), 0);
        assert_true(span_equal(url.host, span_of(good[i].host)));
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.numeric, good[i].numeric);
        assert_true(url.tls);
    }
}

static void
urls_that_are_not(void **state)
{
    static const char *const bad[] = {"", "https://", "https:///x", "http://192.0.2.1",
        "ftp://south.test", "file:///etc/passwd", "HTTPS://south.test", "https://user@south.test",
        "https://south.test@evil.test", "https://south.test:", "https://south.test:0",
        "https://south.test:65536", "https://south.test:80x", "https://[::1", "https://[::1]x",
        "https://[192.0.2.1]", "https://::1", "https://[south.test]", "https://south test",
        "https://south.test\\@evil.test", "https://south.test#x", "https://\xc3\xb6.test",
        "https://south.test.", "https://*.test", "https://south.test/\r\nX: y", "https://a_b.test"};
    static const char *const never_plain[] = {"http://192.0.2.1", "http://south.test",
        "http://localhost", "http://127.evil.test", "http://0.0.0.0", "http://[::]"};
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (http_url_check(span_of(bad[i]), false, NULL, &err) != ERR_BAD_NAME)
            fail_msg("%s is taken", bad[i]);
    for (size_t i = 0; i < sizeof never_plain / sizeof never_plain[0]; i++)
        assert_int_equal(http_url_check(span_of(never_plain[i]), true, NULL, &err), ERR_BAD_NAME);
    assert_int_equal(http_url_check(SPAN("http://127.0.0.1:80"), true, NULL, &err), 0);
    assert_int_equal(http_url_check(SPAN("http://[::1]:80"), true, NULL, &err), 0);
}

static void
proxies_are_addresses(void **state)
{
    (void)state;
    assert_true(http_url_is_proxy(SPAN("http://192.0.2.1:3128")));
    assert_true(http_url_is_proxy(SPAN("http://[2001:db8::1]:3128")));
    assert_false(http_url_is_proxy(SPAN("http://192.0.2.1")));
    assert_false(http_url_is_proxy(SPAN("http://proxy.test:3128")));
    assert_false(http_url_is_proxy(SPAN("socks5://192.0.2.1:3128")));
    assert_false(http_url_is_proxy(SPAN("http://u:p@192.0.2.1:3128")));
    assert_false(http_url_is_proxy(SPAN("http://")));
    assert_false(http_url_is_proxy(SPAN("")));
}

static void
hosts_without_a_scheme(void **state)
{
    static const char *const bad[] = {"", "a@mail.test", "mail.test/", "mail.test?", "mail.test:0",
        "mail.test:", "mail.test:65536", "[192.0.2.1]", "2001:db8::1", "[mail.test]", "[::1]/x",
        "127.0.0.1/x", "mail.test\r\n", "*", "mail.test:25:192.0.2.1"};
    struct http_url where = {.port = 25};
    struct err err;

    (void)state;
    assert_int_equal(http_url_authority(SPAN("mail.test"), &where, &err), 0);
    assert_true(span_equal(where.host, SPAN("mail.test")) && where.port == 25 && !where.numeric);
    assert_int_equal(http_url_authority(SPAN("[2001:db8::1]:587"), &where, &err), 0);
    assert_true(span_equal(where.host, SPAN("2001:db8::1")) && where.port == 587 && where.numeric);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (http_url_authority(span_of(bad[i]), &where, &err) != ERR_BAD_NAME)
            fail_msg("%s is taken", bad[i]);
}

/* ---- deliveries ---- */

#define ITEM(n) "{\"type\":\"observed-data\",\"n\":" #n "}"
#define VALUE(n) "{\"type\":\"ipv4-addr\",\"n\":" #n "}"
#define BATCH "{\"type\":\"comity-batch\"}"

static struct json *json;

static int
add(struct gather *gather, const char *page)
{
    struct err err = {0};

    return gather_page(gather, json, span_of(page), &err);
}

static void
expect(const struct gather *gather, const char *ready)
{
    size_t n = gather_ready(gather);

    assert_int_equal(n, strlen(ready));
    assert_memory_equal(gather->objects.p, ready, n);
}

static void
a_delivery_waits_for_its_end(void **state)
{
    struct gather gather;

    (void)state;
    gather_init(&gather);
    assert_int_equal(add(&gather, "{\"more\": true, \"objects\": [" VALUE(1) ", " ITEM(1) "]}"), 0);
    expect(&gather, "");
    assert_int_equal(add(&gather, "{\"more\": true, \"objects\": [" BATCH "," ITEM(2) "]}"), 0);
    expect(&gather, VALUE(1) "," ITEM(1) "," BATCH);
    gather_drop(&gather, gather_ready(&gather));
    expect(&gather, "");
    assert_int_equal(gather.objects.n, strlen(ITEM(2)));
    assert_int_equal(add(&gather, "{\"more\": true, \"objects\": [" BATCH "," BATCH "]}"), 0);
    expect(&gather, ITEM(2) "," BATCH "," BATCH);
    gather_drop(&gather, gather_ready(&gather));
    assert_int_equal(gather.objects.n, 0);
    gather_free(&gather);
}

static void
the_last_page_ends_everything(void **state)
{
    struct gather gather;

    (void)state;
    gather_init(&gather);
    assert_int_equal(add(&gather, "{\"more\": true, \"objects\": [" ITEM(1) "]}"), 0);
    assert_int_equal(add(&gather, "{\"objects\": [" ITEM(2) "]}"), 0);
    expect(&gather, ITEM(1) "," ITEM(2));
    gather_drop(&gather, gather_ready(&gather));
    assert_int_equal(add(&gather, "{}"), 0);
    expect(&gather, "");
    assert_int_equal(add(&gather, "{\"more\": false, \"objects\": []}"), 0);
    expect(&gather, "");
    gather_free(&gather);
}

/* Who never ends one is handed on all the same, and no report without what it refers to. */
static void
what_never_ends_is_bounded(void **state)
{
    struct gather gather;
    struct buf page = buf_new(GATHER_PAGE_MAX);
    size_t handed = 0;

    (void)state;
    gather_init(&gather);
    buf_add_text(&page, "{\"more\":true,\"objects\":[" VALUE(0));
    while (page.n < GATHER_PAGE_MAX - 200)
        buf_add_text(&page, "," VALUE(1) "," ITEM(1) "," VALUE(2));
    buf_add_text(&page, "]}");
    buf_add_char(&page, '\0');
    assert_false(page.full);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(add(&gather, page.p), 0);
        size_t ready = gather_ready(&gather);
        if (ready == 0)
            continue;
        assert_true(ready > GATHER_BYTES_MAX / 2);
        assert_memory_equal(gather.objects.p + ready - strlen(ITEM(1)), ITEM(1), strlen(ITEM(1)));
        gather_drop(&gather, ready);
        assert_true(gather.objects.n < 100);
        handed++;
    }
    assert_true(handed >= 4);
    assert_true(gather.parted);
    buf_free(&page);
    gather_free(&gather);
}

/* Who gets a part of it vouches for nothing: a root over that would say that something else came.
 */
static void
a_delivery_that_was_parted_loses_its_batch(void **state)
{
    static const char manifest[] = "{\"more\": true, \"objects\": [{\"date_added\": "
                                   "\"2026-01-01T00:00:00.000001Z\"}]}";
    const int64_t then_us = INT64_C(1767225600000000);
    struct gather gather;
    int64_t at_us = then_us;
    struct err err;

    (void)state;
    gather_init(&gather);
    assert_int_equal(add(&gather, "{\"more\": true, \"objects\": [" ITEM(1) "]}"), 0);
    assert_int_equal(gather_skip(&gather, json, span_of(manifest), &at_us, &err), 0);
    assert_true(at_us == then_us + 1);
    expect(&gather, "");
    assert_int_equal(
        add(&gather, "{\"more\": true, \"objects\": [" ITEM(2) "," BATCH "," ITEM(3) "]}"), 0);
    expect(&gather, ITEM(1) "," ITEM(2));
    gather_drop(&gather, gather_ready(&gather));
    assert_int_equal(add(&gather, "{\"more\": true, \"objects\": [" BATCH "]}"), 0);
    expect(&gather, ITEM(3) "," BATCH); /* the next one is whole again */
    gather_drop(&gather, gather_ready(&gather));
    assert_int_equal(gather_skip(&gather, json, span_of(manifest), &at_us, &err), ERR_BAD_ANSWER);
    gather_drop(&gather, gather.objects.n);
    at_us = then_us;
    assert_int_equal(gather_skip(&gather, json, span_of(manifest), &at_us, &err), 0);
    assert_int_equal(add(&gather, "{\"more\": true, \"objects\": [" BATCH "]}"), 0);
    expect(&gather, ""); /* nothing is left of it */
    gather_free(&gather);
}

static void
what_is_no_page(void **state)
{
    static const char *const bad[] = {"", "{", "[]", "7", "null", "{\"objects\": {}}",
        "{\"objects\": 7}", "{\"more\": true}", "{\"more\": true, \"objects\": []}"};
    struct gather gather;

    (void)state;
    gather_init(&gather);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(add(&gather, bad[i]), ERR_BAD_ANSWER);
    gather_free(&gather);
}

static int
set_up(void **state)
{
    (void)state;
    json = json_new(GATHER_BYTES_MAX);
    return json == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    json_free(json);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_their_most),
        cmocka_unit_test(what_retry_after_asks_for),
        cmocka_unit_test(urls_that_are_turned_to),
        cmocka_unit_test(urls_that_are_not),
        cmocka_unit_test(proxies_are_addresses),
        cmocka_unit_test(hosts_without_a_scheme),
        cmocka_unit_test(a_delivery_waits_for_its_end),
        cmocka_unit_test(the_last_page_ends_everything),
        cmocka_unit_test(what_never_ends_is_bounded),
        cmocka_unit_test(a_delivery_that_was_parted_loses_its_batch),
        cmocka_unit_test(what_is_no_page),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
