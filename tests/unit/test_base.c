#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"
#include "model/domain.h"
#include "model/report.h"

#include <arpa/inet.h>
#include <stdio.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static void
every_field_is_found_by_name(void **state)
{
    (void)state;
    for (int i = 0; i < FIELD_COUNT; i++)
        assert_int_equal(field_find(field_name((enum field_id)i)), i);
    assert_int_equal(field_find(SPAN("extra.tag")), FIELD_OTHER);
    assert_int_equal(field_find(SPAN("")), FIELD_OTHER);
}

static void
arena_stops_at_its_maximum(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1000);
    assert_non_null(arena_alloc(arena, 900));
    assert_null(arena_alloc(arena, 200));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 200));
    assert_null(arena_zalloc(arena, SIZE_MAX / 2, 4));
    arena_free(arena);
}

static void
table_gives_each_name_one_index(void **state)
{
    (void)state;
    static char names[1000][8];
    struct table *table = table_new(1000);
    uint32_t index;
    for (uint32_t i = 0; i < 1000; i++) {
        int n = snprintf(names[i], sizeof names[i], "n%u", i);
        assert_int_equal(table_add(table, (struct span){names[i], (size_t)n}, &index, NULL), 0);
        assert_int_equal(index, i);
    }
    assert_int_equal(table_find(table, SPAN("n77")), 77);
    assert_int_equal(table_find(table, SPAN("none")), -1);
    assert_int_equal(table_add(table, SPAN("one more"), &index, NULL), ERR_LIMIT);
    table_free(table);
}

static void
times_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {{"1970-01-01T00:00:00Z", 0}, {"2019-09-04 07:00:19", 1567580419000000},
        {"2019-09-04T09:00:19.25+02:00", 1567580419250000}, {"2000-02-29", 951782400000000},
        {"2016-12-31T23:59:60Z", 1483228799000000}, {"2019-09-04 07:00:19 UTC", 1567580419000000}};
    static const char *const bad[] = {"", "2019", "2019-13-01", "2019-02-29",
        "2019-01-01T25:00:00Z", "0000-01-01", "2019-01-01T00:00:00+99:00",
        "2019-01-01 00:00:00 tomorrow", "2019-01-01T00:00:00.Z", "yesterday"};
    char text[TIME_TEXT_BYTES];
    int64_t us;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(time_parse(span_of(good[i].text), &us, NULL), 0);
        assert_int_equal(us, good[i].us);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(time_parse(span_of(bad[i]), &us, NULL), ERR_BAD_TIME);
    for (us = -2000000000000000; us < 4000000000000000; us += 12345678901234) {
        int64_t again;
        size_t n = time_format(us, "+00:00", text);
        assert_int_equal(time_parse((struct span){text, n}, &again, NULL), 0);
        assert_int_equal(again, us);
    }
}

static void
addresses_are_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "999.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", "", "::g", "1:2", "0x7f.1.1.1"};
    static const char *const good[] = {
        "0.0.0.0", "255.255.255.255", "192.0.2.1", "2001:db8::1", "::", "::ffff:1.2.3.4"};
    static const char *const prefixes[] = {"192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0"};
    struct address a;
    char text[ADDRESS_TEXT_BYTES];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(address_parse(span_of(bad[i]), &a, NULL), ERR_BAD_ADDRESS);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(address_parse(span_of(good[i]), &a, NULL), 0);
        (void)address_format(&a, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        assert_int_equal(prefix_parse(span_of(prefixes[i]), &a, NULL), 0);
        (void)address_format(&a, text);
        assert_string_equal(text, prefixes[i]);
    }
    assert_int_equal(prefix_parse(SPAN("192.0.2.1/24"), &a, NULL), ERR_BAD_ADDRESS);
    assert_int_equal(prefix_parse(SPAN("192.0.2.0/33"), &a, NULL), ERR_BAD_ADDRESS);
}

/* Texts like addresses: taken if and only if inet_pton takes them, as the same number. */
static void
dotted_quads_are_what_the_library_says(void **state)
{
    static const char alphabet[] = "0123456789012345....25 a/:";
    uint64_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < 400000; i++) {
        char text[24] = "";
        struct in_addr theirs;
        struct address ours;
        size_t n = 5 + i % 12;
        for (size_t k = 0; k < n; k++, seed = seed * 6364136223846793005u + 1442695040888963407u)
            text[k] = alphabet[(seed >> 33) % (sizeof alphabet - 1)];
        if (i % 2 == 0) {
            uint32_t ip = (uint32_t)(seed >> 20);
            n = (size_t)snprintf(text, sizeof text, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
                (ip >> 8 & 255) + (i % 64 == 0), ip & 255);
        }
        bool good = inet_pton(AF_INET, text, &theirs) == 1;
        bool mine = address_parse((struct span){text, n}, &ours, NULL) == 0 && ours.family == 4;
        if (good != mine || (good && ntohl(theirs.s_addr) != ours.low))
            fail_msg("%s: %s", text, good ? "is an address" : "is none");
    }
}

/* Names a byte longer than a label's limit are looked at byte by byte, shorter ones eight at a
 * time. */
static void
domains_are_looked_at_alike(void **state)
{
    static const char alphabet[] = "abcxyz0129-_....AZ\xc3/@[`{ \x7f";
    uint64_t seed = 3;
    unsigned sound = 0;

    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        char text[128];
        size_t n = 1 + i % 62;
        for (size_t k = 0; k < n; k++, seed = seed * 6364136223846793005u + 1442695040888963407u)
            text[k] = i % 3 == 0 || (seed >> 40) % 16 == 0
                ? alphabet[(seed >> 33) % (sizeof alphabet - 1)]
                : 'm';
        unsigned look = domain_look((struct span){text, n});
        /* A second half of 63 bytes changes nothing but the way of looking. */
        text[n] = '.';
        memset(text + n + 1, 'q', 63);
        unsigned slow = domain_look((struct span){text, n + 64});
        if (look != slow)
            fail_msg("%.*s: %u, %u", (int)n, text, look, slow);
        sound += look & DOMAIN_SOUND;
    }
    assert_true(sound > 10000);
}

static void
tlp_labels_are_read(void **state)
{
    (void)state;
    assert_int_equal(tlp_find(SPAN("TLP:WHITE")), TLP_CLEAR);
    assert_int_equal(tlp_find(SPAN("amber+strict")), TLP_AMBER_STRICT);
    assert_int_equal(tlp_find(SPAN("tlp:Red")), TLP_RED);
    assert_int_equal(tlp_find(SPAN("purple")), TLP_UNKNOWN);
    assert_int_equal(tlp_find(SPAN("unknown")), TLP_UNKNOWN);
}

static void
digest_ignores_order_and_names_the_claim(void **state)
{
    (void)state;
    struct field room[8];
    struct report a;
    struct report b;
    report_reset(&a, room, 4);
    assert_int_equal(report_add_text(&a, FIELD_SOURCE_IP, SPAN("192.0.2.1"), NULL), 0);
    assert_int_equal(report_add_int(&a, FIELD_SOURCE_PORT, 80, NULL), 0);
    report_reset(&b, room + 4, 4);
    assert_int_equal(report_add_int(&b, FIELD_SOURCE_PORT, 80, NULL), 0);
    assert_int_equal(report_add_text(&b, FIELD_SOURCE_IP, SPAN("192.0.2.1"), NULL), 0);
    assert_int_equal(report_digest(&a), report_digest(&b));
    b.fields[0].i = 81;
    assert_int_not_equal(report_digest(&a), report_digest(&b));
    assert_int_equal(report_add_int(&b, FIELD_SOURCE_PORT, 80, NULL), ERR_DUPLICATE_KEY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_found_by_name),
        cmocka_unit_test(arena_stops_at_its_maximum),
        cmocka_unit_test(table_gives_each_name_one_index),
        cmocka_unit_test(times_are_read_and_written),
        cmocka_unit_test(addresses_are_strict),
        cmocka_unit_test(dotted_quads_are_what_the_library_says),
        cmocka_unit_test(domains_are_looked_at_alike),
        cmocka_unit_test(tlp_labels_are_read),
        cmocka_unit_test(digest_ignores_order_and_names_the_claim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
