#include "fmt/jcs.h"

#include <stdio.h>
#include <stdlib.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { OUT_MAX = 1 << 20 };

static void
check(const char *text, const char *wanted)
{
    struct buf out = buf_new(OUT_MAX);
    struct err err = {0};

    if (jcs_add_text(&out, span_of(text), &err) != 0)
        fail_msg("%s: %s", text, err.msg);
    buf_add_char(&out, '\0');
    assert_string_equal(out.p, wanted);
    buf_free(&out);
}

static int
refused(const char *text)
{
    struct buf out = buf_new(OUT_MAX);
    struct err err = {0};
    int rc = jcs_add_text(&out, span_of(text), &err);

    assert_true(rc == 0 || err.msg[0] != '\0');
    buf_free(&out);
    return rc;
}

/* RFC 8785, appendix B; the last rows are powers of two, where the shortest form is not the nearest
 * one of its length. */
static void
numbers_are_those_of_appendix_b(void **state)
{
    static const struct {
        uint64_t bits;
        const char *text;
    } rows[] = {{0x0000000000000000, "0"}, {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"}, {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"}, {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"}, {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"}, {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"}, {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"}, {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"}, {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"}, {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"}, {0x3d30000000000000, "5.684341886080802e-14"},
        {0x3e70000000000000, "5.960464477539063e-8"},
        {0x4580000000000000, "6.189700196426902e+26"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = buf_new(OUT_MAX);
        double value;
        memcpy(&value, &rows[i].bits, sizeof value);
        assert_int_equal(jcs_add_number(&out, value, NULL), 0);
        buf_add_char(&out, '\0');
        assert_string_equal(out.p, rows[i].text);
        buf_free(&out);
    }
    const uint64_t none[] = {0x7fffffffffffffff, 0x7ff0000000000000};
    for (size_t i = 0; i < 2; i++) {
        struct buf out = buf_new(OUT_MAX);
        double value;
        memcpy(&value, &none[i], sizeof value);
        assert_int_equal(jcs_add_number(&out, value, NULL), ERR_BAD_NUMBER);
        buf_free(&out);
    }
}

static void
members_stand_in_the_order_of_utf16(void **state)
{
    (void)state;
    check("{\"\\u20ac\": \"Euro Sign\", \"\\r\": \"Carriage Return\", \"\\ufb33\": \"Hebrew Letter "
          "Dalet With Dagesh\", \"1\": \"One\", \"\\ud83d\\ude00\": \"Emoji: Grinning Face\", "
          "\"\\u0080\": \"Control\", \"\\u00f6\": \"Latin Small Letter O With Diaeresis\"}",
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"\xc3\xb6\":\"Latin "
        "Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":"
        "\"Emoji: Grinning Face\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
    check("{\"b\":1,\"aa\":2,\"a\":3,\"\":4}", "{\"\":4,\"a\":3,\"aa\":2,\"b\":1}");
}

/* RFC 8785, 3.2.2 and 3.2.3: literals, numbers, escapes, all at once. */
static void
the_rfcs_sample_is_canonical(void **state)
{
    (void)state;
    check(
        "{\n  \"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],\n"
        "  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
        "  \"literals\": [null, true, false]\n}",
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
        "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    check("\"\\u0000\\b\\t\\n\\f\\r\\u001f\\u007f\"", "\"\\u0000\\b\\t\\n\\f\\r\\u001f\x7f\"");
    check(" [ ] ", "[]");
    check("{\"x\":{\"b\":[],\"a\":{}}}", "{\"x\":{\"a\":{},\"b\":[]}}");
}

static void
what_two_readers_may_see_differently_is_refused(void **state)
{
    (void)state;
    assert_int_equal(refused("{\"a\":1,\"b\":2,\"a\":1}"), ERR_DUPLICATE_KEY);
    assert_int_equal(refused("[{\"x\":{\"a\":1,\"\\u0061\":1}}]"), ERR_DUPLICATE_KEY);
    assert_int_equal(refused("9007199254740993"), ERR_BAD_NUMBER);
    assert_int_equal(refused("-9007199254740993"), ERR_BAD_NUMBER);
    assert_int_equal(refused("18446744073709551615"), ERR_BAD_NUMBER);
    assert_int_equal(refused("\"\\ud800\""), ERR_BAD_JSON);
    assert_int_equal(refused("{\"a\":1"), ERR_BAD_JSON);
    check("9007199254740992", "9007199254740992");
    check("-0", "0");
    check("1.0", "1");
}

static void
members_can_be_left_out(void **state)
{
    static const char *const names[] = {"signatures", "suspended", NULL};
    struct json *json = json_new(OUT_MAX);
    struct buf out = buf_new(OUT_MAX);
    struct json_value root;
    struct err err;

    (void)state;
    struct span text = SPAN("{\"suspended\":1,\"id\":{\"suspended\":2},\"signatures\":[]}");
    assert_int_equal(json_parse_copy(json, text, &root, &err), 0);
    assert_int_equal(jcs_add_without(&out, root, names, &err), 0);
    buf_add_char(&out, '\0');
    assert_string_equal(out.p, "{\"id\":{\"suspended\":2}}");
    buf_free(&out);
    json_free(json);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_appendix_b),
        cmocka_unit_test(members_stand_in_the_order_of_utf16),
        cmocka_unit_test(the_rfcs_sample_is_canonical),
        cmocka_unit_test(what_two_readers_may_see_differently_is_refused),
        cmocka_unit_test(members_can_be_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
