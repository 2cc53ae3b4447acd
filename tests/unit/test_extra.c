#include "model/extra.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static void
listed_names_have_their_class_and_others_are_text(void **state)
{
    struct extra_fields *extras = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        extra_fields_parse(SPAN("name,class\n# comment\nextra.user,account\r\nextra.mac,device\n"),
            "list", &extras, &err),
        0);
    assert_int_equal(extra_fields_class(extras, SPAN("extra.user")), FIELD_CLASS_ACCOUNT);
    assert_int_equal(extra_fields_class(extras, SPAN("extra.mac")), FIELD_CLASS_DEVICE);
    assert_int_equal(extra_fields_class(extras, SPAN("extra.other")), FIELD_CLASS_TEXT);
    assert_int_equal(extra_fields_class(NULL, SPAN("extra.user")), FIELD_CLASS_TEXT);
    assert_int_equal(extra_fields_class(extras, SPAN("extra.log.a.user")), FIELD_CLASS_ACCOUNT);
    assert_int_equal(extra_fields_class(extras, SPAN("extra.user.log")), FIELD_CLASS_TEXT);
    assert_int_equal(extra_fields_class(extras, SPAN("extra.log.")), FIELD_CLASS_TEXT);
    assert_int_equal(extra_fields_class(extras, SPAN("log.user")), FIELD_CLASS_TEXT);
    assert_int_equal(extra_fields_member_class(extras, SPAN("user")), FIELD_CLASS_ACCOUNT);
    assert_int_equal(extra_fields_member_class(extras, SPAN("log.user")), FIELD_CLASS_ACCOUNT);
    assert_int_equal(extra_fields_member_class(extras, SPAN("")), FIELD_CLASS_TEXT);
    assert_int_equal(extra_fields_member_class(NULL, SPAN("user")), FIELD_CLASS_TEXT);
    extra_fields_free(extras);
}

static void
a_wrong_line_is_named(void **state)
{
    static const char *const bad[] = {
        "name,class\nextra.user,acount\n", "name,class\n,account\n", "name,class\nextra.user\n"};
    struct extra_fields *extras = NULL;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            extra_fields_parse(span_of(bad[i]), "list", &extras, &err), ERR_BAD_CONFIG);
        assert_int_equal(err.line, 2);
    }
    assert_int_equal(
        extra_fields_parse(SPAN("a,url\na,url\n"), "list", &extras, &err), ERR_BAD_CONFIG);
    assert_null(extras);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_names_have_their_class_and_others_are_text),
        cmocka_unit_test(a_wrong_line_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
