/* Reports' ids: a permutation that only the node's key turns back, laid out as RFC 9562 has it. */
#include "core/id.h"

#include "base/hash.h"

#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static const struct id_key key = {"sixteen bytes..."};

static void
there_and_back(void **state)
{
    char text[ID_TEXT_BYTES];
    struct id_place place;
    struct err err;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t random[3];
        hash_random(random, sizeof random);
        uint64_t number = i < 5000 ? i : random[0] & ID_BATCH_MAX;
        struct id_batch batch = id_batch(&key, number, random[1]);
        uint32_t at = (uint32_t)random[2] & (ID_PLACES - 1);
        assert_int_equal(id_text(&batch, at, text), 36);
        assert_int_equal(text[14], '8');
        assert_non_null(strchr("89ab", text[19]));
        assert_int_equal(id_read(&key, span_of(text), &place, &err), 0);
        assert_true(place.batch == number);
        assert_true(place.tag == (random[1] & ID_TAG_MASK));
        assert_int_equal(place.place, at);
    }
}

/* Numbers do not count aloud: of neighbours, half of the bits differ. */
static void
numbers_are_hidden(void **state)
{
    struct id_key other = key;
    unsigned differ = 0;

    (void)state;
    for (uint64_t n = 0; n < 1000; n++)
        differ += (unsigned)__builtin_popcountll(
            id_batch(&key, n, 0).hidden ^ id_batch(&key, n + 1, 0).hidden);
    assert_in_range(differ, 23000, 25000);
    other.bytes[15] ^= 1;
    assert_true(id_batch(&key, 1, 0).hidden != id_batch(&other, 1, 0).hidden);
}

static void
refused(const char *text, enum err_code code)
{
    struct id_place place;
    struct err err;

    assert_int_equal(id_read(&key, span_of(text), &place, &err), code);
    assert_string_equal(err.field, "id");
}

static void
what_is_no_id(void **state)
{
    (void)state;
    refused("", ERR_BAD_NAME);
    refused("0192b3c4-d5e6-8f70-8123-456789abcde", ERR_BAD_NAME);
    refused("0192b3c4-d5e6-8f70-8123-456789abcdef0", ERR_BAD_NAME);
    refused("0192b3c4-d5e6-8f70-8123_456789abcdef", ERR_BAD_NAME);
    refused("0192b3c4-d5e6-8f70-8123-456789abcdeg", ERR_BAD_NAME);
    refused("-192b3c4-d5e6-8f70-8123-456789abcdef", ERR_BAD_NAME);
    refused("0192b3c4-d5e6-5f70-8123-456789abcdef", ERR_NOT_FOUND);
    refused("0192b3c4-d5e6-8f70-c123-456789abcdef", ERR_NOT_FOUND);
}

static void
any_case(void **state)
{
    struct id_batch batch = id_batch(&key, 7, 0xabcdef);
    char text[ID_TEXT_BYTES];
    struct id_place place;
    struct err err;

    (void)state;
    (void)id_text(&batch, 9, text);
    text[14] = '4'; /* as it is in STIX */
    for (char *at = text; *at != '\0'; at++)
        *at = (char)(*at >= 'a' && *at <= 'f' ? *at - 32 : *at);
    assert_int_equal(id_read(&key, span_of(text), &place, &err), 0);
    assert_true(place.batch == 7);
    text[14] = '4'; /* as STIX has it */
    assert_int_equal(id_read(&key, span_of(text), &place, &err), 0);
    assert_true(place.batch == 7 && place.place == 9);
}

/* The one text of it, whatever the version and the case; what is none leaves OUT alone. */
static void
plain(void **state)
{
    char text[ID_TEXT_BYTES] = "untouched";

    (void)state;
    assert_false(id_plain(SPAN(""), text));
    assert_false(id_plain(SPAN("0192b3c4-d5e6-8f70-8123_456789abcdef"), text));
    assert_false(id_plain(SPAN("0192b3c4-d5e6-5f70-8123-456789abcdef"), text));
    assert_false(id_plain(SPAN("0192b3c4-d5e6-8f70-c123-456789abcdef"), text));
    assert_string_equal(text, "untouched");
    assert_true(id_plain(SPAN("0192b3c4-d5e6-8f70-8123-456789abcdef"), text));
    assert_string_equal(text, "0192b3c4-d5e6-8f70-8123-456789abcdef");
    assert_true(id_plain(SPAN("FF92B3C4-D5E6-4F70-B123-456789ABCDEF"), text));
    assert_string_equal(text, "ff92b3c4-d5e6-8f70-b123-456789abcdef");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(numbers_are_hidden),
        cmocka_unit_test(what_is_no_id),
        cmocka_unit_test(any_case),
        cmocka_unit_test(plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
