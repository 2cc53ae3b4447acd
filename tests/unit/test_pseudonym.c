/* Pseudonyms: the draft's vectors of ipcrypt-pfx, prefixes that stay together, and the way back. */
#include "flow/pseudonym.h"

#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define FIRST "0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301"
#define SECOND "2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a"

struct vector {
    const char *key;
    const char *plain;
    const char *pseudonym;
};
/* draft-denis-ipcrypt, "Test Vectors", ipcrypt-pfx. */
static const struct vector vectors[] = {{FIRST, "0.0.0.0", "151.82.155.134"},
    {FIRST, "255.255.255.255", "94.185.169.89"}, {FIRST, "192.0.2.1", "100.115.72.131"},
    {FIRST, "2001:db8::1", "c180:5dd4:2587:3524:30ab:fa65:6ab6:f88"},
    {SECOND, "10.0.0.47", "19.214.210.244"}, {SECOND, "10.0.0.129", "19.214.210.80"},
    {SECOND, "10.0.0.234", "19.214.210.30"}, {SECOND, "172.16.5.193", "210.78.229.136"},
    {SECOND, "172.16.97.42", "210.78.179.241"}, {SECOND, "172.16.248.177", "210.78.121.215"},
    {SECOND, "2001:db8::a5c9:4e2f:bb91:5a7d", "7cec:702c:1243:f70:1956:125:b9bd:1aba"},
    {SECOND, "2001:db8::7234:d8f1:3c6e:9a52", "7cec:702c:1243:f70:a3ef:c8e:95c1:cd0d"},
    {SECOND, "2001:db8::f1e0:937b:26d4:8c1a", "7cec:702c:1243:f70:443c:c8e:6a62:b64d"},
    {SECOND, "2001:db8:3a5c:0:e7d1:4b9f:2c8a:f673", "7cec:702c:3503:bef:e616:96bd:be33:a9b9"},
    {SECOND, "2001:db8:9f27:0:b4e2:7a3d:5f91:c8e6", "7cec:702c:a504:b74e:194a:3d90:b047:2d1a"},
    {SECOND, "2001:db8:d8b4:0:193c:a5e7:8b2f:46d1", "7cec:702c:f840:aa67:1b8:e84f:ac9d:77fb"}};

static uint8_t
digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct pseudonym_key *
key_of(const char *hex)
{
    uint8_t key[32];

    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return pseudonym_key_of(key, key);
}

static struct address
address_of(const char *text)
{
    struct address address;

    assert_int_equal(prefix_parse(span_of(text), &address, NULL), 0);
    return address;
}

static void
assert_address(struct address address, const char *text)
{
    char seen[ADDRESS_TEXT_BYTES];

    (void)address_format(&address, seen);
    assert_string_equal(seen, text);
}

static void
test_vectors_of_the_draft(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const struct vector *v = &vectors[i];
        struct pseudonym_key *key = key_of(v->key);
        struct address plain = address_of(v->plain);
        assert_non_null(key);
        struct address made = pseudonym_address(key, &plain);
        assert_address(made, v->pseudonym);
        assert_address(pseudonym_address_back(key, &made), v->plain);
        pseudonym_key_free(key);
    }
}

static void
test_equal_halves_are_refused(void **state)
{
    (void)state;
    assert_null(key_of("0123456789abcdeffedcba98765432100123456789abcdeffedcba9876543210"));
}

/* A network's pseudonym is where the pseudonyms of its addresses are. */
static void
test_networks_hold_their_addresses(void **state)
{
    struct pseudonym_key *key = key_of(FIRST);

    (void)state;
    for (unsigned length = 0; length <= 32; length++) {
        struct address address = address_of("198.51.100.77");
        struct address made = pseudonym_address(key, &address);
        uint64_t mask = length == 0 ? 0 : 0xffffffffu << (32 - length) & 0xffffffffu;
        struct address network = address;
        network.bits = (uint8_t)length;
        network.low &= mask;
        struct address net = pseudonym_address(key, &network);
        assert_int_equal(net.bits, length);
        assert_true(net.low == (made.low & mask));
        struct address back = pseudonym_address_back(key, &net);
        assert_true(back.low == network.low && back.bits == length);
    }
    pseudonym_key_free(key);
}

static struct pseudonyms *
node(uint8_t first)
{
    uint8_t secret[PSEUDONYM_SECRET_BYTES] = {first};

    return pseudonyms_new(secret);
}

static void
hex_for(struct pseudonyms *p, const char *agreement, const char *to, char out[PSEUDONYM_HEX + 1])
{
    const struct pseudonym_key *key = pseudonyms_key(p, span_of(agreement), span_of(to));

    pseudonym_hex(key, FIELD_CLASS_ACCOUNT, SPAN("alice"), out);
}

/* Neither two recipients, nor two agreements, nor two nodes can join what they were told. */
static void
test_no_two_can_join(void **state)
{
    struct pseudonyms *p = node(1);
    struct pseudonyms *q = node(2);
    char same[2][PSEUDONYM_HEX + 1];
    char others[4][PSEUDONYM_HEX + 1];

    (void)state;
    hex_for(p, "urn:a", "south.test", same[0]);
    hex_for(p, "urn:b", "south.test", others[0]);
    hex_for(p, "urn:a", "east.test", others[1]);
    hex_for(q, "urn:a", "south.test", others[2]);
    hex_for(p, "urn:as", "outh.test", others[3]);
    hex_for(p, "urn:a", "south.test", same[1]);
    assert_string_equal(same[0], same[1]);
    for (int i = 0; i < 4; i++)
        assert_string_not_equal(same[0], others[i]);
    pseudonyms_free(p);
    pseudonyms_free(q);
}

/* More pairs than are kept: those made again are the same. */
static void
test_keys_made_again_are_the_same(void **state)
{
    struct pseudonyms *p = node(3);
    char first[PSEUDONYM_HEX + 1];
    char again[PSEUDONYM_HEX + 1];
    char name[32];

    (void)state;
    hex_for(p, "urn:a", "team-0.test", first);
    for (int i = 1; i < 5000; i++) {
        (void)snprintf(name, sizeof name, "team-%d.test", i);
        hex_for(p, "urn:a", name, again);
        assert_string_not_equal(first, again);
    }
    hex_for(p, "urn:a", "team-0.test", again);
    assert_string_equal(first, again);
    pseudonyms_free(p);
}

static struct span
field_made(
    struct arena *arena, const struct pseudonym_key *key, enum field_class class, const char *text)
{
    struct field field = {.class = (uint8_t) class, .type = VALUE_TEXT, .s = text};

    field.n = (uint32_t)strlen(text);
    return pseudonym_field(arena, key, &field) ? (struct span){field.s, field.n}
                                               : (struct span){NULL, 0};
}

static void
test_forms(void **state)
{
    struct pseudonyms *p = node(4);
    struct arena *arena = arena_new(1 << 16);
    const struct pseudonym_key *key = pseudonyms_key(p, SPAN("urn:a"), SPAN("south.test"));
    struct span name = field_made(arena, key, FIELD_CLASS_NAME, "WWW.Example.test.");
    struct span url = field_made(arena, key, FIELD_CLASS_URL, "http://example.test/");

    (void)state;
    assert_int_equal(name.n, PSEUDONYM_HEX + 8);
    assert_true(span_equal(name, field_made(arena, key, FIELD_CLASS_NAME, "www.example.test")));
    assert_memory_equal(name.p + PSEUDONYM_HEX, ".invalid", 8);
    assert_int_equal(url.n, 8 + PSEUDONYM_HEX + 9);
    assert_memory_equal(url.p, "https://", 8);
    assert_false(span_equal(field_made(arena, key, FIELD_CLASS_ACCOUNT, "x-1"),
        field_made(arena, key, FIELD_CLASS_DEVICE, "x-1")));
    assert_null(field_made(arena, key, FIELD_CLASS_ADDRESS, "no address").p);
    arena_free(arena);
    pseudonyms_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_of_the_draft),
        cmocka_unit_test(test_equal_halves_are_refused),
        cmocka_unit_test(test_networks_hold_their_addresses),
        cmocka_unit_test(test_no_two_can_join),
        cmocka_unit_test(test_keys_made_again_are_the_same),
        cmocka_unit_test(test_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
