/* The coarser form of each class of value, hostile values too: nothing finer hides in it. */
#include "flow/coarsen.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

struct known {
    enum field_id id;
    const char *value;
    const char *wanted; /* NULL: there is no coarser form */
};

static void
expect_coarser(const struct known *cases, size_t count)
{
    struct arena *arena = arena_new(1 << 20);

    for (size_t i = 0; i < count; i++) {
        struct field field = {.id = (uint16_t)cases[i].id,
            .class = (uint8_t)field_class(cases[i].id),
            .name = field_name(cases[i].id),
            .n = (uint32_t)strlen(cases[i].value),
            .s = cases[i].value};
        bool left = coarsen_field(arena, &field);
        if (left != (cases[i].wanted != NULL))
            fail_msg("%s: %s", cases[i].value, left ? "something is left" : "nothing is left");
        if (left && !span_equal((struct span){field.s, field.n}, span_of(cases[i].wanted)))
            fail_msg("%s: became %.*s", cases[i].value, (int)field.n, field.s);
    }
    arena_free(arena);
}
#define EXPECT_COARSER(cases) expect_coarser(cases, sizeof(cases) / sizeof((cases)[0]))

static void
addresses_become_networks(void **state)
{
    static const struct known cases[] = {
        {FIELD_SOURCE_IP, "192.0.2.77", "192.0.2.0/24"},
        {FIELD_DESTINATION_IP, "255.255.255.255", "255.255.255.0/24"},
        {FIELD_SOURCE_IP, "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"},
        {FIELD_SOURCE_IP, "::ffff:192.0.2.77", "::/48"},
        {FIELD_SOURCE_NETWORK, "192.0.2.64/26", "192.0.2.0/24"},
        {FIELD_SOURCE_NETWORK, "192.0.0.0/16", "192.0.0.0/16"},
        {FIELD_DESTINATION_NETWORK, "2001:db8:1:2::/64", "2001:db8:1::/48"},
        {FIELD_DESTINATION_NETWORK, "0.0.0.0/0", "0.0.0.0/0"},
        {FIELD_SOURCE_LOCAL_IP, "10.0.0.7", NULL},
        {FIELD_SOURCE_PORT, "443", NULL},
        {FIELD_SOURCE_IP, "192.0.2.77 secret", NULL},
        {FIELD_SOURCE_IP, "", NULL},
    };

    (void)state;
    EXPECT_COARSER(cases);
}

static void
names_become_what_was_registered(void **state)
{
    static const struct known cases[] = {
        {FIELD_SOURCE_FQDN, "a.b.example.org", "example.org"},
        {FIELD_SOURCE_FQDN, "WWW.Example.CO.UK", "example.co.uk"},
        {FIELD_SOURCE_REVERSE_DNS, "7-2-0-192.dyn.isp.com", "isp.com"},
        {FIELD_SOURCE_FQDN, "co.uk", NULL},
        {FIELD_SOURCE_FQDN, "org", NULL},
        {FIELD_SOURCE_LOCAL_HOSTNAME, "bobs-laptop", NULL},
        {FIELD_SOURCE_LOCAL_HOSTNAME, "bobs-laptop.local", NULL},
        {FIELD_SOURCE_LOCAL_HOSTNAME, "192.0.2.77", NULL},
        {FIELD_SOURCE_LOCAL_HOSTNAME, "192.0.2.77.", NULL},
        {FIELD_SOURCE_LOCAL_HOSTNAME, "2001:db8::192.0.2.77", NULL},
        {FIELD_SOURCE_LOCAL_HOSTNAME, "www.example.org/secret", NULL},
        {FIELD_SOURCE_LOCAL_HOSTNAME, "www.example.org secret", NULL},
        {FIELD_SOURCE_LOCAL_HOSTNAME, "bob@example.org:secret", NULL},
        {FIELD_SOURCE_FQDN, ".", NULL},
        {FIELD_SOURCE_FQDN, "..", NULL},
        {FIELD_SOURCE_FQDN, "", NULL},
    };

    (void)state;
    EXPECT_COARSER(cases);
}

static void
urls_become_scheme_and_host(void **state)
{
    static const struct known cases[] = {
        {FIELD_SOURCE_URL, "https://www.example.org/secret?q#f", "https://www.example.org"},
        {FIELD_SOURCE_URL, "https://u:p@www.example.org:8/secret", "https://www.example.org"},
        {FIELD_SOURCE_URL, "https://u:p@ss@example.org", "https://example.org"},
        {FIELD_SOURCE_URL, "https://example.org?secret@evil", "https://example.org"},
        {FIELD_SOURCE_URL, "https://example.org\\@secret", "https://example.org"},
        {FIELD_SOURCE_URL, "https://example.org#://secret", "https://example.org"},
        {FIELD_SOURCE_URL, "svn+ssh://example.org:22", "svn+ssh://example.org"},
        {FIELD_SOURCE_URL, "http://[2001:db8::7]:80/x", "http://[2001:db8::7]"},
        {FIELD_SOURCE_URL, "http://[2001:db8::7]secret:80/x", "http://[2001:db8::7]"},
        {FIELD_SOURCE_URL, "http://[secret]/x", NULL},
        {FIELD_SOURCE_URL, "http://[2001:db8::7", NULL},
        {FIELD_SOURCE_URL, "bob:secret@example.org/login?next=https://other.org", NULL},
        {FIELD_SOURCE_URLPATH, "/login?user=bob&next=https://other.org/", NULL},
        {FIELD_SOURCE_URLPATH, "/secret", NULL},
        {FIELD_SOURCE_URL, "https://example.org secret", NULL},
        {FIELD_SOURCE_URL, "https://example.org%2fsecret/", NULL},
        {FIELD_SOURCE_URL, "https://", NULL},
        {FIELD_SOURCE_URL, "https:///secret", NULL},
        {FIELD_SOURCE_URL, "https://u:secret@", NULL},
        {FIELD_SOURCE_URL, "://example.org", NULL},
        {FIELD_SOURCE_URL, "mailto:bob@example.org", NULL},
        {FIELD_SOURCE_URL, "", NULL},
    };

    (void)state;
    EXPECT_COARSER(cases);
}

static void
accounts_become_their_domain(void **state)
{
    static const struct known cases[] = {
        {FIELD_SOURCE_ACCOUNT, "bob@mail.example.org", "mail.example.org"},
        {FIELD_SOURCE_ACCOUNT, "a@b@example.org", "example.org"},
        {FIELD_SOURCE_ACCOUNT, "bob@example.org:secret", NULL},
        {FIELD_SOURCE_ACCOUNT, "Bob <bob@example.org>, Alice", NULL},
        {FIELD_SOURCE_ACCOUNT, "mailto:bob@example.org?subject=secret", NULL},
        {FIELD_SOURCE_ACCOUNT, "CN=bob@example.org,O=secret", NULL},
        {FIELD_SOURCE_ACCOUNT, "root@192.0.2.77", NULL},
        {FIELD_SOURCE_ACCOUNT, "root@[192.0.2.77]", NULL},
        {FIELD_SOURCE_ACCOUNT, "bob", NULL},
        {FIELD_SOURCE_ACCOUNT, "bob@", NULL},
        {FIELD_SOURCE_ACCOUNT, "", NULL},
    };

    (void)state;
    EXPECT_COARSER(cases);
}

static void
times_become_hours_and_the_rest_nothing(void **state)
{
    static const struct known cases[] = {
        {FIELD_TIME_SOURCE, "2026-05-05T10:59:59.999999+00:00", "2026-05-05T10:00:00+00:00"},
        {FIELD_TIME_SOURCE, "2026-05-05T10:20:30+05:30", "2026-05-05T04:00:00+00:00"},
        {FIELD_TIME_OBSERVATION, "1969-12-31T23:59:59.5Z", "1969-12-31T23:00:00+00:00"},
        {FIELD_TIME_SOURCE, "yesterday at 10:20", NULL},
        {FIELD_COMMENT, "text", NULL},
        {FIELD_MALWARE_NAME, "what describes the incident", NULL},
    };

    (void)state;
    EXPECT_COARSER(cases);
}

static void
only_mac_addresses_have_a_vendor(void **state)
{
    static const char *const values[][2] = {{"00:11:22:33:44:55", "00:11:22"},
        {"aA-bB-cC-dD-eE-fF", "aA-bB-cC"}, {"00:11:22:33:44:5g", NULL}, {"00:11:22:33:44", NULL},
        {"0011.2233.4455.66", NULL}, {"serial-0123456789", NULL}, {"", NULL}};
    struct arena *arena = arena_new(1 << 16);

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct field field = {.id = FIELD_OTHER,
            .class = FIELD_CLASS_DEVICE,
            .n = (uint32_t)strlen(values[i][0]),
            .s = values[i][0]};
        assert_int_equal(coarsen_field(arena, &field), values[i][1] != NULL);
        if (values[i][1] != NULL)
            assert_true(span_equal((struct span){field.s, field.n}, span_of(values[i][1])));
    }
    arena_free(arena);
}

/* Numbers, JSON and the like have no coarser form, whatever their class. */
static void
other_values_are_removed(void **state)
{
    (void)state;
    for (int class = 0; class < FIELD_CLASS_COUNT; class ++)
        for (int type = VALUE_INT; type <= VALUE_JSON; type++) {
            struct field field = {
                .id = FIELD_OTHER, .type = (uint8_t)type, .class = (uint8_t) class};
            if (type == VALUE_JSON) {
                field.s = "[\"192.0.2.77\"]";
                field.n = 14;
            }
            assert_false(coarsen_field(NULL, &field));
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_become_networks),
        cmocka_unit_test(names_become_what_was_registered),
        cmocka_unit_test(urls_become_scheme_and_host),
        cmocka_unit_test(accounts_become_their_domain),
        cmocka_unit_test(times_become_hours_and_the_rest_nothing),
        cmocka_unit_test(only_mac_addresses_have_a_vendor),
        cmocka_unit_test(other_values_are_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
